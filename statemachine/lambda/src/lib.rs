//! Runs Lambda functions as worker processes behind the Lambda Runtime API.

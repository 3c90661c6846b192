//! Wires a handler to the Lambda runtime.

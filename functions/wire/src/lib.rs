//! The JSON of every state's input and output, and the names of failures.

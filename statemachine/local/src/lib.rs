//! Runs Amazon States Language definitions on one machine.

//! The program as its users run it: real processes, real sockets, two strict S3 servers that do not know each other.

mod clients;
mod commands;
mod faults;
mod resume;
mod support;
mod transfer;

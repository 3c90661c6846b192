//! The worker of state `Unpack`: asks the Lambda Runtime API for work.

use std::process::ExitCode;

fn main() -> ExitCode {
    transload_unpack::serve()
}

//! The worker of state `Copy`: asks the Lambda Runtime API for work.

use std::process::ExitCode;

fn main() -> ExitCode {
    transload_copy::serve()
}

//! The worker of state `Abort`: asks the Lambda Runtime API for work.

use std::process::ExitCode;

fn main() -> ExitCode {
    transload_abort::serve()
}

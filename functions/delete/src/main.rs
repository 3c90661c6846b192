//! The worker of state `Delete`: asks the Lambda Runtime API for work.

use std::process::ExitCode;

fn main() -> ExitCode {
    transload_delete::serve()
}

//! The worker of state `Remove`: asks the Lambda Runtime API for work.

use std::process::ExitCode;

fn main() -> ExitCode {
    transload_remove::serve()
}

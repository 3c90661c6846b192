//! The worker of state `Complete`: asks the Lambda Runtime API for work.

use std::process::ExitCode;

fn main() -> ExitCode {
    transload_complete::serve()
}

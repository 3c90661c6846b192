//! The worker of state `Head`: asks the Lambda Runtime API for work.

use std::process::ExitCode;

fn main() -> ExitCode {
    transload_head::serve()
}

//! The worker of state `Batch`: asks the Lambda Runtime API for work.

use std::process::ExitCode;

fn main() -> ExitCode {
    transload_batch::serve()
}

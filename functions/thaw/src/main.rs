//! The worker of state `Thaw`: asks the Lambda Runtime API for work.

use std::process::ExitCode;

fn main() -> ExitCode {
    transload_thaw::serve()
}

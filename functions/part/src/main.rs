//! The worker of state `Part`: asks the Lambda Runtime API for work.

use std::process::ExitCode;

fn main() -> ExitCode {
    transload_part::serve()
}

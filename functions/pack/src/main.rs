//! The worker of state `Pack`: asks the Lambda Runtime API for work.

use std::process::ExitCode;

fn main() -> ExitCode {
    transload_pack::serve()
}

//! The browse function behind API Gateway: asks the Lambda Runtime API for work.

use std::process::ExitCode;

fn main() -> ExitCode {
    transload_browse::serve()
}

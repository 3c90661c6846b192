//! `transload worker FUNCTION`: what the engine starts for each worker: the same code as the function's own program.

use std::process::ExitCode;

use clap::{Args, ValueEnum};

/// Arguments of `worker`.
#[derive(Debug, Args)]
pub(crate) struct WorkerArgs {
    /// The function, by the name of its state
    #[arg(value_enum, value_name = "FUNCTION")]
    function: Function,
}

/// The functions of the workflow.
#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "PascalCase")]
enum Function {
    Head,
    Copy,
    Init,
    Part,
    Complete,
    Abort,
    List,
    Batch,
    Delete,
    Report,
    Remove,
    Thaw,
    Pack,
    Unpack,
}

/// Serves invocations until the runtime is gone.
pub(crate) fn run(args: &WorkerArgs) -> ExitCode {
    match args.function {
        Function::Head => transload_head::serve(),
        Function::Copy => transload_copy::serve(),
        Function::Init => transload_init::serve(),
        Function::Part => transload_part::serve(),
        Function::Complete => transload_complete::serve(),
        Function::Abort => transload_abort::serve(),
        Function::List => transload_list::serve(),
        Function::Batch => transload_batch::serve(),
        Function::Delete => transload_delete::serve(),
        Function::Report => transload_report::serve(),
        Function::Remove => transload_remove::serve(),
        Function::Thaw => transload_thaw::serve(),
        Function::Pack => transload_pack::serve(),
        Function::Unpack => transload_unpack::serve(),
    }
}

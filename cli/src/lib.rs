//! The command line: `demo`, `sql`, `serve`, `query`, `explain`, `load`, and the executor and the planner that hide behind the same binary.
//!
//! Commands speak to a server over HTTP as any client does; only [`local`] wires the crates into a cloud of our own. This crate
//! plans, schedules and prices nothing.

mod arguments;
mod client;
mod demo;
mod diagnosis;
mod executor;
pub mod exit;
mod explain;
mod format;
mod interrupt;
mod load;
pub mod local;
mod logging;
mod paths;
mod planner;
mod progress;
mod query;
mod run;
mod serve;
mod shown;
mod sql;
mod statements;
mod target;
mod tpch;

use arguments::{Arguments, Command};
use clap::Parser;
use exit::Failure;
use std::process::ExitCode;

/// Becomes an executor under the Lambda runtime's environment and a planner where a server says so, else does what the command line says.
pub fn main() -> ExitCode {
    if executor::is_called_for() {
        return executor::become_one();
    }
    if planner::is_called_for() {
        return planner::become_one();
    }
    let arguments = Arguments::parse();
    logging::start(&arguments);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a process that just started can start threads");
    let ended = runtime.block_on(run(arguments));
    // What is still blocked in a read of a terminal or a file must not hold up the exit.
    runtime.shutdown_background();
    exit::code(ended)
}

async fn run(arguments: Arguments) -> Result<(), Failure> {
    match arguments.command {
        Command::Demo(demo) => demo::demo(demo, arguments.log).await,
        Command::Serve(serve) => serve::serve(serve, arguments.log).await,
        Command::Sql(sql) => sql::sql(sql, arguments.log).await,
        Command::Query(query) => query::query(query).await,
        Command::Explain(explain) => explain::explain(explain).await,
        Command::Load(load) => load::load(load).await,
    }
}

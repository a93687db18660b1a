//! The command `larder`: requests URLs through an HTTP cache directory, and looks after that.
//!
//! It ends with the code of a [`Status`], whatever happens; a reader of its output that goes away is no failure.

mod arguments;
mod cache;
mod commands;
mod destination;
mod output;
mod record;
mod select;
mod show_as;
mod status;

use std::process::ExitCode;

use arguments::{Arguments, Command};
use clap::Parser;
use output::{Output, complain};
use status::{Failure, Result, Status};

fn main() -> ExitCode {
    let outcome = run(Arguments::parse());
    let status = outcome.unwrap_or_else(|failure| {
        if failure.is_broken_pipe() {
            return Status::Done;
        }
        complain(&*failure.error);
        failure.status
    });
    status.into()
}

fn run(arguments: Arguments) -> Result {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new("cannot start").because(error))?;
    let mut output = Output::stdout();
    let status = runtime.block_on(dispatch(arguments, &mut output))?;
    output.finish()?;
    Ok(status)
}

async fn dispatch(Arguments { dir, command }: Arguments, output: &mut Output) -> Result {
    match command {
        Command::Get(arguments) => commands::get::run(dir, arguments, output).await,
        Command::Ls(arguments) => commands::ls::run(dir, arguments, output).await,
        Command::Show(arguments) => commands::show::run(dir, arguments, output).await,
        Command::Rm(arguments) => commands::rm::run(dir, arguments, output).await,
        Command::Clear(arguments) => commands::clear::run(dir, arguments, output).await,
        Command::Prune(arguments) => commands::prune::run(dir, arguments, output).await,
        Command::Stats(arguments) => commands::stats::run(dir, arguments, output).await,
        Command::Verify(arguments) => commands::verify::run(dir, arguments, output).await,
        Command::Path => commands::path::run(dir, output),
        Command::Completions(arguments) => commands::generate::completions(&arguments, output),
        Command::Man(arguments) => commands::generate::man(&arguments, output),
    }
}

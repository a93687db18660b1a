//! The command `larder`: requests URLs through an HTTP cache directory, and looks after that.
//!
//! It ends with the code of a [`Status`], whatever happens; a reader of its output that goes away is no failure.

mod arguments;
mod cache;
mod commands;
mod destination;
mod output;
mod progress;
mod proxy;
mod record;
mod select;
mod show_as;
mod status;

use std::process::ExitCode;

use arguments::{Arguments, Command};
use clap::Parser;
use clap::error::{ContextKind, ContextValue};
use output::{Output, complain};
use status::{Failure, Result, Status};
use tokio::runtime::Builder;

fn main() -> ExitCode {
    let arguments = Arguments::try_parse().unwrap_or_else(|error| without_secrets(error).exit());
    let outcome = run(arguments);
    let status = outcome.unwrap_or_else(|failure| {
        if failure.is_broken_pipe() {
            return Status::Done;
        }
        complain(&*failure.error);
        failure.status
    });
    status.into()
}

/// Returns a complaint about the arguments without the value of one that may hold a password or a token.
fn without_secrets(mut error: clap::Error) -> clap::Error {
    let names_secret = |argument: &str| argument.contains("--header") || argument.contains("<URL>");
    let argument = error.get(ContextKind::InvalidArg);
    if matches!(argument, Some(ContextValue::String(argument)) if names_secret(argument)) {
        error.insert(ContextKind::InvalidValue, ContextValue::String("…".to_owned()));
    }
    error
}

fn run(arguments: Arguments) -> Result {
    let mut runtime = match arguments.command {
        // Many requests at a time, of which none is to wait for the work on another.
        Command::Proxy(_) => Builder::new_multi_thread(),
        _ => Builder::new_current_thread(),
    };
    let runtime = runtime.enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new("cannot start").because(error))?;
    let mut output = Output::stdout();
    let status = runtime.block_on(dispatch(arguments, &mut output))?;
    output.finish()?;
    Ok(status)
}

async fn dispatch(Arguments { dir, command }: Arguments, output: &mut Output) -> Result {
    match command {
        Command::Get(arguments) => commands::get::run(dir, arguments, output).await,
        Command::Proxy(arguments) => commands::proxy::run(dir, arguments, output).await,
        Command::Explain(arguments) => commands::explain::run(dir, arguments, output).await,
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

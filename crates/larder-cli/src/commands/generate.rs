//! `larder completions` and `larder man`: both are made of the command line's own description.

use clap::CommandFactory;
use clap_mangen::Man as ManualPage;

use crate::arguments::{Arguments, Completions, Man};
use crate::output::Output;
use crate::status::{Failure, Result, Status};

/// The name of the program in what is generated.
const NAME: &str = "larder";

pub(crate) fn completions(arguments: &Completions, output: &mut Output) -> Result {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Arguments::command(), NAME, &mut script);
    output.bytes(&script)?;
    Ok(Status::Done)
}

pub(crate) fn man(arguments: &Man, output: &mut Output) -> Result {
    let mut command = Arguments::command();
    command.build();
    if let Some(name) = &arguments.of {
        let named = command.find_subcommand(name).cloned();
        command = named.ok_or_else(|| Failure::usage(format!("there is no command {name}")))?;
    }
    let mut page = Vec::new();
    let rendered = ManualPage::new(command).render(&mut page);
    rendered.map_err(|error| Failure::new("cannot make the page").because(error))?;
    output.bytes(&page)?;
    Ok(Status::Done)
}

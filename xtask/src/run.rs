//! Starting other programs; every command is shown before it runs, so that it can be repeated by hand.

use std::ffi::OsString;
use std::process::{Command, Stdio};

use crate::Outcome;

/// Returns the cargo that runs this task, or the one on the path.
pub(crate) fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")))
}

/// Runs `command` with its output passed through.
///
/// # Errors
///
/// When it cannot be started or does not succeed.
pub(crate) fn passed_through(command: &mut Command) -> Outcome {
    eprintln!("$ {}", shown(command));
    let status = command.status().map_err(|error| format!("{}: {error}", shown(command)))?;
    if status.success() { Ok(()) } else { Err(format!("{}: {status}", shown(command)).into()) }
}

/// Runs `command` and returns its standard output.
///
/// # Errors
///
/// When it cannot be started, does not succeed, or prints something other than UTF-8.
pub(crate) fn output_of(command: &mut Command) -> Outcome<String> {
    let output =
        command.stderr(Stdio::inherit()).output().map_err(|error| format!("{}: {error}", shown(command)))?;
    if !output.status.success() {
        return Err(format!("{}: {}", shown(command), output.status).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

fn shown(command: &Command) -> String {
    let environment = command
        .get_envs()
        .filter_map(|(name, value)| Some(format!("{}={:?}", name.display(), value?.display().to_string())));
    let program = std::path::Path::new(command.get_program());
    let program = program.file_name().unwrap_or(program.as_os_str()).display().to_string();
    let arguments = command.get_args().map(|argument| argument.display().to_string());
    environment.chain([program]).chain(arguments).collect::<Vec<_>>().join(" ")
}

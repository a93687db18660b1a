//! The command line: every command, its options, and the help that explains them.
//!
//! Arguments are parsed into types here, once; what cannot be parsed ends the program with the code for wrong usage.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Parser, Subcommand};
use clap_complete::Shell;
use wildmatch::WildMatch;

use crate::select::Target;

/// What the exit codes mean, at the end of the help.
const AFTER_HELP: &str = "\
Exit codes:
  0  done; also when the reader of the output, such as `head`, has seen enough
  1  failed
  2  wrong usage
  3  not in the cache, or there is no cache in the directory
  4  `verify` found bad entries

Environment:
  LARDER_DIR  the cache directory, unless --dir names one
  NO_COLOR    set to anything: no colours, as is also the rule wherever output is not a terminal";

const EXAMPLES: &str = "\
Examples:
  larder stats                          what is there
  larder ls '*example.org*'             the URLs of a site
  larder show https://example.org/      what is known about one
  larder rm --glob 'https://old.test/*' forget a site
  larder prune                          delete what has expired
  larder verify                         read everything, and remove what is damaged

`larder help COMMAND` says more about each, with examples.";

/// Looks into an HTTP cache directory, and looks after it.
///
/// A cache directory holds one file for each stored response, and the redirects that led to them in SQLite. Programs
/// that use the library of the same name fill it; any number of them, and of these commands, may use one at a time.
#[derive(Debug, Parser)]
#[command(name = "larder", version, after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{AFTER_HELP}"))]
pub(crate) struct Arguments {
    /// The cache directory; by default `LARDER_DIR`, else `larder` in the user's cache directory
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Ls(Ls),
    Show(Show),
    Rm(Rm),
    Clear(Clear),
    Prune(Prune),
    Stats(Stats),
    Verify(Verify),
    /// Print the path of the cache directory, whether or not it is there
    Path,
    Completions(Completions),
    Man(Man),
}

/// List the URLs in the cache
///
/// One a line; on a terminal in the order of their text, in a pipe as they are found. Only the heads of the entries
/// are read.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  larder ls                             every URL
  larder ls 'https://example.org/*'     the URLs of a site
  larder ls --long | sort -n -k3        by size, with times
  larder ls --json | jq -r 'select(.expired) | .url'

In GLOB, `*` stands for any text, `/` included, and `?` for one character; it is the whole URL that has to match.")]
pub(crate) struct Ls {
    /// Also method, status, size, and when it was stored and expires
    #[arg(short, long, conflicts_with = "json")]
    pub(crate) long: bool,
    /// Everything that is known of an entry but its header fields, one JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
    /// Only the URLs that match
    #[arg(value_name = "GLOB", value_parser = glob)]
    pub(crate) glob: Option<WildMatch>,
}

/// Show the head of an entry, and where its file is
///
/// An entry is named by the URL that was requested, even if that redirected, or by its key. For a URL the entry is
/// shown that answers a plain GET; if there is none, all other entries of the URL.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  larder show https://example.org/
  larder show --json https://example.org/ | jq -r .path")]
pub(crate) struct Show {
    /// One JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
    /// What to show
    #[arg(value_name = "URL|KEY")]
    pub(crate) target: Target,
}

/// Delete entries
///
/// For a URL every entry of it goes: of each method, and of each user. The redirects that lead to an entry go with it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  larder rm https://example.org/
  larder rm --glob 'https://example.org/*' --glob '*.test/*'

With --glob it is no failure if nothing matches.")]
#[command(group(ArgGroup::new("entries").args(["targets", "glob"]).required(true).multiple(true)))]
pub(crate) struct Rm {
    /// Every entry whose URL matches; may be given several times
    #[arg(long, value_name = "GLOB", value_parser = glob)]
    pub(crate) glob: Vec<WildMatch>,
    /// What to delete
    #[arg(value_name = "URL|KEY")]
    pub(crate) targets: Vec<Target>,
}

/// Delete everything
///
/// Asks first on a terminal; elsewhere --yes must be given.
#[derive(Debug, Args)]
pub(crate) struct Clear {
    /// Do not ask
    #[arg(short, long)]
    pub(crate) yes: bool,
}

/// Delete what has expired
///
/// Also goes what leads to nothing: redirects that have ended, or whose entry is gone.
#[derive(Debug, Args)]
pub(crate) struct Prune {
    /// Also the entries that have expired, but are kept for a while to be validated
    #[arg(long)]
    pub(crate) all: bool,
}

/// Count entries, bytes and redirects, by host
#[derive(Debug, Args)]
pub(crate) struct Stats {
    /// One JSON object, with every host
    #[arg(long)]
    pub(crate) json: bool,
}

/// Read and check every entry, and remove the bad ones
///
/// Every byte is checked against its checksum. An entry that this release cannot read is named and kept.
#[derive(Debug, Args)]
#[command(after_help = "Ends with code 4 if there were bad entries, with 1 if some could not be checked.")]
pub(crate) struct Verify {
    /// Keep the bad entries, and only name them
    #[arg(long)]
    pub(crate) keep: bool,
}

/// Print the completions for a shell
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  larder completions bash > ~/.local/share/bash-completion/completions/larder
  larder completions zsh > ~/.zfunc/_larder
  larder completions fish > ~/.config/fish/completions/larder.fish")]
pub(crate) struct Completions {
    /// Which shell
    pub(crate) shell: Shell,
}

/// Print the manual page, of the program or of one command
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  larder man | man -l -
  larder man verify > larder-verify.1")]
pub(crate) struct Man {
    /// Of which command
    #[arg(value_name = "COMMAND")]
    pub(crate) of: Option<String>,
}

#[expect(clippy::unnecessary_wraps, reason = "the type of a parser")]
fn glob(text: &str) -> Result<WildMatch, std::convert::Infallible> {
    Ok(WildMatch::new(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_does_not_contradict_itself() {
        Arguments::command().debug_assert();
    }
}

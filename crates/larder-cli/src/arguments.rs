//! The command line: every command, its options, and the help that explains them.
//!
//! Arguments are parsed into types here, once; what cannot be parsed ends the program with the code for wrong usage.

mod proxy;

use std::ffi::OsString;
use std::path::PathBuf;

use bytesize::ByteSize;
use clap::{ArgGroup, Args, Parser, Subcommand};
use clap_complete::Shell;
use http::{HeaderName, HeaderValue, Method};
use larder::policy::Expiry;
use url::Url;
use wildmatch::WildMatch;

pub(crate) use proxy::{Explain, Proxy};

use crate::select::Target;

/// What the exit codes mean, at the end of the help.
const AFTER_HELP: &str = "\
Exit codes:
  0    done; also when the reader of the output, such as `head`, has seen enough
  1    failed
  2    wrong usage
  3    not in the cache, or there is no cache in the directory
  4    `verify` found bad entries
  22   `get --fail` was answered with a status of 400 or above
  130  interrupted

Environment:
  LARDER_DIR  the cache directory, unless --dir names one
  NO_COLOR    set to anything: no colours, as is also the rule wherever output is not a terminal";

const EXAMPLES: &str = "\
Examples:
  larder get https://example.org/       request a page, and the next time take it from the cache
  larder proxy --listen 127.0.0.1:8080 --origin https://example.org/
                                        the same for programs in any language
  larder explain https://example.org/   what the cache would do, and why
  larder stats                          what is there
  larder ls '*example.org*'             the URLs of a site
  larder show https://example.org/      what is known about one
  larder rm --glob 'https://old.test/*' forget a site
  larder prune                          delete what has expired, or what is too much
  larder verify                         read everything, and remove what is damaged

`larder help COMMAND` says more about each, with examples.";

/// Requests URLs through a cache on the disk, and looks after that.
///
/// A cache directory holds one file for each stored response, and the redirects that led to them in SQLite. `get`,
/// `proxy`, and programs that use the library of the same name fill it; any number of them may use one at a time.
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
    Get(Get),
    Proxy(Proxy),
    Explain(Explain),
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

/// Request a URL through the cache
///
/// The body goes to standard output, or to a file, which is there whole or not at all. Where the response came from is
/// said on standard error. Redirects are followed; requests of methods that may change something are never answered
/// from the cache.
///
/// A response is fresh as long as --expire-after says, whatever its header fields do. Without that it is as long as
/// its Cache-Control or Expires says, else for an hour; what says no-store is not stored.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  larder get https://example.org/             from the origin, and then from the cache
  larder get --refresh https://example.org/   ask the origin whether it has changed
  larder get --offline https://example.org/   what is stored, or code 3 if nothing is
  larder get -o page.html --expire-after 7d https://example.org/
  larder get -f -H 'Accept: application/json' https://example.org/api | jq .")]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own on the command line")]
pub(crate) struct Get {
    /// Also the status line and the header fields, before the body
    #[arg(short, long)]
    pub(crate) include: bool,
    /// Write to FILE when all is there; `-` is standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Send a header field; may be given several times
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE", value_parser = header)]
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    /// The method; GET by default, or POST with --data
    #[arg(short = 'X', long = "request", value_name = "METHOD")]
    pub(crate) method: Option<Method>,
    /// Send DATA as the content, a form unless a header field says otherwise; `@FILE` is what is in FILE
    #[arg(short, long, value_name = "DATA", allow_hyphen_values = true)]
    pub(crate) data: Option<OsString>,
    /// When the response expires: `never`, `0` for at once, or after a time such as 90s, 1h30m, 7d
    #[arg(long, value_name = "TIME", value_parser = expiry)]
    pub(crate) expire_after: Option<Expiry>,
    /// Ask the origin even if what is stored is fresh
    #[arg(long)]
    pub(crate) refresh: bool,
    /// Do not ask the origin, whatever is stored
    #[arg(long, conflicts_with = "refresh")]
    pub(crate) offline: bool,
    /// Write no body and end with code 22 if the status is 400 or above
    #[arg(short, long)]
    pub(crate) fail: bool,
    /// Do not say where the response came from
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// What to request
    #[arg(value_parser = url)]
    pub(crate) url: Url,
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

/// Delete what has expired, or is too much
///
/// With a limit, the entries that were not used for the longest time are deleted until it holds; what has expired is then
/// deleted only with --expired or --all, and before them. Also goes what leads to nothing: redirects that have ended, or
/// whose entry is gone.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  larder prune                          what has expired
  larder prune --max-total-bytes 64MiB  what was used last, up to 64 MiB, is kept
  larder prune --expired --max-entries 10000

SIZE is a number of bytes, or one with a unit: 500k, 64MiB, 1.5GB. Those with an i count in 1024, the others in 1000.")]
pub(crate) struct Prune {
    /// Also the entries that have expired, but are kept for a while to be validated
    #[arg(long)]
    pub(crate) all: bool,
    /// What has expired, beside what a limit leaves no room for
    #[arg(long)]
    pub(crate) expired: bool,
    /// Delete until the files of all entries have so many bytes at most
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub(crate) max_total_bytes: Option<ByteSize>,
    /// Delete until there are so many entries at most
    #[arg(long, value_name = "N")]
    pub(crate) max_entries: Option<u64>,
}

/// Count entries, bytes and redirects, by host
///
/// Only the heads of the entries are read. FILES is what the entries take on the disk, and BYTES the lengths of their
/// bodies, before any compression. Damaged entries that are met are removed and counted.
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

fn header(text: &str) -> Result<(HeaderName, HeaderValue), String> {
    let (name, value) = text.split_once(':').ok_or("it has no colon")?;
    let name = name.trim().parse().map_err(|error| format!("{name:?}: {error}"))?;
    let value = value.trim().parse().map_err(|error| format!("its value: {error}"))?;
    Ok((name, value))
}

fn expiry(text: &str) -> Result<Expiry, humantime::DurationError> {
    match text {
        "never" => Ok(Expiry::Never),
        "0" => Ok(Expiry::Immediately),
        text => humantime::parse_duration(text).map(Expiry::After),
    }
}

fn size(text: &str) -> Result<ByteSize, String> {
    // What the library says of it is about its own types.
    text.parse().map_err(|_: String| "it is no size; one is 64MiB, 1GB or 500k".to_owned())
}

fn url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("{error}; one is https://example.org/"))?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        scheme => Err(format!("{scheme} is neither http nor https")),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the type of a parser")]
fn glob(text: &str) -> Result<WildMatch, std::convert::Infallible> {
    Ok(WildMatch::new(text))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use clap::CommandFactory;

    #[test]
    fn times_are_taken_as_people_write_them() {
        let after = |seconds| Ok(Expiry::After(Duration::from_secs(seconds)));
        for (text, expected) in [
            ("never", Ok(Expiry::Never)),
            ("0", Ok(Expiry::Immediately)),
            ("90s", after(90)),
            ("1h30m", after(5400)),
            ("7d", after(7 * 86400)),
            ("90", Err(())),
            ("-1s", Err(())),
            ("soon", Err(())),
            ("", Err(())),
        ] {
            assert_eq!(expiry(text).map_err(drop), expected, "{text:?}");
        }
    }

    #[test]
    fn sizes_are_taken_as_people_write_them() {
        for (text, expected) in [
            ("0", Some(0)),
            ("4096", Some(4096)),
            ("500k", Some(500_000)),
            ("500kB", Some(500_000)),
            ("64MiB", Some(64 << 20)),
            ("64 mib", Some(64 << 20)),
            ("1GB", Some(1_000_000_000)),
            ("1.5GiB", Some(3 << 29)),
            ("2Ti", Some(2 << 40)),
            ("-1", None),
            ("1 fathom", None),
            ("MiB", None),
            ("", None),
        ] {
            assert_eq!(size(text).ok().map(|size| size.as_u64()), expected, "{text:?}");
        }
    }

    #[test]
    fn a_header_field_is_a_name_and_a_value() {
        let field = |name, value| Ok((HeaderName::from_static(name), HeaderValue::from_static(value)));
        for (text, expected) in [
            ("Accept: text/html", field("accept", "text/html")),
            ("x-empty:", field("x-empty", "")),
            ("x-url:http://a:1/", field("x-url", "http://a:1/")),
            ("no colon", Err(())),
            ("bad name: x", Err(())),
            ("x: a\nb: c", Err(())),
        ] {
            assert_eq!(header(text).map_err(drop), expected, "{text:?}");
        }
    }

    #[test]
    fn the_command_line_does_not_contradict_itself() {
        Arguments::command().debug_assert();
    }
}

//! `larder clear`: deletes everything, after it was asked for twice.

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};

use crate::arguments::Clear;
use crate::cache::Cache;
use crate::output::{Output, escaped, remark};
use crate::show_as::counted;
use crate::status::{Failure, Result, Status};

pub(crate) async fn run(dir: Option<PathBuf>, arguments: Clear, output: &mut Output) -> Result {
    let is_asked = io::stdin().is_terminal() && io::stderr().is_terminal();
    if !arguments.yes && !is_asked {
        return Err(Failure::usage(
            "clear deletes everything: say --yes where there is no terminal to ask on",
        ));
    }
    let cache = Cache::open_existing(dir).await?;
    let count = cache.backend.size().await?;
    if !arguments.yes && !confirm(count, cache.files.directory(), &mut io::stdin().lock(), &mut io::stderr())?
    {
        remark("nothing was deleted");
        cache.close().await?;
        return Ok(Status::Failed);
    }
    cache.backend.clear().await?;
    output.line(format!("{} deleted", counted(count, "entry", "entries")))?;
    cache.close().await?;
    Ok(Status::Done)
}

/// Asks, and returns whether the answer begins as "yes" does.
fn confirm(count: u64, directory: &Path, input: &mut impl BufRead, prompt: &mut impl Write) -> Result<bool> {
    let failed = |error| Failure::new("cannot ask").because(error);
    let entries = counted(count, "entry", "entries");
    let directory = directory.display().to_string();
    write!(prompt, "Delete {entries} in {}? [y/N] ", escaped(&directory)).map_err(failed)?;
    prompt.flush().map_err(failed)?;
    let mut answer = String::new();
    input.read_line(&mut answer).map_err(failed)?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_yes_is_a_yes() {
        for (answer, expected) in
            [("y\n", true), ("Yes\n", true), ("\n", false), ("", false), ("no\n", false), ("yep\n", false)]
        {
            let mut prompt = Vec::new();
            let confirmed = confirm(2, Path::new("/var/c"), &mut answer.as_bytes(), &mut prompt);
            assert_eq!(confirmed.expect("it can be read"), expected, "{answer:?}");
            assert_eq!(String::from_utf8_lossy(&prompt), "Delete 2 entries in /var/c? [y/N] ");
        }
    }
}

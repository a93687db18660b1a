//! `larder stats`: how much there is, by host.

use std::collections::BTreeMap;
use std::path::PathBuf;

use futures_util::StreamExt;
use larder::ResponseStore;
use larder::file::Limits;
use serde::Serialize;

use crate::arguments::Stats;
use crate::cache::Cache;
use crate::output::{Output, complain};
use crate::progress;
use crate::show_as::{counted, now, size};
use crate::status::{Result, Status};

/// How many hosts are listed for a person.
const HOSTS: usize = 10;

/// What `--json` says.
#[derive(Debug, Default, Serialize)]
struct Counts {
    directory: String,
    entries: u64,
    /// The sum of the bodies' lengths.
    body_bytes: u64,
    /// The sum of the files' lengths.
    file_bytes: u64,
    expired: u64,
    /// How many damaged entries were met, and removed.
    damaged: u64,
    redirects: u64,
    hosts: Vec<OfHost>,
}

#[derive(Debug, Serialize)]
struct OfHost {
    host: String,
    entries: u64,
    body_bytes: u64,
}

pub(crate) async fn run(dir: Option<PathBuf>, arguments: Stats, output: &mut Output) -> Result {
    let cache = Cache::open_existing(dir).await?;
    let now = now();
    // Without limits it evicts nothing, and counts without opening a file.
    let files = cache.files.prune(Limits::default(), |_| {}).await?;
    let mut status = Status::Done;
    let mut counts = Counts {
        directory: cache.files.directory().display().to_string(),
        file_bytes: files.bytes,
        ..Counts::default()
    };
    let bar = progress::of_entries(files.entries);
    let mut hosts: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    let mut heads = cache.backend.responses().heads();
    while let Some(item) = heads.next().await {
        bar.inc(1);
        let stored = match item {
            Ok((_, stored)) => stored,
            Err(error) => {
                bar.suspend(|| complain(&error));
                status = Status::Failed;
                continue;
            }
        };
        counts.entries += 1;
        counts.body_bytes = counts.body_bytes.saturating_add(stored.body_len);
        counts.expired += u64::from(stored.head.is_expired(now));
        let host = stored.head.url.host().unwrap_or_default().to_ascii_lowercase();
        let (entries, body_bytes) = hosts.entry(host).or_default();
        *entries += 1;
        *body_bytes = body_bytes.saturating_add(stored.body_len);
    }
    bar.finish_and_clear();
    counts.damaged = cache.files.stats().damaged;
    let host = |(host, (entries, body_bytes))| OfHost { host, entries, body_bytes };
    counts.hosts = hosts.into_iter().map(host).collect();
    counts.hosts.sort_by_key(|host| std::cmp::Reverse(host.body_bytes));
    counts.redirects = cache.backend.redirects().size().await?;
    let shown = if arguments.json { output.json(&counts) } else { print(&counts, output) };
    shown?;
    cache.close().await?;
    Ok(status)
}

fn print(counts: &Counts, output: &mut Output) -> Result<()> {
    let for_person = output.is_terminal();
    output.line(format!("Directory  {}", counts.directory))?;
    output.line(format!("Entries    {}", counts.entries))?;
    output.line(format!("Bytes      {}", size(counts.body_bytes, for_person)))?;
    output.line(format!("Files      {}", size(counts.file_bytes, for_person)))?;
    output.line(format!("Expired    {}{}", counts.expired, share(counts.expired, counts.entries)))?;
    if counts.damaged > 0 {
        output.line(format!("Damaged    {}, and removed", counts.damaged))?;
    }
    output.line(format!("Redirects  {}", counts.redirects))?;
    if counts.hosts.is_empty() {
        return Ok(());
    }
    output.line("")?;
    output.line(format!("{:>8} {:>14}  {}", "ENTRIES", "BYTES", "HOST"))?;
    for host in counts.hosts.iter().take(HOSTS) {
        let bytes = size(host.body_bytes, for_person);
        output.line(format!("{:>8} {bytes:>14}  {}", host.entries, host.host))?;
    }
    if let Some(more @ 1..) = counts.hosts.len().checked_sub(HOSTS) {
        output.line(format!("and {}; --json lists all", counted(more as u64, "host more", "hosts more")))?;
    }
    Ok(())
}

/// Returns how many of a hundred that is, in brackets, unless there is nothing to be a part of.
fn share(part: u64, whole: u64) -> String {
    let percent = u128::from(part) * 100 / u128::from(whole.max(1));
    if whole == 0 { String::new() } else { format!(" ({percent} %)") }
}

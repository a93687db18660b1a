//! `larder ls`: the URLs of the entries.
//!
//! In a pipe each is written as it is found, so that memory stays bounded, and a reader of few need not wait.

use std::path::PathBuf;

use futures_util::StreamExt;

use crate::arguments::Ls;
use crate::cache::Cache;
use crate::output::{Output, complain};
use crate::record::Record;
use crate::show_as::{now, size};
use crate::status::{Result, Status};

pub(crate) async fn run(dir: Option<PathBuf>, arguments: Ls, output: &mut Output) -> Result {
    let cache = Cache::open_existing(dir).await?;
    let now = now();
    let mut status = Status::Done;
    let mut to_sort = output.is_terminal().then(Vec::new);
    let mut heads = cache.backend.responses().heads();
    while let Some(item) = heads.next().await {
        let (key, stored) = match item {
            Ok(entry) => entry,
            Err(error) => {
                complain(&error);
                status = Status::Failed;
                continue;
            }
        };
        let record = Record::new(&key, &stored, now);
        if arguments.glob.as_ref().is_some_and(|glob| !glob.matches(&record.url)) {
            continue;
        }
        match &mut to_sort {
            Some(records) => records.push(record),
            None => print(&record, &arguments, output)?,
        }
    }
    if let Some(mut records) = to_sort {
        records.sort_unstable_by(|a, b| (&a.url, &a.key).cmp(&(&b.url, &b.key)));
        if arguments.long {
            output.line(long("METHOD", "STATUS", "SIZE", "STORED", "EXPIRES", "URL"))?;
        }
        for record in &records {
            print(record, &arguments, output)?;
        }
    }
    cache.close().await?;
    Ok(status)
}

fn print(record: &Record, arguments: &Ls, output: &mut Output) -> Result<()> {
    if arguments.json {
        return output.json(record);
    }
    if !arguments.long {
        return output.line(&record.url);
    }
    output.line(long(
        &record.method,
        &record.status.to_string(),
        &size(record.body_bytes, output.is_terminal()),
        &record.created_at,
        record.expires_at.as_deref().unwrap_or("never"),
        &record.url,
    ))
}

fn long(method: &str, status: &str, size: &str, stored: &str, expires: &str, url: &str) -> String {
    format!("{method:<6} {status:<6} {size:>12}  {stored:<20}  {expires:<20}  {url}")
}

//! `larder verify`: reads every byte of every entry, and removes the entries that are bad.
//!
//! Bodies are read in bounded memory, however long they are, and a few entries at a time.

use std::path::PathBuf;
use std::slice;

use futures_util::{StreamExt, future};
use larder::{CacheKey, Error, ErrorKind, Result as CacheResult};

use crate::arguments::Verify;
use crate::cache::Cache;
use crate::output::{Output, complain};
use crate::progress;
use crate::show_as::counted;
use crate::status::{Failure, Result, Status};

/// How many entries are read at a time.
const AT_A_TIME: usize = 4;

pub(crate) async fn run(dir: Option<PathBuf>, arguments: Verify, output: &mut Output) -> Result {
    let cache = Cache::open_existing(dir).await?;
    let bar = progress::of_entries(cache.backend.size().await?);
    let (mut whole, mut bad, mut unknown) = (0_u64, 0_u64, 0_u64);

    let checks = cache.backend.keys().map(|key| check(&cache, key)).buffer_unordered(AT_A_TIME);
    let mut checks = checks.filter_map(future::ready).fuse();
    while let Some((key, checked)) = checks.next().await {
        bar.inc(1);
        match (key, checked) {
            (_, Ok(())) => whole += 1,
            (Some(key), Err(error)) if error.kind() == ErrorKind::Corrupt => {
                bad += 1;
                if !arguments.keep {
                    cache.backend.bulk_delete(slice::from_ref(&key)).await?;
                }
                let path = cache.files.path_of(&key);
                let done = if arguments.keep { "kept" } else { "removed" };
                bar.suspend(|| {
                    output.line(format!("bad, {done}: {}: {error}", path.display()))?;
                    output.flush()
                })?;
            }
            (_, Err(error)) => {
                unknown += 1;
                bar.suspend(|| complain(&error));
            }
        }
    }
    drop(checks);
    bar.finish_and_clear();

    let verdict = match (bad, arguments.keep) {
        (0, _) => "none of them bad".to_owned(),
        (bad, true) => format!("{bad} of them bad, and kept"),
        (bad, false) => format!("{bad} of them bad, and removed"),
    };
    output.line(format!("{} checked, {verdict}", counted(whole + bad, "entry", "entries")))?;
    cache.close().await?;
    if bad > 0 {
        return Ok(Status::BadEntries);
    }
    if unknown > 0 {
        return Err(Failure::new(format!("{} could not be checked", counted(unknown, "entry", "entries"))));
    }
    Ok(Status::Done)
}

/// Reads one entry; `None` if it went away meanwhile.
async fn check(cache: &Cache, key: CacheResult<CacheKey>) -> Option<(Option<CacheKey>, Result<(), Error>)> {
    let key = match key {
        Ok(key) => key,
        Err(error) => return Some((None, Err(error))),
    };
    match cache.files.verify(&key).await {
        Ok(false) => None,
        Ok(true) => Some((Some(key), Ok(()))),
        Err(error) => Some((Some(key), Err(error))),
    }
}

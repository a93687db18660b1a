//! `larder rm`: deletes the entries that are named.
//!
//! One walk over all heads finds the entries of every URL and glob, since a URL may have entries under many keys.

use std::collections::BTreeSet;
use std::path::PathBuf;

use futures_util::StreamExt;
use larder::CacheKey;

use crate::arguments::Rm;
use crate::cache::Cache;
use crate::output::{Output, complain};
use crate::select::Target;
use crate::show_as::counted;
use crate::status::{Failure, Result, Status};

/// How many entries are deleted at a time.
const BATCH: usize = 512;

pub(crate) async fn run(dir: Option<PathBuf>, arguments: Rm, output: &mut Output) -> Result {
    let cache = Cache::open_existing(dir).await?;
    let Rm { glob: globs, targets } = arguments;
    let mut unmatched: BTreeSet<usize> = (0..targets.len()).collect();
    let mut deleted = 0;

    let is_walk_needed =
        !globs.is_empty() || targets.iter().any(|target| matches!(target, Target::Url { .. }));
    if is_walk_needed {
        let mut batch: Vec<CacheKey> = Vec::new();
        let mut heads = cache.backend.responses().heads();
        while let Some(item) = heads.next().await {
            let (key, stored) = item?;
            let is_named = targets.iter().any(|target| target.is_url(&stored.head.url));
            let url = stored.head.url.to_string();
            if is_named || globs.iter().any(|glob| glob.matches(&url)) {
                unmatched.retain(|i| !targets[*i].is_url(&stored.head.url));
                batch.push(key);
            }
            if batch.len() == BATCH {
                deleted += cache.backend.bulk_delete(&batch).await?;
                batch.clear();
            }
        }
        deleted += cache.backend.bulk_delete(&batch).await?;
    }
    // Keys, and URLs that redirect: those are aliases, and the entry has the URL that they lead to.
    for (i, target) in targets.iter().enumerate() {
        if cache.backend.delete(target.key()).await? {
            unmatched.remove(&i);
            deleted += 1;
        }
    }

    output.line(format!("{} deleted", counted(deleted, "entry", "entries")))?;
    cache.close().await?;
    for i in &unmatched {
        complain(&*Failure::not_in_cache(format!("{} is not in the cache", targets[*i])).error);
    }
    Ok(if unmatched.is_empty() { Status::Done } else { Status::NotInCache })
}

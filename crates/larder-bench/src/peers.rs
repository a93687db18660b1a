//! The stores of other authors, each through its public interface and as its documentation means it to be used.
//!
//! Every configuration is the fastest that its authors offer for what its [`Terms`] say; a comment beside it names
//! what was chosen.

mod cacache;
mod foyer;
mod http_cache;
mod http_cache_stream;
mod object_store;
mod python;
mod redb;
mod sqlite;
mod tokio_fs;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use larder_core::BoxError;

use crate::contender::Contender;

pub(crate) use http_cache::{CACACHE, MOKA, REDB, moka_cache, redb_path};
pub use python::{Python, PythonOperation};

/// How many entries those that keep something of each entry in memory have room for.
const ENTRIES: u64 = 2_000_000;

/// Where the work of a store that blocks is done.
#[derive(Debug, Clone, Copy)]
enum Place {
    /// On the thread of the task, whose other tasks wait meanwhile.
    Inline,
    /// On a thread for blocking work.
    Hop,
}

impl Place {
    async fn run<T, W>(self, work: W) -> Result<T, BoxError>
    where
        T: Send + 'static,
        W: FnOnce() -> Result<T, BoxError> + Send + 'static,
    {
        match self {
            Self::Inline => work(),
            Self::Hop => tokio::task::spawn_blocking(work).await?,
        }
    }
}

/// Opens every peer, empty, each in a directory of its own under `directory`.
///
/// # Errors
///
/// When one of them cannot be opened.
pub async fn peers(directory: &Path) -> Result<Vec<Arc<dyn Contender>>, BoxError> {
    let own = |name: &str| -> Result<PathBuf, BoxError> {
        let own = directory.join(name);
        std::fs::create_dir_all(&own)?;
        Ok(own)
    };
    Ok(vec![
        Arc::new(cacache::Cacache::xxh3(&own("cacache-xxh3")?)),
        Arc::new(cacache::Cacache::sha256(&own("cacache-sha256")?)),
        Arc::new(http_cache::cacache(&own("http-cache-cacache")?)?),
        Arc::new(http_cache::redb(&own("http-cache-redb")?)?),
        Arc::new(http_cache::moka()?),
        Arc::new(http_cache::Streaming::open(&own("http-cache-streaming")?).await?),
        Arc::new(http_cache_stream::Stream::new(&own("http-cache-stream")?)?),
        Arc::new(foyer::Foyer::in_memory(&own("foyer-memory")?).await?),
        Arc::new(foyer::Foyer::on_disk(&own("foyer-disk")?).await?),
        Arc::new(object_store::Local::open(&own("object-store")?)?),
        Arc::new(sqlite::Sqlite::open(&own("sqlite-hop")?, Place::Hop)?),
        Arc::new(sqlite::Sqlite::open(&own("sqlite-inline")?, Place::Inline)?),
        Arc::new(redb::Redb::open(&own("redb-hop")?, Place::Hop)?),
        Arc::new(redb::Redb::open(&own("redb-inline")?, Place::Inline)?),
        Arc::new(tokio_fs::TokioFs::new(&own("tokio-fs")?)),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{body, key};

    /// Runs `check` on every peer, whose name it adds to a failure.
    async fn each(check: impl AsyncFn(&dyn Contender) -> Result<(), BoxError>) {
        let directory = tempfile::tempdir().expect("a directory");
        for peer in peers(directory.path()).await.expect("peers open") {
            check(peer.as_ref()).await.unwrap_or_else(|error| panic!("{}: {error}", peer.name()));
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_was_written_is_read() {
        each(async |peer| {
            for bytes in [0, 1, 10 << 10, 3 << 20] {
                for number in 0..2 {
                    peer.write(&key(number), body(number, bytes)).await?;
                }
                peer.settle().await?;
                for number in 0..2 {
                    let name = peer.name();
                    assert_eq!(peer.read(&key(number)).await?, Some(body(number, bytes)), "{name}, {bytes}");
                    assert!(peer.contains(&key(number)).await?, "{name}");
                }
            }
            Ok(())
        })
        .await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_was_replaced_is_read_as_it_is_now() {
        each(async |peer| {
            for number in 0..100 {
                peer.write(&key(0), body(number, 2 << 10)).await?;
            }
            peer.settle().await?;
            assert_eq!(peer.read(&key(0)).await?, Some(body(99, 2 << 10)), "{}", peer.name());
            Ok(())
        })
        .await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_not_there_is_a_miss() {
        each(async |peer| {
            peer.write(&key(1), body(1, 1 << 10)).await?;
            peer.settle().await?;
            assert_eq!(peer.read(&key(2)).await?, None, "{}", peer.name());
            assert!(!peer.contains(&key(2)).await?, "{}", peer.name());
            Ok(())
        })
        .await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_was_deleted_is_gone_and_may_come_back() {
        each(async |peer| {
            let name = peer.name();
            peer.write(&key(1), body(1, 1 << 10)).await?;
            peer.write(&key(2), body(2, 1 << 10)).await?;
            peer.settle().await?;
            assert!(peer.delete(&key(1)).await?, "{name}");
            peer.settle().await?;
            assert_eq!(peer.read(&key(1)).await?, None, "{name}");
            assert!(!peer.contains(&key(1)).await?, "{name}");
            assert_eq!(peer.read(&key(2)).await?, Some(body(2, 1 << 10)), "{name}");
            peer.write(&key(1), body(3, 1 << 10)).await?;
            peer.settle().await?;
            assert_eq!(peer.read(&key(1)).await?, Some(body(3, 1 << 10)), "{name}");
            Ok(())
        })
        .await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn entries_with_equal_bytes_are_deleted_one_by_one() {
        each(async |peer| {
            for number in 0..3 {
                peer.write(&key(number), body(0, 1 << 10)).await?;
            }
            for number in 0..3 {
                peer.settle().await?;
                peer.delete(&key(number)).await?;
                peer.settle().await?;
                assert!(!peer.contains(&key(number)).await?, "{}, {number}", peer.name());
            }
            Ok(())
        })
        .await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_not_there_may_be_deleted() {
        each(async |peer| {
            peer.delete(&key(1)).await?;
            peer.settle().await?;
            assert_eq!(peer.read(&key(1)).await?, None, "{}", peer.name());
            Ok(())
        })
        .await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn many_tasks_may_use_it() {
        let directory = tempfile::tempdir().expect("a directory");
        for peer in peers(directory.path()).await.expect("peers open") {
            let mut tasks = tokio::task::JoinSet::new();
            for number in 0..64 {
                let peer = Arc::clone(&peer);
                tasks.spawn(async move {
                    peer.write(&key(number), body(number, 10 << 10)).await?;
                    peer.settle().await?;
                    let read = peer.read(&key(number)).await?;
                    assert_eq!(read, Some(body(number, 10 << 10)), "{}", peer.name());
                    Ok::<_, BoxError>(())
                });
            }
            for outcome in tasks.join_all().await {
                outcome.unwrap_or_else(|error| panic!("{}: {error}", peer.name()));
            }
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn no_two_have_the_same_name() {
        let directory = tempfile::tempdir().expect("a directory");
        let peers = peers(directory.path()).await.expect("peers open");
        let names: std::collections::HashSet<_> = peers.iter().map(|peer| peer.name()).collect();
        assert_eq!(names.len(), peers.len());
    }
}

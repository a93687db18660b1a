//! The readers: tasks that read entries at random, and note how long each read takes.
//!
//! They read every other entry alone: if all are read within a second, none is there that eviction would choose.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use larder::file::FileStore;
use larder_core::ResponseStore;

use super::super::latency::Latencies;
use super::super::random::Random;
use super::{LEN, key};
use crate::Outcome;

/// How many read at the same time.
const TASKS: u64 = 2;

/// What they read.
pub(super) struct Readers {
    pub(super) store: FileStore,
    pub(super) entries: u64,
}

impl Readers {
    /// Reads so many entries.
    pub(super) async fn read(&self, reads: u64) -> Outcome<Latencies> {
        self.start(reads / TASKS, &Arc::default()).await
    }

    /// Reads as long as `work` lasts, and returns what that gives.
    pub(super) async fn beside<T>(&self, work: impl Future<Output = T>) -> Outcome<(T, Latencies)> {
        let is_over = Arc::default();
        let work = async {
            let done = work.await;
            AtomicBool::store(&is_over, true, Ordering::Relaxed);
            done
        };
        let (done, latencies) = tokio::join!(work, self.start(u64::MAX, &is_over));
        Ok((done, latencies?))
    }

    async fn start(&self, reads: u64, is_over: &Arc<AtomicBool>) -> Outcome<Latencies> {
        let mut tasks = tokio::task::JoinSet::new();
        for task in 0..TASKS {
            let (store, entries, is_over) = (self.store.clone(), self.entries, Arc::clone(is_over));
            let mut random = Random::new(task);
            tasks.spawn(async move {
                let mut latencies = Latencies::new();
                let mut number = 0;
                while number < reads && !is_over.load(Ordering::Relaxed) {
                    number += 1;
                    let key = key(random.below(entries) & !1);
                    let start = Instant::now();
                    let found = store.read(&key).await?;
                    latencies.add(start.elapsed());
                    if found.is_some_and(|response| response.body.exact_len() != Some(LEN as u64)) {
                        return Err(format!("{key} has another length than was written").into());
                    }
                    // A read that is done at once does not let other tasks have their turn.
                    tokio::task::yield_now().await;
                }
                Outcome::Ok(latencies)
            });
        }
        let mut sum = Latencies::new();
        while let Some(latencies) = tasks.join_next().await {
            sum.merge(&latencies??);
        }
        Ok(sum)
    }
}

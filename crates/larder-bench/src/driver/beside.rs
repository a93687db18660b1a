//! Readers beside a piece of work that takes long: how long their reads take before it, during it and after it.
//!
//! They pause between reads, so that the processors are not busy by themselves.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use larder_core::BoxError;

use super::measure::{Measured, histogram, nanoseconds_since, quantile};
use super::stage::scattered;
use super::statistics::{float, whole};
use crate::{Contender, key};

/// The lane of the time before the work.
pub(crate) const BEFORE: &str = "before";
/// The lane of the time in which the work is done.
pub(crate) const DURING: &str = "during";
const PHASES: [&str; 3] = [BEFORE, DURING, "after"];
const DONE: usize = PHASES.len();

const READERS: usize = 8;
const PAUSE: Duration = Duration::from_millis(1);
/// How long there is only reading, before and after.
const QUIET: Duration = Duration::from_secs(2);

/// Of how many reads a quantile is one; a phase of fewer has none.
const FEWEST: u64 = 100;

/// What one or all readers saw of a phase.
struct Seen {
    taken: Histogram<u64>,
    misses: u64,
}

impl Seen {
    fn nothing() -> Self {
        Self { taken: histogram(), misses: 0 }
    }
}

/// Reads the first `entries` numbers while `work` is done; returns the lanes of each quantile.
///
/// The work may delete the share `deleted` of them. Such a read is a miss, whose time counts as that of a hit.
///
/// # Errors
///
/// When a read or the work fails, or when more is missing than may be.
pub(crate) async fn reads<T>(
    contender: &Arc<dyn Contender>,
    entries: usize,
    deleted: f64,
    work: impl Future<Output = Result<T, BoxError>>,
) -> Result<[(&'static str, Vec<Measured>); 2], BoxError> {
    let phase = Arc::new(AtomicUsize::new(0));
    let readers: Vec<_> = (0..READERS)
        .map(|reader| tokio::spawn(read(Arc::clone(contender), entries, reader << 20, Arc::clone(&phase))))
        .collect();
    tokio::time::sleep(QUIET).await;
    phase.store(1, Ordering::Relaxed);
    let done = work.await;
    phase.store(2, Ordering::Relaxed);
    tokio::time::sleep(QUIET).await;
    phase.store(DONE, Ordering::Relaxed);
    let mut all = PHASES.map(|_| Seen::nothing());
    for reader in readers {
        for (all, of_reader) in all.iter_mut().zip(reader.await??) {
            all.taken.add(of_reader.taken)?;
            all.misses += of_reader.misses;
        }
    }
    done?;
    let mut may_miss = 0.0;
    for (phase, Seen { taken, misses }) in PHASES.iter().zip(&all) {
        let reads = taken.len();
        if *misses > most_misses(reads, may_miss) {
            return Err(format!("{misses} of {reads} entries were missing {phase} the work").into());
        }
        may_miss = deleted;
    }
    Ok([("p50", 0.5), ("p99", 0.99)].map(|(name, at)| {
        let lanes = PHASES.iter().zip(&all).map(|(phase, Seen { taken, .. })| {
            let is_enough = taken.len() >= FEWEST;
            Measured::of(*phase, is_enough.then(|| quantile(taken, at)).into_iter().collect())
        });
        (name, lanes.collect())
    }))
}

/// Returns how many of so many reads may find nothing, where the share `deleted` is gone: by chance a few more.
fn most_misses(reads: u64, deleted: f64) -> u64 {
    if deleted == 0.0 {
        return 0;
    }
    let expected = float(usize::try_from(reads).unwrap_or(usize::MAX)) * deleted;
    whole(expected + 4.0 * expected.sqrt()) as u64 + READERS as u64
}

async fn read(
    contender: Arc<dyn Contender>,
    entries: usize,
    first: usize,
    phase: Arc<AtomicUsize>,
) -> Result<[Seen; DONE], BoxError> {
    let mut phases = PHASES.map(|_| Seen::nothing());
    for number in first.. {
        let key = key(scattered(number) % entries);
        let start = Instant::now();
        let is_there = contender.read(&key).await?.is_some();
        let taken = nanoseconds_since(start);
        let Some(seen) = phases.get_mut(phase.load(Ordering::Relaxed)) else { break };
        seen.taken.saturating_record(taken);
        seen.misses += u64::from(!is_there);
        tokio::time::sleep(PAUSE).await;
    }
    Ok(phases)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Limit, body};

    async fn filled() -> Arc<dyn Contender> {
        let limit: Arc<dyn Contender> = Arc::new(Limit::new().expect("a directory"));
        for number in 0..10 {
            limit.write(&key(number), body(number, 16)).await.expect("written");
        }
        limit
    }

    #[tokio::test(start_paused = true)]
    async fn what_nothing_deletes_must_be_there() {
        let limit = filled().await;
        let nothing = std::future::ready(Ok(()));
        let [(_, lanes), _] = reads(&limit, 10, 0.0, nothing).await.expect("every read is a hit");
        let measured: Vec<usize> = lanes.iter().map(|lane| lane.rounds.len()).collect();
        assert_eq!(measured, [1, 0, 1], "there is no quantile of a few reads");

        let delete = async { limit.delete(&key(0)).await };
        let error = reads(&limit, 10, 0.01, delete).await.expect_err("one in ten is gone");
        assert!(error.to_string().ends_with("missing after the work"), "{error}");
    }
}

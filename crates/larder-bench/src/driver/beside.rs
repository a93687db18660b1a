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

/// Reads the first `entries` numbers while `work` is done; returns the lanes of each quantile.
///
/// What the work deletes is a miss, whose time counts as that of a hit.
///
/// # Errors
///
/// When a read or the work fails.
pub(crate) async fn reads<T>(
    contender: &Arc<dyn Contender>,
    entries: usize,
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
    let mut all = PHASES.map(|_| histogram());
    for reader in readers {
        for (all, of_reader) in all.iter_mut().zip(reader.await??) {
            all.add(of_reader)?;
        }
    }
    done?;
    Ok([("p50", 0.5), ("p99", 0.99)].map(|(name, at)| {
        let lanes = PHASES.iter().zip(&all);
        (name, lanes.map(|(phase, all)| Measured::of(*phase, vec![quantile(all, at)])).collect())
    }))
}

async fn read(
    contender: Arc<dyn Contender>,
    entries: usize,
    first: usize,
    phase: Arc<AtomicUsize>,
) -> Result<[Histogram<u64>; DONE], BoxError> {
    let mut histograms = PHASES.map(|_| histogram());
    for number in first.. {
        let key = key(scattered(number) % entries);
        let start = Instant::now();
        contender.read(&key).await?;
        let taken = nanoseconds_since(start);
        match histograms.get_mut(phase.load(Ordering::Relaxed)) {
            Some(histogram) => histogram.saturating_record(taken),
            None => break,
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(histograms)
}

//! The rows of a cache within limits: what keeping to them costs while they are far, and when they are reached.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use larder_core::{BoxError, ResponseStore};
use larder_file::{FileStore, Limits};

use super::scale::{BYTES, Cache};
use crate::driver::beside;
use crate::driver::child::{self, Child};
use crate::driver::measure::{Lane, Measured, Plan, Turns};
use crate::driver::row::{Row, Unit};
use crate::driver::stage::{Stage, keys, reading};
use crate::driver::written::writing_new;
use crate::larder::{FILE_TERMS, Larder};
use crate::{Contender, body, key};

/// Where the numbers begin of entries that are written within limits.
const WITHIN: usize = 1 << 35;
const MOST_WRITTEN: usize = 4_096;
const TASKS: usize = 64;

/// Measures the rows, on the entries that are there.
///
/// # Errors
///
/// When a store cannot be opened, or an operation fails.
pub(super) fn run(stage: &mut Stage, cache: &Cache) -> Result<(), BoxError> {
    let far = limited(stage, cache, cache.entries * 4)?;
    let row = counting(stage, cache)?;
    stage.rows.push(row);
    operations(stage, cache, &far);
    eprintln!("resident memory, idle, within limits");
    let report = child::run(Child::IdleWithinLimits, &cache.path(), cache.entries as u64)?;
    let lanes = vec![Measured::of("larder", vec![report.bytes])];
    stage.rows.push(cache.row("resident memory, idle, within limits", lanes).unit(Unit::Bytes));
    evicting(stage, cache, &far)?;
    stage.runtime.block_on(far.close())?;
    full(stage, cache)
}

/// Opens a store with room for so many entries, and waits until it has counted what there is.
fn limited(stage: &Stage, cache: &Cache, entries: usize) -> Result<FileStore, BoxError> {
    stage.runtime.block_on(open(cache.path(), entries)).map(|(store, _)| store)
}

async fn open(path: PathBuf, entries: usize) -> Result<(FileStore, Duration), BoxError> {
    let start = Instant::now();
    let builder = FileStore::builder(path, larder_codec::default_codecs());
    let store = builder.max_entries(entries as u64).open().await?;
    let elapsed = start.elapsed();
    while store.stats().entries.is_none() {
        if start.elapsed() > Duration::from_mins(2) {
            return Err("the entries are not counted".into());
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    Ok((store, elapsed))
}

/// Measures opening a store with limits, as its caller sees it.
fn counting(stage: &Stage, cache: &Cache) -> Result<Row, BoxError> {
    let (path, entries) = (cache.path(), cache.entries * 4);
    let open = Lane::counted("larder", move |_| {
        let path = path.clone();
        async move {
            let (store, elapsed) = open(path, entries).await?;
            store.close().await?;
            Ok(elapsed)
        }
    });
    let lanes = stage.measure(&Plan::single(5), "open, within limits", &[open]);
    match lanes.iter().find_map(|lane| lane.failure.clone()) {
        Some(failure) => Err(failure.into()),
        None => Ok(cache.row("open, within limits", lanes)),
    }
}

fn operations(stage: &mut Stage, cache: &Cache, store: &FileStore) {
    let larder: Arc<dyn Contender> = Arc::new(Larder::new("larder", FILE_TERMS, Arc::new(store.clone())));
    let present = keys(cache.entries);
    let both = [&cache.limit, &larder];
    let what = "hit within limits, 1 KiB, 1 task";
    let lanes = both.map(|contender| reading(contender, 1, &present, BYTES));
    let lanes = stage.measure(&stage.plan(), what, &lanes);
    stage.rows.push(cache.row(what, lanes));

    let what = "write new within limits, 1 KiB, 64 tasks";
    let written: Arc<[_]> = (WITHIN..WITHIN + MOST_WRITTEN).map(key).collect();
    let lanes = both.map(|contender| writing_new(contender, TASKS, &written, BYTES));
    let lanes = stage.measure(&stage.plan().most_operations(MOST_WRITTEN), what, &lanes);
    stage.rows.push(cache.row(what, lanes));
}

/// Evicts one entry in a hundred, beside reads.
fn evicting(stage: &mut Stage, cache: &Cache, store: &FileStore) -> Result<(), BoxError> {
    eprintln!("reads beside prune");
    let larder: Arc<dyn Contender> = Arc::new(Larder::new("larder", FILE_TERMS, Arc::new(store.clone())));
    let (lanes, elapsed) = stage.runtime.block_on(async {
        let size = store.size().await?;
        let limits = Limits::default().max_entries(size - size / 100);
        let mut elapsed = Duration::ZERO;
        let prune = async {
            let start = Instant::now();
            let pruned = store.prune(limits, |_| {}).await?;
            elapsed = start.elapsed();
            if pruned.evicted == size / 100 { Ok(()) } else { Err(format!("{pruned:?} of {size}").into()) }
        };
        let lanes = beside::reads(&larder, cache.entries, 0.01, prune).await?;
        Ok::<_, BoxError>((lanes, elapsed))
    })?;
    let lane = Measured::of("larder", vec![elapsed.as_secs_f64() * 1e9]);
    stage.rows.push(cache.row("prune, 1 %, beside reads", vec![lane]));
    cache.beside(stage, "prune", lanes);
    Ok(())
}

/// Writes into a cache that is full, so that each new entry needs another to go.
fn full(stage: &mut Stage, cache: &Cache) -> Result<(), BoxError> {
    let size = stage.runtime.block_on(cache.backend.size())?;
    let store = limited(stage, cache, usize::try_from(size)?)?;
    let (shared, next) = (Arc::new(store.clone()), Arc::new(AtomicUsize::new(WITHIN * 2)));
    let worker = move |mut turns: Turns| {
        let first = next.fetch_add(turns.len(), Ordering::Relaxed);
        let keys: Vec<_> = (first..first + turns.len()).map(key).collect();
        let larder = Larder::new("larder", FILE_TERMS, Arc::clone(&shared) as Arc<dyn ResponseStore>);
        let bodies: Vec<_> = (first..first + turns.len()).map(|number| body(number, BYTES)).collect();
        async move {
            for (_, (key, body)) in (&mut turns).zip(keys.iter().zip(bodies)) {
                larder.write(key, body).await?;
            }
            Ok(turns)
        }
    };
    let what = "write new into a full cache, 1 KiB, 64 tasks";
    let lanes = [Lane::new("larder", TASKS, worker).terms(FILE_TERMS)];
    let lanes = stage.measure(&stage.plan().most_operations(MOST_WRITTEN), what, &lanes);
    stage.rows.push(cache.row(what, lanes));
    if store.stats().evicted == 0 {
        return Err("a full cache took new entries and evicted none".into());
    }
    Ok(stage.runtime.block_on(store.close())?)
}

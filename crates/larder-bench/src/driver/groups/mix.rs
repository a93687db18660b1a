//! Traffic: keys that are drawn by Zipf's law or evenly, read, written or both, with the time of each operation.

use std::sync::Arc;

use bytes::Bytes;
use larder_core::{BoxError, CacheKey};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rand_distr::Zipf;

use super::tasks_shown;
use crate::driver::measure::{Lane, Turns};
use crate::driver::row::Row;
use crate::driver::stage::{Stage, keys};
use crate::driver::written::Numbers;
use crate::{Contender, Limit, body, number_of};

const ENTRIES: usize = 100_000;
const BYTES: usize = 1 << 10;
const TASKS: usize = 64;
/// How many operations are drawn; a round begins with the first of them.
const DRAWN: usize = 1 << 18;
/// How many entries are looked at after a round.
const SAMPLE: usize = 8;
/// The exponent of Zipf's law, as requests of web pages have it.
const EXPONENT: f64 = 0.99;

/// What is done with an entry.
#[derive(Debug, Clone, Copy)]
enum Operation {
    Read(usize),
    Write(usize),
}

/// Measures the group.
///
/// # Errors
///
/// When the contenders cannot be opened.
pub(crate) fn run(stage: &mut Stage) -> Result<(), BoxError> {
    let entries = stage.entries(ENTRIES);
    let mut contenders = stage.contenders()?;
    // Readers must not meet half of a write.
    let limit: Arc<dyn Contender> = Arc::new(Limit::within(stage.directory())?.renaming());
    let replaced = contenders.all.iter_mut().find(|contender| contender.name() == limit.name());
    if let Some(replaced) = replaced {
        *replaced = limit;
    }
    eprintln!("mix: writing {entries} entries each");
    let (filled, failed) = stage.fill(&contenders.all, BYTES, entries);
    let keys = keys(entries);
    for (drawn_by, is_zipf) in [("Zipf", true), ("uniform", false)] {
        for (mixture, reads) in [("read-only", 100), ("95 % reads", 95), ("write-only", 0)] {
            let operations = drawn(entries, is_zipf, reads)?;
            let lanes = filled.iter().map(|contender| doing(contender, &keys, &operations));
            let plan = stage.plan().most_operations(DRAWN);
            let table = format!("{entries} entries of 1 KiB, {drawn_by}, {}", tasks_shown(TASKS));
            let mut lanes = stage.measure(&plan, &format!("{table}, {mixture}"), &lanes.collect::<Vec<_>>());
            lanes.extend(failed.iter().cloned());
            stage.rows.push(Row::new("mix", table, mixture, lanes));
        }
    }
    Ok(())
}

/// Returns the same operations for every contender.
fn drawn(entries: usize, is_zipf: bool, reads: u32) -> Result<Arc<[Operation]>, BoxError> {
    let mut random = StdRng::seed_from_u64(1);
    let zipf = Zipf::new(crate::driver::statistics::float(entries), EXPONENT)?;
    let operation = |_| {
        let number = if is_zipf {
            crate::driver::statistics::whole(random.sample(zipf)).clamp(1, entries) - 1
        } else {
            random.random_range(0..entries)
        };
        if random.random_ratio(reads, 100) { Operation::Read(number) } else { Operation::Write(number) }
    };
    Ok((0..DRAWN).map(operation).collect())
}

fn doing(contender: &Arc<dyn Contender>, keys: &Arc<[CacheKey]>, operations: &Arc<[Operation]>) -> Lane {
    let (shared, keys, operations) = (Arc::clone(contender), Arc::clone(keys), Arc::clone(operations));
    let (began, last, read) = (Numbers::new(), Arc::clone(contender), Arc::clone(&keys));
    let numbers = Arc::clone(&began);
    let worker = move |mut turns: Turns| {
        let (contender, keys) = (Arc::clone(&shared), Arc::clone(&keys));
        let operations = Arc::clone(&operations);
        // The number of a body says whose it is.
        let bodies: Vec<Bytes> = turns
            .numbers()
            .filter_map(|turn| match operations[turn] {
                Operation::Read(_) => None,
                Operation::Write(number) => Some(body(numbers.of(turn) * keys.len() + number, BYTES)),
            })
            .collect();
        let mut bodies = bodies.into_iter();
        async move {
            for turn in &mut turns {
                match operations[turn] {
                    Operation::Read(number) => {
                        let read = contender.read(&keys[number]).await?.ok_or("an entry was lost")?;
                        if read.len() != BYTES || owner(&read, keys.len()) != Some(number) {
                            return Err("another body was read".into());
                        }
                    }
                    Operation::Write(number) => {
                        let body = bodies.next().ok_or("a write without a body")?;
                        contender.write(&keys[number], body).await?;
                    }
                }
            }
            Ok(turns)
        }
    };
    Lane::recording(contender.name(), TASKS, worker)
        .terms(contender.terms())
        .prepare(move |_| {
            began.begin();
            std::future::ready(Ok(()))
        })
        .clean(move |_| {
            let (contender, keys) = (Arc::clone(&last), Arc::clone(&read));
            async move { check(&contender, &keys).await }
        })
}

/// Returns whose body this is.
fn owner(body: &[u8], entries: usize) -> Option<usize> {
    number_of(body).map(|number| number % entries)
}

/// Reads some entries, and compares every byte.
async fn check(contender: &Arc<dyn Contender>, keys: &[CacheKey]) -> Result<(), BoxError> {
    contender.settle().await?;
    for number in (0..keys.len()).step_by(keys.len().div_ceil(SAMPLE)) {
        let read = contender.read(&keys[number]).await?.ok_or("an entry was lost")?;
        let is_whole = number_of(&read).is_some_and(|written| read == body(written, BYTES));
        if !is_whole || owner(&read, keys.len()) != Some(number) {
            return Err("an entry has other bytes".into());
        }
    }
    Ok(())
}

//! What is written while it is measured: bodies of which no two are the same, and a look at what became of them.
//!
//! A body begins with its number, which only it has; that of an entry which was written last is known by it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use larder_core::{BoxError, CacheKey};

use super::measure::{Lane, Turns};
use super::stage::delete;
use crate::{Contender, body, number_of};

/// Where the numbers of these bodies begin, which are those of nothing else.
const FIRST: usize = 1 << 40;
/// How many numbers a round has.
const ROUND: usize = 1 << 24;
/// How many entries are looked at after a round.
const SAMPLE: usize = 8;

/// The numbers of what is being written.
#[derive(Debug)]
pub(crate) struct Numbers(AtomicUsize);

impl Numbers {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(AtomicUsize::new(FIRST)))
    }

    /// Begins a round, whose numbers nothing had before.
    pub(crate) fn begin(&self) {
        self.0.fetch_add(ROUND, Ordering::Relaxed);
    }

    /// Returns the number of the body that is written in this turn of the round.
    pub(crate) fn of(&self, turn: usize) -> usize {
        self.0.load(Ordering::Relaxed) + turn
    }

    /// Returns the turn in which this was written, if it is a body of this round.
    fn turn_of(&self, read: &Bytes) -> Option<usize> {
        let number = number_of(read).filter(|number| *read == body(*number, read.len()))?;
        number.checked_sub(self.of(0))
    }
}

/// Returns the lane in which `tasks` tasks write under each of `keys` in turn; after a round some are read back.
pub(crate) fn writing(
    contender: &Arc<dyn Contender>,
    tasks: usize,
    keys: &Arc<[CacheKey]>,
    bytes: usize,
) -> Lane {
    lane(contender, tasks, keys, bytes, false)
}

/// Returns the lane in which `tasks` tasks write entries that are not there, which are deleted after each round.
///
/// A round must not have more operations than there are keys.
pub(crate) fn writing_new(
    contender: &Arc<dyn Contender>,
    tasks: usize,
    keys: &Arc<[CacheKey]>,
    bytes: usize,
) -> Lane {
    lane(contender, tasks, keys, bytes, true)
}

fn lane(
    contender: &Arc<dyn Contender>,
    tasks: usize,
    keys: &Arc<[CacheKey]>,
    bytes: usize,
    deletes: bool,
) -> Lane {
    let began = Numbers::new();
    let (numbers, looked_up) = (Arc::clone(&began), Arc::clone(&began));
    let (writer, writers_keys) = (Arc::clone(contender), Arc::clone(keys));
    let worker = move |mut turns: Turns| {
        let (contender, keys) = (Arc::clone(&writer), Arc::clone(&writers_keys));
        let bodies: Vec<Bytes> = turns.numbers().map(|turn| body(numbers.of(turn), bytes)).collect();
        async move {
            for (turn, body) in (&mut turns).zip(bodies) {
                contender.write(&keys[turn % keys.len()], body).await?;
            }
            Ok(turns)
        }
    };
    let (reader, readers_keys) = (Arc::clone(contender), Arc::clone(keys));
    Lane::new(contender.name(), tasks, worker)
        .terms(contender.terms())
        .prepare(move |_| {
            began.begin();
            std::future::ready(Ok(()))
        })
        .clean(move |count| {
            let (contender, keys) = (Arc::clone(&reader), Arc::clone(&readers_keys));
            let numbers = Arc::clone(&looked_up);
            async move {
                check(&contender, &keys, &numbers, count, bytes).await?;
                if deletes { delete(&contender, &keys[..count]).await } else { Ok(()) }
            }
        })
}

/// Reads some of what a round of so many operations wrote, and compares every byte.
async fn check(
    contender: &Arc<dyn Contender>,
    keys: &[CacheKey],
    numbers: &Numbers,
    count: usize,
    bytes: usize,
) -> Result<(), BoxError> {
    contender.settle().await?;
    let written = count.min(keys.len());
    for (at, key) in keys[..written].iter().enumerate().step_by(written.div_ceil(SAMPLE).max(1)) {
        let read = contender.read(key).await?.ok_or("what was written was lost")?;
        let turn = numbers.turn_of(&read).filter(|turn| *turn < count && turn % keys.len() == at);
        if turn.is_none() || read.len() != bytes {
            return Err("what was written has other bytes".into());
        }
    }
    Ok(())
}

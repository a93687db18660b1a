//! Pruning: evicting down to given limits now, exactly by last use, in bounded memory.
//!
//! Each round looks at every entry, counts, and keeps the oldest of them as candidates; it then evicts as many as are
//! too many. What is counted is what was seen, so that it needs no usage and believes none.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::cause::Result;
use crate::evict::Exempt;
use crate::limits::{Amount, Limits};
use crate::listing::Walk;
use crate::pool::Pool;
use crate::store::Shared;

/// How many candidates a round keeps, of less than 300 bytes each.
const CANDIDATES: usize = 65_536;
/// How long a hop to a blocking thread takes.
const STEP: Duration = Duration::from_millis(10);
/// How long another process that evicts is waited for.
const PATIENCE: Duration = Duration::from_secs(3);
/// How many rounds in a row may evict nothing, because all that they chose is in use.
const MOST_IDLE: u32 = 3;

/// What [`FileStore::prune`](crate::FileStore::prune) has done so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pruned {
    /// How many entries were evicted.
    pub evicted: u64,
    /// How many bytes their files had.
    pub evicted_bytes: u64,
    /// How many entries are left, as far as was seen.
    pub entries: u64,
    /// How many bytes their files have.
    pub bytes: u64,
}

/// Where pruning is to end.
#[derive(Debug, Clone, Copy)]
struct Aim {
    limits: Limits,
    /// How many bytes were left on the file system when it began; what is given back may show late.
    free: u64,
}

/// What there is left, and what is gone.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    left: Amount,
    evicted: Amount,
}

/// One look at all entries.
struct Round {
    walk: Walk,
    pool: Pool,
    tally: Tally,
}

/// Evicts the least recently used entries until `limits` hold, and says now and then how far it is.
pub(crate) async fn prune(
    shared: &Arc<Shared>,
    limits: Limits,
    mut progress: impl FnMut(&Pruned) + Send,
) -> Result<Pruned> {
    let free = shared.hop(|shared| Ok(shared.free_bytes())).await?;
    let aim = Aim { limits, free };
    let candidates = if limits.any() { CANDIDATES } else { 0 };
    let mut evicted = Amount::ZERO;
    let (mut exempt, mut idle) = (Exempt::Used, 0);
    loop {
        let tally = Tally { left: Amount::ZERO, evicted };
        let mut round = Round { walk: Walk::new(shared.layout), pool: Pool::of(candidates), tally };
        let mut is_over = false;
        while !is_over {
            (round, is_over) = shared.hop(move |shared| round.look(shared)).await?;
            progress(&round.tally.report());
        }
        let chosen = round.pool.len();
        let is_reached = loop {
            let is_reached;
            (round, is_reached) = shared.hop(move |shared| round.evict(shared, &aim, exempt)).await?;
            progress(&round.tally.report());
            if is_reached || round.pool.is_empty() {
                break is_reached;
            }
        };
        let gone = round.tally.evicted.entries - evicted.entries;
        idle = if gone == 0 { idle + 1 } else { 0 };
        if is_reached || round.tally.left == Amount::ZERO || idle >= MOST_IDLE {
            return Ok(round.tally.report());
        }
        // Where everything is used all the time, those that were used lately go as well.
        exempt = if gone * 2 < chosen as u64 { Exempt::Nothing } else { Exempt::Used };
        evicted = round.tally.evicted;
    }
}

impl Aim {
    fn is_reached(&self, shared: &Shared, tally: &Tally) -> bool {
        let is_free =
            |wanted| self.free.saturating_add(tally.evicted.bytes) >= wanted || shared.free_bytes() >= wanted;
        self.limits.hold(tally.left) && self.limits.min_free_bytes.is_none_or(is_free)
    }
}

impl Tally {
    fn report(&self) -> Pruned {
        Pruned {
            evicted: self.evicted.entries,
            evicted_bytes: self.evicted.bytes,
            entries: self.left.entries,
            bytes: self.left.bytes,
        }
    }
}

impl Round {
    /// Looks at some entries; returns whether those were the last.
    fn look(mut self, shared: &Shared) -> Result<(Self, bool)> {
        let deadline = Instant::now() + STEP;
        while Instant::now() < deadline {
            let Some(advanced) = self.walk.advance(shared) else { return Ok((self, true)) };
            advanced?;
            if let Some((dir, name)) = self.walk.at() {
                self.tally.left += self.pool.look(shared, dir, name).unwrap_or_default();
            }
        }
        Ok((self, false))
    }

    /// Evicts some candidates; returns whether that is enough.
    fn evict(mut self, shared: &Arc<Shared>, aim: &Aim, exempt: Exempt) -> Result<(Self, bool)> {
        if aim.is_reached(shared, &self.tally) {
            return Ok((self, true));
        }
        shared.flush_recent();
        let _turn = shared.evict_turn(PATIENCE)?;
        let account = shared.account().renewed();
        let deadline = Instant::now() + STEP;
        let mut gone = Amount::ZERO;
        let mut is_reached = false;
        while !is_reached && Instant::now() < deadline {
            let Some((key, used, candidate)) = self.pool.take_oldest() else { break };
            let Some(len) = shared.evict_one(&key, used, &candidate, exempt) else { continue };
            gone += Amount::entry(len);
            self.tally.left = self.tally.left.less(Amount::entry(len));
            self.tally.evicted += Amount::entry(len);
            is_reached = aim.is_reached(shared, &self.tally);
        }
        account.removed(gone);
        Ok((self, is_reached))
    }
}

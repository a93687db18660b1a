//! Pruning: evicting down to given limits now, exactly by last use, in bounded memory.
//!
//! Each round looks at every entry, counts, and keeps the oldest of them as candidates; it then evicts as many as are
//! too many. What is counted is what was seen, so that it needs no usage and believes none.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use larder_core::CacheKey;

use crate::cause::{Cause, Result};
use crate::limits::{Amount, Limits};
use crate::listing::Walk;
use crate::pool::{Candidate, Pool};
use crate::publish::is_absence;
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

/// One look at all entries.
struct Round {
    walk: Walk,
    pool: Pool,
    seen: Amount,
    is_done: bool,
}

/// Evicts the least recently used entries until `limits` hold, and says now and then how far it is.
pub(crate) async fn prune(
    shared: &Arc<Shared>,
    limits: Limits,
    mut progress: impl FnMut(&Pruned) + Send,
) -> Result<Pruned> {
    let mut evicted = Amount::ZERO;
    let mut idle = 0;
    let report = |left: Amount, evicted: Amount| Pruned {
        evicted: evicted.entries,
        evicted_bytes: evicted.bytes,
        entries: left.entries,
        bytes: left.bytes,
    };
    loop {
        let mut round = Round {
            walk: Walk::new(shared.layout),
            pool: Pool::of(CANDIDATES),
            seen: Amount::ZERO,
            is_done: false,
        };
        while !round.is_done {
            round = shared.hop(move |shared| round.look(shared)).await?;
            progress(&report(round.seen, evicted));
        }
        let Round { mut pool, seen: mut left, .. } = round;
        let before = evicted;
        while !pool.is_empty() && !shared.hop(move |shared| Ok(shared.is_within(&limits, left))).await? {
            let (rest, gone) = shared.hop(move |shared| evict(shared, pool, &limits, left)).await?;
            pool = rest;
            left = left.less(gone);
            evicted += gone;
            progress(&report(left, evicted));
        }
        idle = if evicted == before { idle + 1 } else { 0 };
        let is_within = shared.hop(move |shared| Ok(shared.is_within(&limits, left))).await?;
        if is_within || left == Amount::ZERO || idle >= MOST_IDLE {
            return Ok(report(left, evicted));
        }
    }
}

impl Round {
    /// Looks at some entries.
    fn look(mut self, shared: &Shared) -> Result<Self> {
        let deadline = Instant::now() + STEP;
        while Instant::now() < deadline {
            let Some(advanced) = self.walk.advance(shared) else {
                self.is_done = true;
                break;
            };
            advanced?;
            let Some((dir, name)) = self.walk.at() else { continue };
            match shared.fs.stat(dir, Path::new(name)) {
                Ok(stat) if stat.is_file => {
                    self.seen += Amount::entry(stat.len);
                    if self.pool.takes(stat.used)
                        && let Ok(key) = CacheKey::new(name)
                    {
                        self.pool.offer(key, stat.used, Candidate { len: stat.len, id: stat.id });
                    }
                }
                Err(error) if !is_absence(&error) => {
                    return Err(Cause::io("inspect the entry", &dir.path().join(name))(error));
                }
                _ => {}
            }
        }
        Ok(self)
    }
}

/// Evicts some candidates; returns the others, and what is gone.
fn evict(shared: &Arc<Shared>, mut pool: Pool, limits: &Limits, left: Amount) -> Result<(Pool, Amount)> {
    shared.flush_recent();
    let _turn = shared.evict_turn(PATIENCE)?;
    let account = shared.account();
    let deadline = Instant::now() + STEP;
    let mut gone = Amount::ZERO;
    while Instant::now() < deadline && !shared.is_within(limits, left.less(gone)) {
        let Some((key, used, candidate)) = pool.take_oldest() else { break };
        gone += shared.evict_one(&key, used, &candidate).map_or(Amount::ZERO, Amount::entry);
    }
    account.removed(gone);
    Ok((pool, gone))
}

impl Shared {
    fn is_within(&self, limits: &Limits, left: Amount) -> bool {
        limits.hold(left)
            && limits
                .min_free_bytes
                .is_none_or(|wanted| self.fs.free(&self.home().root).is_ok_and(|free| free >= wanted))
    }
}

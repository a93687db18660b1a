//! Where the body and each of its readers are. Nothing here waits.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use larder_core::{Error, ErrorKind, Result};

use super::{Role, failed};
use crate::spool::Spool;

/// How many chunks that everybody has had are held at most, for those who still join.
const MOST_CHUNKS: usize = 4096;

/// What is held of a body, and who has read how much of it.
#[derive(Debug, Default)]
pub(super) struct State {
    /// The chunks that are in memory and where each ends, oldest first; the last ends at `end`.
    window: VecDeque<(u64, Bytes)>,
    /// Where in the body the window begins.
    start: u64,
    /// How much has arrived.
    end: u64,
    outcome: Option<Result<(), Arc<Error>>>,
    readers: BTreeMap<u64, Place>,
    next_reader: u64,
    spool: Option<Spool>,
    /// Up to where the spool has been written.
    spooled: u64,
    /// Whether the store is done, and callers may see the end.
    pub(super) is_settled: bool,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    role: Role,
    position: u64,
}

/// What a reader gets.
pub(super) enum Next {
    Chunk(Bytes),
    /// It is in the spool, between these positions.
    Spooled {
        spool: Spool,
        position: u64,
        end: u64,
    },
    End,
    Failed(Error),
    Wait,
}

/// What the pump may do.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Room {
    /// Take the next chunk.
    Free,
    /// Wait for readers.
    Full,
    /// Wait for the store, or for the slowest of those who asked, and not for long.
    Lags(Role),
    /// Write the window to a spool first.
    NeedsSpool,
}

impl State {
    pub(super) fn add_reader(&mut self, role: Role, position: u64) -> u64 {
        let id = self.next_reader;
        self.next_reader += 1;
        self.readers.insert(id, Place { role, position });
        id
    }

    pub(super) fn remove_reader(&mut self, id: u64) {
        self.readers.remove(&id);
    }

    /// Removes the readers in `role` that are a window of `limit` bytes behind. Nobody waits for a store any more then.
    pub(super) fn cut_off(&mut self, role: Role, limit: u64) {
        self.is_settled |= role == Role::Store;
        let end = self.end;
        self.readers.retain(|_, place| place.role != role || end - place.position < limit);
    }

    /// Returns whether a reader can still begin at the beginning.
    pub(super) fn has_beginning(&self) -> bool {
        let is_spooled = |spool: &Spool| spool.base() == 0 && self.spooled >= self.start;
        !self.has_failed() && (self.start == 0 || self.spool.as_ref().is_some_and(is_spooled))
    }

    pub(super) fn has_failed(&self) -> bool {
        matches!(self.outcome, Some(Err(_)))
    }

    pub(super) fn has_ended(&self) -> bool {
        self.outcome.is_some()
    }

    pub(super) fn push(&mut self, chunk: Bytes) {
        self.end += chunk.len() as u64;
        self.window.push_back((self.end, chunk));
    }

    pub(super) fn finish(&mut self, outcome: Result<(), Arc<Error>>) {
        self.outcome.get_or_insert(outcome);
    }

    /// Returns what the reader gets next; a chunk of the window is taken with it.
    pub(super) fn next(&mut self, id: u64, role: Role) -> Next {
        let Some(place) = self.readers.get_mut(&id) else {
            let message = match role {
                Role::Caller => "the body was not read for too long, and there is no room to keep it",
                Role::Store => "the store did not keep up",
            };
            return Next::Failed(Error::new(ErrorKind::Unavailable, message));
        };
        if place.position < self.start {
            // The spool has all that the window lost before its slowest reader had it.
            let position = place.position;
            return match &self.spool {
                Some(spool) => Next::Spooled { spool: spool.clone(), position, end: self.start },
                None => Next::Failed(Error::new(ErrorKind::Body, "what had arrived was lost")),
            };
        }
        let at = self.window.partition_point(|(end, _)| *end <= place.position);
        if let Some((end, chunk)) = self.window.get(at) {
            // With the last byte of a known length a caller has seen the end.
            let is_last = *end == self.end && matches!(self.outcome, Some(Ok(())));
            if is_last && role == Role::Caller && !self.is_settled {
                return Next::Wait;
            }
            let left = usize::try_from(end - place.position).unwrap_or(usize::MAX);
            place.position = *end;
            return Next::Chunk(chunk.slice(chunk.len().saturating_sub(left)..));
        }
        match &self.outcome {
            None => Next::Wait,
            Some(Err(cause)) => Next::Failed(failed(cause)),
            Some(Ok(())) if role == Role::Caller && !self.is_settled => Next::Wait,
            Some(Ok(())) => Next::End,
        }
    }

    pub(super) fn advance(&mut self, id: u64, len: u64) {
        if let Some(place) = self.readers.get_mut(&id) {
            place.position += len;
        }
    }

    /// Ends the body if nobody is left to take it for; returns whether that is so.
    pub(super) fn abandon(&mut self, in_background: bool) -> bool {
        let is_wanted = self.readers.values().any(|place| place.role == Role::Caller || in_background);
        if !is_wanted {
            let error = Error::new(ErrorKind::Body, "nobody waits for the body any more");
            self.finish(Err(Arc::new(error)));
        }
        !is_wanted
    }

    /// Returns whether another chunk may be taken, with a window of `limit` bytes.
    pub(super) fn room(&self, limit: u64, may_spool: bool) -> Room {
        let callers = || self.positions(Role::Caller);
        let store = self.positions(Role::Store).min();
        let lags = |position: u64| self.end - position >= limit;
        if callers().max().is_some_and(lags) {
            return Room::Full;
        }
        if store.is_some_and(lags) {
            return Room::Lags(Role::Store);
        }
        match callers().min().filter(|slowest| lags(*slowest)) {
            Some(_) if !may_spool => Room::Lags(Role::Caller),
            Some(_) if self.spool.is_none() => Room::NeedsSpool,
            _ => Room::Free,
        }
    }

    fn positions(&self, role: Role) -> impl Iterator<Item = u64> {
        self.readers.values().filter(move |place| place.role == role).map(|place| place.position)
    }

    /// Forgets the oldest chunks beyond `limit` bytes that every reader has had or the spool has.
    pub(super) fn trim(&mut self, limit: u64) {
        let slowest = self.readers.values().map(|place| place.position).min().unwrap_or(self.end);
        let disposable = slowest.max(if self.spool.is_some() { self.spooled } else { 0 });
        while let Some((end, _)) = self.window.front() {
            let is_held = self.end - self.start <= limit && self.window.len() <= MOST_CHUNKS;
            if is_held || *end > disposable {
                return;
            }
            self.start = *end;
            self.window.pop_front();
        }
    }

    /// Returns where the window begins, and its chunks.
    pub(super) fn window(&self) -> (u64, Vec<Bytes>) {
        (self.start, self.window.iter().map(|(_, chunk)| chunk.clone()).collect())
    }

    pub(super) fn spool(&self) -> Option<Spool> {
        self.spool.clone()
    }

    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// Notes that `spool` has all of the body from its base up to `spooled`.
    pub(super) fn set_spooled(&mut self, spool: Spool, spooled: u64) {
        self.spool = Some(spool);
        self.spooled = spooled;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: u64 = 10;

    /// Returns a body of which `arrived` bytes have come, with a reader at each position.
    fn state(arrived: usize, callers: &[u64], store: Option<u64>) -> State {
        let mut state = State::default();
        for position in callers {
            state.add_reader(Role::Caller, *position);
        }
        for position in store.as_slice() {
            state.add_reader(Role::Store, *position);
        }
        state.push(vec![0; arrived].into());
        state
    }

    #[test]
    fn the_fastest_of_those_who_asked_sets_the_pace() {
        for (callers, store, may_spool, expected) in [
            (&[15][..], Some(15), true, Room::Free),
            (&[10], Some(20), true, Room::Full),
            (&[11, 20], Some(20), true, Room::Free),
            (&[10, 20], Some(20), true, Room::NeedsSpool),
            (&[10, 20], Some(20), false, Room::Lags(Role::Caller)),
            (&[20], Some(10), true, Room::Lags(Role::Store)),
            (&[10], Some(10), true, Room::Full),
            (&[20], None, true, Room::Free),
            (&[], Some(20), true, Room::Free),
            (&[], Some(10), true, Room::Lags(Role::Store)),
        ] {
            let room = state(20, callers, store).room(LIMIT, may_spool);
            assert_eq!(room, expected, "{callers:?} {store:?} {may_spool}");
        }
    }

    #[test]
    fn a_body_ends_when_nobody_is_left_to_take_it_for() {
        for (callers, store, in_background, is_over) in [
            (&[0][..], Some(0), false, false),
            (&[], Some(0), true, false),
            (&[], Some(0), false, true),
            (&[], None, true, true),
        ] {
            let mut state = state(20, callers, store);
            assert_eq!(state.abandon(in_background), is_over, "{callers:?} {store:?} {in_background}");
            assert_eq!(state.has_beginning(), !is_over, "nobody joins what is over");
        }
    }

    #[test]
    fn what_everybody_has_had_is_forgotten_beyond_the_window() {
        let chunks = || (0..4_u8).map(|i| Bytes::from(vec![i; 5]));
        for (slowest, kept) in [(20, 5), (10, 10), (4, 20), (0, 20)] {
            let mut state = State::default();
            state.add_reader(Role::Caller, slowest);
            chunks().for_each(|chunk| state.push(chunk));
            state.trim(5);
            assert_eq!(state.end - state.start, kept, "{slowest}");
            assert_eq!(state.has_beginning(), state.start == 0);
        }
    }

    #[test]
    fn a_store_that_was_cut_off_is_told_and_nobody_waits_for_it() {
        let mut state = state(5, &[5], None);
        let store = state.add_reader(Role::Store, 0);
        state.cut_off(Role::Store, 6);
        assert!(matches!(state.next(store, Role::Store), Next::Chunk(_)), "it is not a window behind");
        let store = state.add_reader(Role::Store, 0);
        state.cut_off(Role::Store, 5);
        assert!(matches!(state.next(store, Role::Store), Next::Failed(_)));
        state.finish(Ok(()));
        assert!(matches!(state.next(0, Role::Caller), Next::End));
    }

    #[test]
    fn a_caller_sees_the_end_when_the_store_is_done() {
        let mut state = state(5, &[5, 0], Some(5));
        assert!(matches!(state.next(0, Role::Caller), Next::Wait));
        state.finish(Ok(()));
        for caller in [0, 1] {
            assert!(matches!(state.next(caller, Role::Caller), Next::Wait), "the last chunk is the end");
        }
        assert!(matches!(state.next(2, Role::Store), Next::End));
        state.is_settled = true;
        assert!(matches!(state.next(0, Role::Caller), Next::End));
        assert!(matches!(state.next(1, Role::Caller), Next::Chunk(_)));
    }
}

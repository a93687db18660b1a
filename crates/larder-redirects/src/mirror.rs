//! A copy of all aliases in memory, which answers without a hop while it is provably the database's content.
//!
//! The proof is SQLite's own. A connection that nothing else is done on, the *watch*, is asked for its data version,
//! which changes when, and only when, any other connection has committed. The version that it had when the copy was
//! read belongs to the copy; as long as it is the same when a question is asked, the copy answers, and otherwise
//! SQLite does. No clock and no file time has a part in it.
//!
//! Asking for the version compares a header in shared memory. It takes and leaves a reader's lock, which are two
//! system calls, and reads a page only after a change. Whatever is asked while the state is locked is asked
//! [`busy::at_once`], so that no lock of the database is waited for; only while somebody changes the header itself, which
//! is two copies of 48 bytes long, does SQLite look again by itself, and sleeps if that somebody was stopped there. What
//! this index writes itself is followed, in two steps around the commit; see [`Mirror::expect`].

use std::collections::HashMap;
use std::fmt;
use std::mem;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use larder_core::{Alias, CacheKey};
use rusqlite::Connection;

use crate::busy;
use crate::database::Database;
use crate::error::Cause;
use crate::files::Identity;
use crate::queries;
use crate::session::Session;

/// How many questions must go to SQLite before a copy is made, and for how many rows it is one more: then making
/// it again and again takes no longer than the hops did. A program that asks once does not make one.
const FIRST_QUESTIONS: usize = 2;
const ROWS_PER_QUESTION: usize = 64;
/// The same when there was no copy to be made, and the most when there were too many rows again and again: finding that
/// out reads as many as there may be.
const QUESTIONS_AFTER_FAILURE: usize = 1 << 10;
const MOST_QUESTIONS: usize = 1 << 16;

pub(crate) struct Mirror {
    database: Arc<Database>,
    most: usize,
    state: Mutex<State>,
    /// Whether asking is worth while; decides nothing.
    is_warm: AtomicBool,
    answered: AtomicU64,
}

struct State {
    /// `None` until the first copy is made, and while one is being made.
    watch: Option<Session>,
    /// The version of the watch to which `rows` belong; `None` when they are not to be used.
    version: Option<i64>,
    rows: Rows,
    /// A transaction of ours is between [`Mirror::expect`] and its end: the watch may have seen it already.
    changing: bool,
    /// Questions that went to SQLite since there was a copy, and at how many another is made.
    missed: usize,
    enough: usize,
    loading: bool,
    closed: bool,
}

impl Mirror {
    /// Returns a mirror of `database`, as long as it has at most `most` rows.
    pub(crate) fn new(database: Arc<Database>, most: usize) -> Self {
        Self {
            database,
            most,
            state: Mutex::new(State {
                watch: None,
                version: None,
                rows: Rows::default(),
                changing: false,
                missed: 0,
                enough: FIRST_QUESTIONS,
                loading: false,
                closed: false,
            }),
            is_warm: AtomicBool::new(false),
            answered: AtomicU64::new(0),
        }
    }

    /// Answers `question` if the copy is what the database holds now, at some time after this was called.
    ///
    /// Cheap enough for an asynchronous thread: three system calls, none of which waits for a lock.
    pub(crate) fn ask<T>(&self, question: impl FnOnce(&Rows) -> Option<T>) -> Option<T> {
        if !self.is_warm.load(Ordering::Relaxed) {
            return None;
        }
        let named = self.database.identity();
        let mut state = self.state();
        let version = state.version?;
        let watch = state.watch.as_ref()?;
        let is_same_file = named == Some(watch.identity);
        // A failure says nothing. Should it last, the operation that is done instead meets it too.
        let seen = if is_same_file { Some(data_version(watch).ok()?) } else { None };
        if seen == Some(version) {
            let answer = question(&state.rows);
            self.answered.fetch_add(u64::from(answer.is_some()), Ordering::Relaxed);
            return answer;
        }
        if !is_same_file || !state.changing {
            self.forget(&mut state);
        }
        None
    }

    /// Notes that SQLite has to answer; returns the making of a copy if it is due, for whoever is told so.
    pub(crate) fn miss(self: &Arc<Self>) -> Option<Loading> {
        if self.most == 0 {
            return None;
        }
        let mut state = self.state();
        state.missed = state.missed.saturating_add(1);
        let is_due =
            state.version.is_none() && state.missed >= state.enough && !state.loading && !state.closed;
        state.loading |= is_due;
        is_due.then(|| Loading { mirror: Arc::clone(self) })
    }

    fn load(&self) {
        let mut state = self.state();
        let watch = state.watch.take();
        // It holds also if nothing below is reached.
        let enough = mem::replace(&mut state.enough, QUESTIONS_AFTER_FAILURE);
        state.missed = 0;
        drop(state);
        let loaded = self.try_load(watch);
        if let Err(cause) = &loaded {
            tracing::debug!(path = %self.database.path().display(), %cause, "no copy of the redirect index");
        }
        let mut state = self.state();
        if state.closed {
            return;
        }
        // A version is never left beside another watch's rows.
        self.forget(&mut state);
        let former = mem::take(&mut state.rows);
        if let Ok((watch, found)) = loaded {
            state.watch = Some(watch);
            if let Some((version, rows)) = found {
                state.version = Some(version);
                state.enough = FIRST_QUESTIONS + rows.len() / ROWS_PER_QUESTION;
                state.rows = rows;
                self.is_warm.store(true, Ordering::Relaxed);
            } else {
                state.enough = (2 * enough).clamp(QUESTIONS_AFTER_FAILURE, MOST_QUESTIONS);
            }
        }
        // Freeing it takes a while, in which nobody needs to wait.
        drop(state);
        drop(former);
    }

    /// Returns the version of the watch and the rows that belong to it, or no rows if there are too many.
    fn try_load(&self, watch: Option<Session>) -> Result<(Session, Option<(i64, Rows)>), Cause> {
        let watch = match watch {
            Some(watch) if self.database.is_current(&watch) => watch,
            _ => self.database.connect()?,
        };
        let loaded = watch.connection.interact_here(|connection| {
            let snapshot = connection.transaction()?;
            let version = queries::data_version(&snapshot)?;
            let mut rows = Rows::default();
            let is_whole = queries::all(&snapshot, self.most, |key, alias| rows.set(key, alias))?;
            Ok(is_whole.then_some((version, rows)))
        })?;
        Ok((watch, loaded))
    }

    /// Returns what is needed to follow a change, if the copy is what the database holds.
    ///
    /// `writer` has begun a transaction that writes, so that until its end no other connection commits. If the
    /// watch has the copy's version now, the copy is the state from which the transaction begins. Afterwards the
    /// watch is asked first and then the writer, whose own version its own commits do not change. If the writer's
    /// is what it was in the transaction, nobody else has committed from its beginning until then, so that what
    /// the watch saw is the copy with the change, and nothing else.
    pub(crate) fn expect(&self, writer: &Connection, identity: Identity) -> Option<Expected<'_>> {
        if !self.is_warm.load(Ordering::Relaxed) {
            return None;
        }
        let mut state = self.state();
        let watch = state.watch.as_ref().filter(|watch| watch.identity == identity)?;
        let (seen, own) = both_versions(watch, writer).ok()?;
        if state.version != Some(seen) {
            self.forget(&mut state);
            return None;
        }
        state.changing = true;
        Some(Expected { mirror: self, own, adopted: None })
    }

    /// Gives up the copy for good, and returns the connection.
    pub(crate) fn close(&self) -> Option<Session> {
        let mut state = self.state();
        state.closed = true;
        self.forget(&mut state);
        state.watch.take()
    }

    /// Returns how many questions the copy has answered.
    pub(crate) fn answered(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }

    fn forget(&self, state: &mut State) {
        state.version = None;
        state.missed = 0;
        self.is_warm.store(false, Ordering::Relaxed);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Mirror {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mirror").field("answered", &self.answered()).finish_non_exhaustive()
    }
}

fn data_version(watch: &Session) -> Result<i64, Cause> {
    busy::at_once(|| watch.connection.interact_here(|connection| queries::data_version(connection)))
}

/// Returns the version of the watch, and then that of the writer.
fn both_versions(watch: &Session, writer: &Connection) -> Result<(i64, i64), Cause> {
    Ok((data_version(watch)?, busy::at_once(|| queries::data_version(writer))?))
}

/// The making of a copy that is due. Until it is dropped, no other one is.
#[derive(Debug)]
pub(crate) struct Loading {
    mirror: Arc<Mirror>,
}

impl Loading {
    /// Makes the copy. Blocks; to be called where no transaction of this index is under way.
    pub(crate) fn run(self) {
        self.mirror.load();
    }
}

impl Drop for Loading {
    fn drop(&mut self) {
        self.mirror.state().loading = false;
    }
}

/// A change that is about to be committed. Unless it is adopted, the copy is given up when it is dropped.
///
/// Who has meanwhile found that the path stands for another file has given it up already, and that stands.
#[derive(Debug)]
pub(crate) struct Expected<'a> {
    mirror: &'a Mirror,
    own: i64,
    adopted: Option<i64>,
}

impl Expected<'_> {
    /// Makes `change` to the copy, now that `writer` has committed it, unless somebody else has committed too.
    pub(crate) fn adopt(mut self, writer: &Connection, change: impl FnOnce(&mut Rows)) {
        let mut state = self.mirror.state();
        let Some(watch) = &state.watch else { return };
        let Ok((seen, own)) = both_versions(watch, writer) else { return };
        if own == self.own {
            change(&mut state.rows);
            if state.rows.len() <= self.mirror.most {
                self.adopted = Some(seen);
            }
        }
    }
}

impl Drop for Expected<'_> {
    fn drop(&mut self) {
        let mut state = self.mirror.state();
        state.changing = false;
        match self.adopted {
            Some(version) if state.version.is_some() => {
                state.version = Some(version);
                self.mirror.is_warm.store(true, Ordering::Relaxed);
            }
            _ => self.mirror.forget(&mut state),
        }
    }
}

/// All aliases, and how many lead to each target.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    aliases: HashMap<CacheKey, Alias>,
    targets: HashMap<CacheKey, usize>,
}

impl Rows {
    pub(crate) fn get(&self, key: &CacheKey) -> Option<&Alias> {
        self.aliases.get(key)
    }

    /// Returns whether any alias leads to `target`.
    pub(crate) fn has_target(&self, target: &CacheKey) -> bool {
        self.targets.contains_key(target)
    }

    pub(crate) fn set(&mut self, key: CacheKey, mut alias: Alias) {
        // The text of a target is in memory once.
        if let Some((target, count)) = self.targets.get_key_value(&alias.target) {
            let count = count + 1;
            alias.target = target.clone();
            self.targets.insert(alias.target.clone(), count);
        } else {
            self.targets.insert(alias.target.clone(), 1);
        }
        if let Some(former) = self.aliases.insert(key, alias) {
            self.leave(&former.target);
        }
    }

    pub(crate) fn unset(&mut self, key: &CacheKey) {
        if let Some(former) = self.aliases.remove(key) {
            self.leave(&former.target);
        }
    }

    fn len(&self) -> usize {
        self.aliases.len()
    }

    fn leave(&mut self, target: &CacheKey) {
        if let Some(count) = self.targets.get_mut(target) {
            *count -= 1;
            if *count == 0 {
                self.targets.remove(target);
            }
        }
    }
}

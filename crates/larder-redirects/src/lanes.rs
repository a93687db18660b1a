//! The connections in use, and the one hop to a blocking thread that each operation takes at most.
//!
//! A lane keeps the connections that nobody is using. A [`Turn`] takes one and travels with the operation into the
//! blocking thread, where it ends. So a caller that drops its future, or does not poll it, neither gives away a
//! connection that is still at work nor holds one that is not.
//!
//! One connection writes, behind a queue, so that only other processes are waited for; one more tells whether the
//! copy in memory is current. The rest read.

use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::attempt;
use crate::busy::Patience;
use crate::change::Change;
use crate::database::Database;
use crate::error::Cause;
use crate::mirror::{Mirror, Rows};
use crate::session::Session;
use crate::writer::{Outcome, Writer};

#[derive(Debug)]
pub(crate) struct Lanes {
    database: Arc<Database>,
    mirror: Arc<Mirror>,
    readers: Option<Arc<Lane>>,
    writer: Arc<Writer>,
    runtime: Handle,
    closed: AtomicBool,
}

impl Lanes {
    /// Returns the lanes of at most `connections`, at least one, and one more for a copy of at most `rows` rows.
    ///
    /// None of them is open yet.
    pub(crate) fn new(
        database: Database,
        connections: u32,
        rows: usize,
        timeout: Duration,
    ) -> Result<Self, Cause> {
        let runtime = Handle::try_current().map_err(|_| Cause::NoRuntime)?;
        let readers = connections.saturating_sub(1);
        let database = Arc::new(database);
        let mirror = Arc::new(Mirror::new(database.clone(), rows));
        Ok(Self {
            readers: (readers > 0).then(|| Lane::new(readers, timeout)),
            writer: Writer::new(database.clone(), mirror.clone(), runtime.clone(), timeout),
            runtime,
            closed: AtomicBool::new(false),
            database,
            mirror,
        })
    }

    pub(crate) fn database(&self) -> &Database {
        &self.database
    }

    /// Does `work`, which only reads, on a connection, once more if the database had to be replaced.
    ///
    /// If the future is dropped, `work` may be done all the same.
    pub(crate) async fn read<T, F>(&self, work: F) -> Result<T, Arc<Cause>>
    where
        T: Send + 'static,
        F: Fn(&Connection) -> Result<T, Cause> + Send + 'static,
    {
        self.try_read(work).await.map_err(Arc::new)
    }

    /// Does `change`. If the future is dropped once it has been polled, it is done all the same, unless the index is
    /// dropped before its turn.
    pub(crate) async fn change(&self, change: Change) -> Outcome {
        if self.is_closed() {
            return Err(Arc::new(Cause::Closed));
        }
        self.writer.change(&self.runtime(), change).await
    }

    /// Answers `question` here and now, if the copy in memory can; otherwise SQLite has to.
    pub(crate) fn ask<T>(&self, question: impl FnOnce(&Rows) -> Option<T>) -> Option<T> {
        if self.is_closed() {
            return None;
        }
        let answer = self.mirror.ask(question);
        if answer.is_none()
            && let Some(loading) = self.mirror.miss()
        {
            self.writer.load(&self.runtime(), loading);
        }
        answer
    }

    /// As [`Lanes::ask`], of whether a change would change nothing; never while another one is under way.
    ///
    /// A change whose future was dropped is then not overtaken.
    pub(crate) fn is_needless(&self, question: impl FnOnce(&Rows) -> bool) -> bool {
        !self.is_closed()
            && self.writer.is_idle()
            && self.mirror.ask(|rows| question(rows).then_some(())).is_some()
    }

    /// Returns how many questions were answered from memory.
    pub(crate) fn answered(&self) -> u64 {
        self.mirror.answered()
    }

    /// Returns how many batches of changes were committed or tried.
    pub(crate) fn batches(&self) -> u64 {
        self.writer.batches()
    }

    #[cfg(test)]
    pub(crate) fn mirror(&self) -> &Arc<Mirror> {
        &self.mirror
    }

    /// Waits for what is under way and closes every connection. A second call does nothing.
    pub(crate) async fn close(&self) -> Result<(), Cause> {
        if self.closed.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        let readers = match &self.readers {
            Some(readers) => readers.end().await?,
            None => Vec::new(),
        };
        self.writer.close(&self.runtime(), readers).await
    }

    async fn try_read<T, F>(&self, work: F) -> Result<T, Cause>
    where
        T: Send + 'static,
        F: Fn(&Connection) -> Result<T, Cause> + Send + 'static,
    {
        if self.is_closed() {
            return Err(Cause::Closed);
        }
        let runtime = self.runtime();
        let Some(readers) = &self.readers else {
            return self.writer.work(&runtime, move |session| work(session.connection)).await;
        };
        let (turn, idle) = readers.turn().await?;
        let database = self.database.clone();
        let task = runtime.spawn_blocking(move || turn.run(&database, idle, work));
        task.await.map_err(|error| if error.is_panic() { Cause::Panicked } else { Cause::RuntimeGone })?
    }

    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Returns the caller's runtime, or else the one that the index was opened in.
    fn runtime(&self) -> Handle {
        Handle::try_current().unwrap_or_else(|_| self.runtime.clone())
    }
}

impl Drop for Lanes {
    fn drop(&mut self) {
        self.writer.abandon();
    }
}

/// Connections for which operations queue in the order in which they were asked for.
#[derive(Debug)]
struct Lane {
    size: u32,
    turns: Arc<Semaphore>,
    idle: Mutex<Vec<Session>>,
    patience: Patience,
}

impl Lane {
    fn new(size: u32, timeout: Duration) -> Arc<Self> {
        let turns = Arc::new(Semaphore::new(size.try_into().unwrap_or(Semaphore::MAX_PERMITS)));
        Arc::new(Self { size, turns, idle: Mutex::default(), patience: Patience::new(timeout) })
    }

    /// Waits for a turn, and returns it with a connection if an open one is idle.
    async fn turn(self: &Arc<Self>) -> Result<(Turn, Option<Session>), Cause> {
        let asked = Instant::now();
        let permit = self.turns.clone().acquire_owned().await.map_err(|_| Cause::Closed)?;
        let session = self.idle().pop();
        let lane = self.clone();
        Ok((Turn { lane, asked, permit }, session))
    }

    /// Waits for all turns, lets nobody have another, and returns the connections.
    async fn end(&self) -> Result<Vec<Session>, Cause> {
        let _all = self.turns.acquire_many(self.size).await.map_err(|_| Cause::Closed)?;
        self.turns.close();
        Ok(mem::take(&mut *self.idle()))
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Session>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to use one connection of a lane, until it is dropped.
#[derive(Debug)]
struct Turn {
    lane: Arc<Lane>,
    asked: Instant,
    #[expect(dead_code, reason = "held until the turn ends")]
    permit: OwnedSemaphorePermit,
}

impl Turn {
    /// Does `work`, on the connection that was idle if that is sound. All that blocks is done in here.
    fn run<T>(
        self,
        database: &Database,
        idle: Option<Session>,
        work: impl Fn(&Connection) -> Result<T, Cause>,
    ) -> Result<T, Cause> {
        let keep = |session| self.lane.idle().push(session);
        let work = || attempt::attempt(database, idle, |session| work(session.connection), keep);
        self.lane.patience.until(self.asked, work)
    }
}

#[cfg(test)]
mod tests {
    use larder_core::Durability;

    use super::*;

    #[tokio::test]
    async fn an_operation_that_panics_costs_its_connection_and_no_other_operation() {
        for connections in [1, 2] {
            let directory = tempfile::tempdir().expect("a temporary directory");
            let path = directory.path().join("redirects.sqlite");
            let database = Database::new(path, Durability::Relaxed, 1).expect("any path");
            let lanes = Lanes::new(database, connections, 0, Duration::from_secs(1)).expect("a runtime");
            for _ in 0..3 {
                lanes.try_read(|_| Ok(())).await.expect("a connection is opened");
                let cause = lanes.try_read(|_| -> Result<(), Cause> { panic!("a bug") }).await;
                assert!(matches!(cause, Err(Cause::Panicked)), "{cause:?}");
            }
            lanes.change(Change::Clear).await.expect("a connection is opened");
            lanes.close().await.expect("closed");
        }
    }
}

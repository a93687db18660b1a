//! The connections in use, and the one hop to a blocking thread that each operation takes.
//!
//! A lane keeps the connections that nobody is using. A [`Turn`] takes one and travels with the operation into the
//! blocking thread, where it ends. So a caller that drops its future, or does not poll it, neither gives away a
//! connection that is still at work nor holds one that is not.
//!
//! One connection writes, so that the writers of one process queue in order and only other processes are waited for.

use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use larder_core::{ErrorKind, Result};
use rusqlite::Connection;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::busy::{self, Patience};
use crate::database::Database;
use crate::error::{Cause, Verdict};
use crate::session::Session;

/// What an operation does to the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

#[derive(Debug)]
pub(crate) struct Lanes {
    database: Arc<Database>,
    readers: Option<Arc<Lane>>,
    writer: Arc<Lane>,
    runtime: Handle,
    closed: AtomicBool,
}

impl Lanes {
    /// Returns the lanes of at most `connections`, at least one, none of which is open yet.
    pub(crate) fn new(database: Database, connections: u32, timeout: Duration) -> Result<Self, Cause> {
        let readers = connections.saturating_sub(1);
        Ok(Self {
            database: Arc::new(database),
            readers: (readers > 0).then(|| Lane::new(readers, timeout)),
            writer: Lane::new(1, timeout),
            runtime: Handle::try_current().map_err(|_| Cause::NoRuntime)?,
            closed: AtomicBool::new(false),
        })
    }

    pub(crate) fn database(&self) -> &Database {
        &self.database
    }

    /// Does `work` on a connection, once more if the database had to be replaced.
    ///
    /// If the future is dropped, `work` may be done all the same.
    pub(crate) async fn run<T, F>(&self, operation: &'static str, access: Access, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Connection) -> Result<T, Cause> + Send + 'static,
    {
        self.try_run(access, work).await.map_err(|cause| cause.into_error(operation, self.database.path()))
    }

    /// Waits for what is under way and closes every connection. A second call does nothing.
    pub(crate) async fn close(&self) -> Result<(), Cause> {
        if self.closed.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        let mut sessions = Vec::new();
        for lane in self.lanes() {
            sessions.append(&mut lane.end().await?);
        }
        let database = self.database.clone();
        let deadline = self.writer.patience.deadline(Instant::now());
        self.hop(move || busy::until(deadline, || database.retire(sessions))).await
    }

    async fn try_run<T, F>(&self, access: Access, work: F) -> Result<T, Cause>
    where
        T: Send + 'static,
        F: Fn(&mut Connection) -> Result<T, Cause> + Send + 'static,
    {
        if self.closed.load(Ordering::Acquire) {
            return Err(Cause::Closed);
        }
        let (turn, idle) = self.lane(access).turn().await?;
        let database = self.database.clone();
        let Some(session) = idle else {
            return self.hop(move || turn.run(&database, None, work)).await?;
        };
        let connection = session.connection.clone();
        let run = move |connection: &mut _| turn.run(&database, Some((session, connection)), work);
        connection.interact(&self.runtime(), run).await?
    }

    /// Does `work` on a blocking thread.
    async fn hop<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Cause> {
        let task = self.runtime().spawn_blocking(work);
        task.await.map_err(|error| if error.is_panic() { Cause::Panicked } else { Cause::RuntimeGone })
    }

    /// Returns the caller's runtime, or else the one that the index was opened in.
    fn runtime(&self) -> Handle {
        Handle::try_current().unwrap_or_else(|_| self.runtime.clone())
    }

    fn lane(&self, access: Access) -> &Arc<Lane> {
        match access {
            Access::Read => self.readers.as_ref().unwrap_or(&self.writer),
            Access::Write => &self.writer,
        }
    }

    fn lanes(&self) -> impl Iterator<Item = &Arc<Lane>> {
        self.readers.iter().chain([&self.writer])
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
        idle: Option<(Session, &mut Connection)>,
        work: impl Fn(&mut Connection) -> Result<T, Cause>,
    ) -> Result<T, Cause> {
        let patience = &self.lane.patience;
        let result = busy::until(patience.deadline(self.asked), || self.attempt(database, idle, work));
        if matches!(&result, Err(cause) if cause.kind() == ErrorKind::Unavailable) {
            patience.give_up();
        }
        result
    }

    fn attempt<T>(
        &self,
        database: &Database,
        idle: Option<(Session, &mut Connection)>,
        work: impl Fn(&mut Connection) -> Result<T, Cause>,
    ) -> Result<T, Cause> {
        let (session, result) = match idle {
            // A row written to a database that has lost its name would be lost, and nobody would see it.
            Some((session, connection)) if database.is_current(&session) => (session, work(connection)),
            _ => open(database, &work)?,
        };
        let cause = match result {
            Ok(value) => {
                self.keep(session);
                return Ok(value);
            }
            Err(cause) => cause,
        };
        match cause.verdict() {
            Verdict::Corrupt => database.replace(session, &cause)?,
            Verdict::Stale => drop(session),
            // What a connection says whose database has lost its name or its logs does not matter.
            Verdict::Doubtful if !database.is_current(&session) => drop(session),
            Verdict::Doubtful => return Err(cause),
            Verdict::Sound => {
                self.keep(session);
                return Err(cause);
            }
        }
        let (session, result) = open(database, &work)?;
        self.keep(session);
        result
    }

    /// Leaves the connection to the next operation. One that is not kept is closed.
    fn keep(&self, session: Session) {
        self.lane.idle().push(session);
    }
}

/// Opens a connection and does `work` on it, here.
fn open<T>(
    database: &Database,
    work: impl Fn(&mut Connection) -> Result<T, Cause>,
) -> Result<(Session, Result<T, Cause>), Cause> {
    let session = database.connect()?;
    let result = session.connection.interact_here(work);
    Ok((session, result))
}

#[cfg(test)]
mod tests {
    use larder_core::Durability;

    use super::*;

    #[tokio::test]
    async fn an_operation_that_panics_costs_its_connection_and_no_other_operation() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("redirects.sqlite");
        let database = Database::new(path, Durability::Relaxed, 1).expect("any path");
        let lanes = Lanes::new(database, 1, Duration::from_secs(1)).expect("a runtime");
        for _ in 0..3 {
            lanes.try_run(Access::Write, |_| Ok(())).await.expect("a connection is opened");
            let cause = lanes.try_run(Access::Write, |_| -> Result<(), Cause> { panic!("a bug") }).await;
            assert!(matches!(cause, Err(Cause::Panicked)), "{cause:?}");
        }
        lanes.try_run(Access::Read, |_| Ok(())).await.expect("a connection is opened");
        lanes.close().await.expect("closed");
    }
}

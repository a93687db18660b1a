//! The connections, and the one hop to a blocking thread that each operation takes.
//!
//! The pool is deadpool's; what it hands out is an empty [`Slot`] that opens its connection in the first operation's
//! own hop. A slot moves into the blocking thread and comes back from there, so that a caller that drops its
//! future never gives away a connection that is still at work. `deadpool-sqlite`'s manager is not used: it takes a
//! second hop and a query for every checkout, opens files by any name with the umask's mode, and panics when a
//! connection is dropped outside of a runtime.
//!
//! One connection writes, so that the writers of one process queue in order and only other processes are waited for.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use deadpool::managed;
use larder_core::{ErrorKind, Result};
use rusqlite::Connection;
use tokio::runtime::Handle;

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
pub(crate) struct Pool {
    database: Arc<Database>,
    readers: Option<Lane>,
    writers: Lane,
    runtime: Handle,
    closed: AtomicBool,
}

/// Connections that are used in the order in which they were asked for.
#[derive(Debug)]
struct Lane {
    slots: managed::Pool<Slots>,
    patience: Arc<Patience>,
}

impl Pool {
    /// Returns a pool of at most `connections`, at least one, none of which is open yet.
    pub(crate) fn new(database: Arc<Database>, connections: usize, timeout: Duration) -> Result<Self, Cause> {
        let runtime = Handle::try_current().map_err(|_| Cause::NoRuntime)?;
        let readers = connections.saturating_sub(1);
        Ok(Self {
            readers: if readers == 0 { None } else { Some(Lane::new(&database, readers, timeout)) },
            writers: Lane::new(&database, 1, timeout),
            database,
            runtime,
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
        let mut slots = Vec::new();
        for lane in self.lanes() {
            for _ in 0..lane.slots.status().max_size {
                slots.push(lane.slots.get().await.map_err(|_| Cause::Closed)?);
            }
            lane.slots.close();
        }
        let database = self.database.clone();
        let deadline = self.writers.patience.deadline(Instant::now());
        let retire = move || {
            let sessions = slots.iter_mut().filter_map(|slot| slot.session.take()).collect();
            busy::until(deadline, || database.retire(sessions));
        };
        self.hop(retire).await
    }

    async fn try_run<T, F>(&self, access: Access, work: F) -> Result<T, Cause>
    where
        T: Send + 'static,
        F: Fn(&mut Connection) -> Result<T, Cause> + Send + 'static,
    {
        let asked = Instant::now();
        if self.closed.load(Ordering::Acquire) {
            return Err(Cause::Closed);
        }
        let lane = self.lane(access);
        let mut slot = lane.slots.get().await.map_err(|_| Cause::Closed)?;
        let patience = lane.patience.clone();
        let attempt = move || {
            let result = busy::until(patience.deadline(asked), || slot.run(&work));
            if matches!(&result, Err(cause) if cause.kind() == ErrorKind::Unavailable) {
                patience.give_up();
            }
            result
        };
        self.hop(attempt).await?
    }

    /// Runs `work` on a blocking thread of the caller's runtime, or of the one that the index was opened in.
    async fn hop<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Cause> {
        let runtime = Handle::try_current().unwrap_or_else(|_| self.runtime.clone());
        let task = runtime.spawn_blocking(work);
        task.await.map_err(|error| if error.is_panic() { Cause::Panicked } else { Cause::RuntimeGone })
    }

    fn lane(&self, access: Access) -> &Lane {
        match access {
            Access::Read => self.readers.as_ref().unwrap_or(&self.writers),
            Access::Write => &self.writers,
        }
    }

    fn lanes(&self) -> impl Iterator<Item = &Lane> {
        self.readers.iter().chain([&self.writers])
    }
}

impl Lane {
    fn new(database: &Arc<Database>, size: usize, timeout: Duration) -> Self {
        let slots = managed::Pool::builder(Slots(database.clone())).max_size(size).build();
        let slots = slots.expect("only a pool with timeouts needs a runtime");
        Self { slots, patience: Arc::new(Patience::new(timeout)) }
    }
}

/// Makes slots; neither making nor reusing one does any input or output.
#[derive(Debug)]
struct Slots(Arc<Database>);

impl managed::Manager for Slots {
    type Type = Slot;
    type Error = Infallible;

    async fn create(&self) -> Result<Slot, Infallible> {
        Ok(Slot { database: self.0.clone(), session: None })
    }

    async fn recycle(&self, _: &mut Slot, _: &managed::Metrics) -> managed::RecycleResult<Infallible> {
        Ok(())
    }
}

/// A place for one session, filled when it is first used.
#[derive(Debug)]
struct Slot {
    database: Arc<Database>,
    session: Option<Session>,
}

impl Slot {
    fn run<T>(&mut self, work: impl Fn(&mut Connection) -> Result<T, Cause>) -> Result<T, Cause> {
        let cause = match self.attempt(&work) {
            Ok(value) => return Ok(value),
            Err(cause) => cause,
        };
        let Some(session) = self.session.take() else { return Err(cause) };
        match cause.verdict() {
            Verdict::Corrupt => self.database.replace(session, &cause)?,
            Verdict::Stale => drop(session),
            // What a connection says whose database has lost its name or its logs does not matter.
            Verdict::Doubtful if !self.database.is_current(&session) => drop(session),
            Verdict::Doubtful => return Err(cause),
            Verdict::Sound => {
                self.session = Some(session);
                return Err(cause);
            }
        }
        self.attempt(&work)
    }

    fn attempt<T>(&mut self, work: impl Fn(&mut Connection) -> Result<T, Cause>) -> Result<T, Cause> {
        let session = match self.session.take() {
            // A row written to a database that has lost its name would be lost, and nobody would see it.
            Some(session) if self.database.is_current(&session) => session,
            _ => self.database.connect()?,
        };
        work(&mut self.session.insert(session).connection)
    }
}

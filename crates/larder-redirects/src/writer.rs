//! The one connection that writes, and the queue in front of it.
//!
//! Whoever adds to an idle queue starts its *drive* on a blocking thread, which works until nothing is queued: what
//! is queued meanwhile costs no hop, and all of it that fits shares one transaction. Nothing ever waits for more
//! to come. A job that is queued is done, whether or not its caller still polls, unless the index is dropped or its
//! runtime ends; so a future that is dropped leaves a whole operation or none.

use std::collections::VecDeque;
use std::fmt;
use std::mem;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use larder_core::ErrorKind;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::attempt;
use crate::busy::{self, Patience};
use crate::change::{self, Change};
use crate::database::Database;
use crate::error::{Cause, Verdict};
use crate::mirror::{Loading, Mirror};
use crate::queries::BATCH;
use crate::session::{Identified, Session};

/// How many operations share a transaction at most.
const MOST_TOGETHER: usize = 512;
/// After how many transactions a drive lets others have its blocking thread.
const TRANSACTIONS_PER_DRIVE: usize = 16;

/// What an operation has come to: how many rows it deleted.
pub(crate) type Outcome = Result<u64, Arc<Cause>>;

type Work = Box<dyn FnOnce(&Writer, Instant) + Send>;

pub(crate) struct Writer {
    database: Arc<Database>,
    mirror: Arc<Mirror>,
    patience: Patience,
    /// The runtime that the index was opened in, which takes over when another one shuts down.
    home: Handle,
    queue: Mutex<Queue>,
    /// The connection, when it is open and nothing is done on it.
    idle: Mutex<Option<Session>>,
    batches: AtomicU64,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    is_driven: bool,
    is_closed: bool,
}

enum Job {
    Change(Instant, Change, oneshot::Sender<Outcome>),
    Work(Instant, Work),
}

impl Writer {
    pub(crate) fn new(
        database: Arc<Database>,
        mirror: Arc<Mirror>,
        home: Handle,
        timeout: Duration,
    ) -> Arc<Self> {
        Arc::new(Self {
            database,
            mirror,
            patience: Patience::new(timeout),
            home,
            queue: Mutex::default(),
            idle: Mutex::default(),
            batches: AtomicU64::new(0),
        })
    }

    /// Does `change`, perhaps together with others. Once polled, it is done even if the future is dropped.
    pub(crate) async fn change(self: &Arc<Self>, runtime: &Handle, change: Change) -> Outcome {
        let (reply, outcome) = oneshot::channel();
        self.submit(runtime, Job::Change(Instant::now(), change, reply)).map_err(Arc::new)?;
        outcome.await.unwrap_or_else(|_| Err(Arc::new(Cause::RuntimeGone)))
    }

    /// Does `work` by itself, after what is queued. Once polled, it is done even if the future is dropped.
    pub(crate) async fn work<T: Send + 'static>(
        self: &Arc<Self>,
        runtime: &Handle,
        work: impl Fn(&mut Identified<'_>) -> Result<T, Cause> + Send + 'static,
    ) -> Result<T, Cause> {
        let job = move |writer: &Self, asked| writer.attempt(asked, work);
        self.run(runtime, job).await?
    }

    /// Makes the mirror's copy, after what is queued. Nobody waits for it.
    pub(crate) fn load(self: &Arc<Self>, runtime: &Handle, loading: Loading) {
        let load = |writer: &Self, asked| {
            busy::until(writer.patience.deadline(asked), || loading.run());
        };
        // If it cannot be queued there is no more use for a copy either.
        let _ = self.submit(runtime, Job::Work(Instant::now(), Box::new(load)));
    }

    /// Closes this connection, the mirror's and `others`, after what is queued.
    pub(crate) async fn close(
        self: &Arc<Self>,
        runtime: &Handle,
        mut others: Vec<Session>,
    ) -> Result<(), Cause> {
        let close = move |writer: &Self, asked| {
            others.extend(writer.abandon());
            busy::until(writer.patience.deadline(asked), || writer.database.retire(others));
        };
        self.run(runtime, close).await
    }

    /// Lets nothing more be done, and returns the connections that are not at work; those are closed afterwards.
    pub(crate) fn abandon(&self) -> Vec<Session> {
        self.queue().is_closed = true;
        self.idle().take().into_iter().chain(self.mirror.close()).collect()
    }

    /// Returns whether nothing is queued or being done.
    pub(crate) fn is_idle(&self) -> bool {
        !self.queue().is_driven
    }

    /// Returns how many batches of changes were committed or tried.
    pub(crate) fn batches(&self) -> u64 {
        self.batches.load(Ordering::Relaxed)
    }

    async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        runtime: &Handle,
        job: impl FnOnce(&Self, Instant) -> T + Send + 'static,
    ) -> Result<T, Cause> {
        let (reply, outcome) = oneshot::channel();
        let job = move |writer: &Self, asked| {
            // If nobody waits for it, it is done all the same.
            let _ = reply.send(job(writer, asked));
        };
        self.submit(runtime, Job::Work(Instant::now(), Box::new(job)))?;
        outcome.await.map_err(|_| Cause::RuntimeGone)
    }

    fn submit(self: &Arc<Self>, runtime: &Handle, job: Job) -> Result<(), Cause> {
        let mut queue = self.queue();
        if queue.is_closed {
            return Err(Cause::Closed);
        }
        queue.jobs.push_back(job);
        let is_driven = mem::replace(&mut queue.is_driven, true);
        drop(queue);
        if !is_driven {
            Drive::start(self.clone(), runtime);
        }
        Ok(())
    }

    /// Takes what is done next: one piece of work, or changes that fit together. `None` ends the drive.
    fn next(&self) -> Option<Next> {
        let mut queue = self.queue();
        let Some(first) = queue.jobs.pop_front() else {
            queue.is_driven = false;
            return None;
        };
        let (mut asked, change, reply) = match first {
            Job::Work(asked, work) => return Some(Next::Work(asked, work)),
            Job::Change(asked, change, reply) => (asked, change, reply),
        };
        let mut weight = change.weight();
        let (mut changes, mut replies) = (vec![change], vec![reply]);
        while changes.len() < MOST_TOGETHER {
            match queue.jobs.front() {
                Some(Job::Change(_, change, _)) if weight.saturating_add(change.weight()) <= BATCH.into() => {
                    weight += change.weight();
                }
                _ => break,
            }
            if let Some(Job::Change(later, change, reply)) = queue.jobs.pop_front() {
                asked = later;
                changes.push(change);
                replies.push(reply);
            }
        }
        Some(Next::Changes(asked, changes, replies))
    }

    fn do_changes(&self, asked: Instant, changes: Vec<Change>, replies: Vec<oneshot::Sender<Outcome>>) {
        let changes = Arc::new(changes);
        let cause = match self.commit(asked, &changes[..]) {
            Ok(deleted) => {
                reply_all(replies, deleted.into_iter().map(Ok));
                return;
            }
            Err(cause) => cause,
        };
        // Nothing has been done, by the fault of any of them; who is at fault is found by doing each by itself.
        let is_of_one = cause.verdict() == Verdict::Sound && cause.kind() != ErrorKind::Unavailable;
        if changes.len() > 1 && is_of_one {
            let each = changes.iter().map(|change| {
                let deleted = self.commit(asked, std::slice::from_ref(change)).map_err(Arc::new)?;
                Ok(deleted.into_iter().sum())
            });
            reply_all(replies, each);
        } else {
            let cause = Arc::new(cause);
            reply_all(replies, std::iter::repeat_with(|| Err(cause.clone())));
        }
    }

    fn commit(&self, asked: Instant, changes: &[Change]) -> Result<Vec<u64>, Cause> {
        self.batches.fetch_add(1, Ordering::Relaxed);
        self.attempt(asked, |session| change::commit(session, changes, &self.mirror))
    }

    /// Does `work` on the connection. All that blocks is done in here.
    fn attempt<T>(
        &self,
        asked: Instant,
        work: impl Fn(&mut Identified<'_>) -> Result<T, Cause>,
    ) -> Result<T, Cause> {
        if self.queue().is_closed {
            return Err(Cause::Closed);
        }
        let idle = self.idle().take();
        let work = || attempt::attempt(&self.database, idle, work, |session| self.keep(session));
        let work = || self.patience.until(asked, work);
        panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or(Err(Cause::Panicked))
    }

    fn keep(&self, session: Session) {
        // Looked at with the place locked, so that whoever closes finds it here or it is closed now.
        let mut idle = self.idle();
        if !self.queue().is_closed {
            *idle = Some(session);
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn idle(&self) -> MutexGuard<'_, Option<Session>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("batches", &self.batches()).finish_non_exhaustive()
    }
}

enum Next {
    Work(Instant, Work),
    Changes(Instant, Vec<Change>, Vec<oneshot::Sender<Outcome>>),
}

/// What works on a queue. If it is dropped before it began, its runtime has shut down. Then the writer's own runtime
/// takes the jobs over, which may be those of callers elsewhere; if that has shut down too, they are dropped.
struct Drive {
    writer: Option<Arc<Writer>>,
    runtime: Handle,
}

impl Drive {
    fn start(writer: Arc<Writer>, runtime: &Handle) {
        Self { writer: Some(writer), runtime: runtime.clone() }.spawn();
    }

    fn spawn(self) {
        self.runtime.clone().spawn_blocking(move || self.run());
    }

    fn run(mut self) {
        let Some(writer) = self.writer.take() else { return };
        for _ in 0..TRANSACTIONS_PER_DRIVE {
            match writer.next() {
                None => return,
                Some(Next::Changes(asked, changes, replies)) => writer.do_changes(asked, changes, replies),
                Some(Next::Work(asked, work)) => {
                    let work = AssertUnwindSafe(|| work(&writer, asked));
                    // Who waits for it learns it, because what it would have been told with is dropped.
                    let _ = panic::catch_unwind(work);
                }
            }
        }
        Self::start(writer, &self.runtime);
    }
}

impl Drop for Drive {
    fn drop(&mut self) {
        let Some(writer) = self.writer.take() else { return };
        if writer.home.id() != self.runtime.id() {
            let drive = Self { runtime: writer.home.clone(), writer: Some(writer) };
            // A runtime may be locked while it drops this, and another one's lock is not to be taken within it. If
            // there is no thread to be had, `drive` is dropped here.
            let _ = thread::Builder::new().spawn(move || drive.spawn());
            return;
        }
        let mut queue = writer.queue();
        queue.is_driven = false;
        let jobs = mem::take(&mut queue.jobs);
        drop(queue);
        drop(jobs);
    }
}

fn reply_all(replies: Vec<oneshot::Sender<Outcome>>, outcomes: impl Iterator<Item = Outcome>) {
    for (reply, outcome) in replies.into_iter().zip(outcomes) {
        // If nobody waits for it, it is done all the same.
        let _ = reply.send(outcome);
    }
}

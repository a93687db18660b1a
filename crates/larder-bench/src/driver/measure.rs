//! Interleaved rounds: every contender of a row does a share of its work in turn, so that what disturbs the machine
//! disturbs all of them.
//!
//! A round is long enough for the clock not to matter; what one operation costs is its share of the round.

use std::iter::StepBy;
use std::ops::Range;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::LocalBoxFuture;
use hdrhistogram::Histogram;
use larder_core::BoxError;
use tokio::runtime::Runtime;

use super::statistics::{float, whole};
use crate::Terms;

/// How long a row may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// How long one round of one contender shall be.
    pub(crate) round: Duration,
    /// How long all rounds of all contenders may be, once there are enough.
    pub(crate) budget: Duration,
    /// How many rounds there are at least.
    pub(crate) least: usize,
    /// How many rounds there are at most.
    pub(crate) most: usize,
    /// How many operations a round has at most.
    pub(crate) most_operations: usize,
}

impl Plan {
    /// Returns the plan of most rows.
    pub(crate) fn new(quick: bool) -> Self {
        let (round, budget, least, most) = if quick { (8, 1_000, 3, 11) } else { (25, 5_000, 5, 31) };
        Self {
            round: Duration::from_millis(round),
            budget: Duration::from_millis(budget),
            least,
            most,
            most_operations: 100_000,
        }
    }

    /// Limits how many operations a round has.
    pub(crate) fn most_operations(mut self, most: usize) -> Self {
        self.most_operations = most;
        self
    }

    /// Makes every round one operation, `rounds` times.
    pub(crate) fn single(rounds: usize) -> Self {
        Self {
            round: Duration::ZERO,
            budget: Duration::ZERO,
            least: rounds,
            most: rounds,
            most_operations: 1,
        }
    }
}

type Outcome<T> = Result<T, BoxError>;
/// Something done before or after a round, for its operations.
type Step = Box<dyn Fn(usize) -> LocalBoxFuture<'static, Outcome<()>>>;
/// So many operations, and how long they took.
type Work = Box<dyn Fn(usize) -> LocalBoxFuture<'static, Outcome<Duration>>>;
type Latencies = Arc<Mutex<Histogram<u64>>>;

/// The operations of one task in one round, by their numbers.
#[derive(Debug)]
pub(crate) struct Turns {
    numbers: StepBy<Range<usize>>,
    began: Instant,
    is_first: bool,
    latencies: Option<Histogram<u64>>,
}

impl Turns {
    fn new(task: usize, tasks: usize, count: usize, records: bool) -> Self {
        let numbers = (task..count).step_by(tasks);
        Self { numbers, began: Instant::now(), is_first: true, latencies: records.then(histogram) }
    }

    /// Returns the numbers that are still to come.
    pub(crate) fn numbers(&self) -> StepBy<Range<usize>> {
        self.numbers.clone()
    }
}

impl ExactSizeIterator for Turns {}

impl Iterator for Turns {
    type Item = usize;

    /// Ends one operation and begins the next.
    fn next(&mut self) -> Option<usize> {
        if let Some(latencies) = &mut self.latencies {
            if !self.is_first {
                latencies.saturating_record(nanoseconds_since(self.began));
            }
            self.is_first = false;
            self.began = Instant::now();
        }
        self.numbers.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.numbers.size_hint()
    }
}

/// One contender in a row.
pub(crate) struct Lane {
    name: String,
    terms: Option<Terms>,
    tasks: usize,
    prepare: Option<Step>,
    work: Work,
    clean: Option<Step>,
    latencies: Option<Latencies>,
}

impl Lane {
    /// Returns a lane in which `tasks` tasks take turns; one takes all of them on the main task.
    ///
    /// `worker` does the operations of one task, and gives the turns back at their end.
    pub(crate) fn new<F, R>(name: impl Into<String>, tasks: usize, worker: F) -> Self
    where
        F: Fn(Turns) -> R + 'static,
        R: Future<Output = Outcome<Turns>> + Send + 'static,
    {
        Self::with(name, tasks, worker, None)
    }

    /// Returns a lane as [`Lane::new`] does, in which the time of each operation is looked at too.
    pub(crate) fn recording<F, R>(name: impl Into<String>, tasks: usize, worker: F) -> Self
    where
        F: Fn(Turns) -> R + 'static,
        R: Future<Output = Outcome<Turns>> + Send + 'static,
    {
        Self::with(name, tasks, worker, Some(Arc::new(Mutex::new(histogram()))))
    }

    fn with<F, R>(name: impl Into<String>, tasks: usize, worker: F, latencies: Option<Latencies>) -> Self
    where
        F: Fn(Turns) -> R + 'static,
        R: Future<Output = Outcome<Turns>> + Send + 'static,
    {
        let (worker, recorded) = (Rc::new(worker), latencies.clone());
        let work = move |count| {
            let (worker, recorded) = (Rc::clone(&worker), recorded.clone());
            async move { timed(tasks, count, &*worker, recorded).await }
        };
        Self { tasks, latencies, ..Self::counted(name, work) }
    }

    /// Returns a lane in which `work` does so many operations and says itself how long they took.
    pub(crate) fn counted<F, R>(name: impl Into<String>, work: F) -> Self
    where
        F: Fn(usize) -> R + 'static,
        R: Future<Output = Outcome<Duration>> + 'static,
    {
        let work: Work = Box::new(move |count| Box::pin(work(count)));
        Self { name: name.into(), terms: None, tasks: 1, prepare: None, work, clean: None, latencies: None }
    }

    /// Sets what a table calls it.
    pub(crate) fn named(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// Sets what the contender promises.
    pub(crate) fn terms(mut self, terms: Terms) -> Self {
        self.terms = Some(terms);
        self
    }

    /// Does `step` before each round, outside of its time.
    pub(crate) fn prepare<R>(mut self, step: impl Fn(usize) -> R + 'static) -> Self
    where
        R: Future<Output = Outcome<()>> + 'static,
    {
        self.prepare = Some(Box::new(move |count| Box::pin(step(count))));
        self
    }

    /// Does `step` after each round, outside of its time.
    pub(crate) fn clean<R>(mut self, step: impl Fn(usize) -> R + 'static) -> Self
    where
        R: Future<Output = Outcome<()>> + 'static,
    {
        self.clean = Some(Box::new(move |count| Box::pin(step(count))));
        self
    }

    async fn round(&self, count: usize) -> Outcome<Duration> {
        if let Some(prepare) = &self.prepare {
            prepare(count).await?;
        }
        let elapsed = (self.work)(count).await?;
        if let Some(clean) = &self.clean {
            clean(count).await?;
        }
        Ok(elapsed)
    }

    /// Returns how many operations fill a round.
    async fn calibrate(&self, plan: &Plan) -> Outcome<usize> {
        let most = plan.most_operations.max(self.tasks);
        let mut count = self.tasks.min(most);
        loop {
            let elapsed = self.round(count).await?;
            if count == most || elapsed * 4 >= plan.round {
                let share = plan.round.as_secs_f64() / elapsed.as_secs_f64().max(1e-9);
                let filled = whole(float(count) * share);
                // Whole turns of the tasks.
                return Ok((filled / self.tasks * self.tasks).clamp(self.tasks.min(most), most));
            }
            count = (count * 4).min(most);
        }
    }
}

/// What was measured of one contender.
#[derive(Debug, Clone)]
pub(crate) struct Measured {
    pub(crate) name: String,
    pub(crate) terms: Option<Terms>,
    /// What one operation cost in each round.
    pub(crate) rounds: Vec<f64>,
    /// How many operations a round has.
    pub(crate) operations: usize,
    /// Nanoseconds below which half and 99 % of the operations were.
    pub(crate) latency: Option<(f64, f64)>,
    /// Why it is not measured.
    pub(crate) failure: Option<String>,
}

impl Measured {
    /// Returns what was measured by other means than rounds of operations.
    pub(crate) fn of(name: impl Into<String>, rounds: Vec<f64>) -> Self {
        Self { name: name.into(), terms: None, rounds, operations: 1, latency: None, failure: None }
    }

    /// Returns a contender that failed.
    pub(crate) fn failed(name: impl Into<String>, failure: impl std::fmt::Display) -> Self {
        let mut measured = Self::of(name, Vec::new());
        measured.failure = Some(failure.to_string());
        measured
    }
}

/// Measures `lanes` in turn, round by round.
pub(crate) fn interleave(runtime: &Runtime, plan: &Plan, lanes: &[Lane]) -> Vec<Measured> {
    runtime.block_on(async {
        let mut measured = Vec::new();
        for lane in lanes {
            let mut result = Measured::of(&lane.name, Vec::new());
            result.terms = lane.terms;
            let operations = match plan.most_operations {
                // There may be no second time.
                1 => Ok(1),
                _ => lane.calibrate(plan).await,
            };
            match operations {
                Ok(operations) => result.operations = operations,
                Err(error) => result.failure = Some(error.to_string()),
            }
            if let Some(latencies) = &lane.latencies {
                latencies.lock().unwrap_or_else(PoisonError::into_inner).reset();
            }
            measured.push(result);
        }
        let start = Instant::now();
        for round in 0..plan.most {
            if round >= plan.least && start.elapsed() >= plan.budget {
                break;
            }
            for (lane, result) in lanes.iter().zip(&mut measured) {
                if result.failure.is_some() {
                    continue;
                }
                match lane.round(result.operations).await {
                    Ok(elapsed) => {
                        let nanoseconds = elapsed.as_secs_f64() * 1e9;
                        result.rounds.push(nanoseconds / float(result.operations));
                    }
                    Err(error) => result.failure = Some(error.to_string()),
                }
            }
        }
        for (lane, result) in lanes.iter().zip(&mut measured) {
            if let Some(latencies) = &lane.latencies {
                let latencies = latencies.lock().unwrap_or_else(PoisonError::into_inner);
                result.latency = Some((quantile(&latencies, 0.5), quantile(&latencies, 0.99)));
            }
        }
        measured
    })
}

/// Returns an empty histogram of nanoseconds, up to a minute.
pub(crate) fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000_000, 3).expect("the bounds are in order")
}

/// Returns the nanoseconds since `start`, as a histogram takes them.
pub(crate) fn nanoseconds_since(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX).max(1)
}

/// Returns the nanoseconds below which the share `at` of what was recorded is.
pub(crate) fn quantile(histogram: &Histogram<u64>, at: f64) -> f64 {
    float(usize::try_from(histogram.value_at_quantile(at)).unwrap_or(usize::MAX))
}

async fn timed<F, R>(tasks: usize, count: usize, worker: &F, recorded: Option<Latencies>) -> Outcome<Duration>
where
    F: Fn(Turns) -> R,
    R: Future<Output = Outcome<Turns>> + Send + 'static,
{
    let turns = |task| Turns::new(task, tasks, count, recorded.is_some());
    // What a worker makes for itself before its first turn is not measured.
    let workers: Vec<R> = (0..tasks).map(|task| worker(turns(task))).collect();
    let start = Instant::now();
    let done = if tasks == 1 {
        let mut done = Vec::with_capacity(1);
        for worker in workers {
            done.push(worker.await?);
        }
        done
    } else {
        let spawned: Vec<_> = workers.into_iter().map(tokio::spawn).collect();
        let mut done = Vec::with_capacity(tasks);
        for task in spawned {
            done.push(task.await??);
        }
        done
    };
    let elapsed = start.elapsed();
    if let Some(recorded) = recorded {
        let mut recorded = recorded.lock().unwrap_or_else(PoisonError::into_inner);
        for latencies in done.into_iter().filter_map(|turns| turns.latencies) {
            recorded.add(latencies)?;
        }
    }
    Ok(elapsed)
}

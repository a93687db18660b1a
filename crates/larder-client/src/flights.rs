//! Requests that are under way, so that one exchange answers all who ask for the same.
//!
//! For each key there is at most one leader, who asks the origin; the others wait for it. A leader that fails or is
//! dropped makes exactly one of those who wait the new leader. When the answer cannot be shared, all are released at
//! once, and the key is remembered, so that requests for it do not queue up behind one another again.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use larder_core::{CacheKey, Timestamp};
use tokio::sync::Notify;

/// How many leaders of one flight may fail before those who wait are left to themselves.
const MOST_FAILURES: u8 = 2;
/// How many keys are remembered as not to be shared, the latest.
const MOST_REMEMBERED: usize = 4096;
/// For how long a key is remembered.
const REMEMBERED_FOR: Duration = Duration::from_mins(2);

/// The flights of one cache, whose answers are `T`; cloning is cheap, and the clones are the same flights.
#[derive(Debug)]
pub(crate) struct Flights<T>(Arc<Mutex<Table<T>>>);

#[derive(Debug)]
struct Table<T> {
    flights: HashMap<CacheKey, Arc<Flight<T>>>,
    /// How many flights have ended; whoever looked something up before cannot know what they stored.
    ended: u64,
    unshared: HashMap<CacheKey, Timestamp>,
    /// The keys of `unshared`, and some that are there no more, oldest first.
    unshared_order: VecDeque<CacheKey>,
}

#[derive(Debug)]
struct Flight<T> {
    /// What its request is looked up under, which is that of all its variants.
    primary: CacheKey,
    stage: Mutex<Stage<T>>,
    changed: Notify,
}

#[derive(Debug)]
struct Stage<T> {
    state: State<T>,
    waiting: usize,
    failures: u8,
}

#[derive(Debug)]
enum State<T> {
    /// There is a leader.
    Led,
    /// The leader is gone; the first who sees it takes its place.
    Vacant,
    Answered(T),
    /// There is nothing to share.
    Released,
    /// What is stored has changed.
    Landed,
}

/// What joining a flight comes to.
#[derive(Debug)]
pub(crate) enum Joined<T: Clone> {
    /// Ask the origin, for all.
    Leader(Leader<T>),
    /// This is the leader's answer.
    Answer(T),
    /// Ask the origin, for yourself.
    Alone,
    /// Look again at what is stored.
    Again,
}

impl<T: Clone> Flights<T> {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(Table {
            flights: HashMap::new(),
            ended: 0,
            unshared: HashMap::new(),
            unshared_order: VecDeque::new(),
        })))
    }

    /// Returns how many flights have ended so far.
    pub(crate) fn ended(&self) -> u64 {
        lock(&self.0).ended
    }

    /// Lets nobody else join the flights for requests under `primary`: what they bring is out of date.
    pub(crate) fn abandon(&self, primary: &CacheKey) {
        let mut table = lock(&self.0);
        let before = table.flights.len();
        table.flights.retain(|_, flight| flight.primary != *primary);
        table.ended += (before - table.flights.len()) as u64;
    }

    /// Ends the flight for `key` if it has an answer of which `is_over` is true.
    pub(crate) fn end_if(&self, key: &CacheKey, is_over: impl FnOnce(&T) -> bool) {
        let flight = lock(&self.0).flights.get(key).cloned();
        if let Some(flight) = flight
            && matches!(&lock(&flight.stage).state, State::Answered(answer) if is_over(answer))
        {
            self.end(key, &flight);
        }
    }

    /// Joins the flight for `key` and waits for its answer, or begins one.
    ///
    /// If the future is dropped, whoever waits is none the worse.
    pub(crate) async fn join(&self, key: &CacheKey, primary: &CacheKey, now: Timestamp) -> Joined<T> {
        let flight = {
            let mut table = lock(&self.0);
            if table.unshared.get(key).is_some_and(|until| now < *until) {
                return Joined::Alone;
            }
            match table.flights.get(key) {
                Some(flight) => Arc::clone(flight),
                None => return Joined::Leader(self.begin(&mut table, key, primary)),
            }
        };
        lock(&flight.stage).waiting += 1;
        let waiting = Waiting { flights: self.clone(), key, flight };
        loop {
            let changed = waiting.flight.changed.notified();
            {
                let mut stage = lock(&waiting.flight.stage);
                match &stage.state {
                    State::Led => {}
                    State::Answered(answer) => return Joined::Answer(answer.clone()),
                    State::Released => return Joined::Alone,
                    State::Landed => return Joined::Again,
                    State::Vacant => {
                        stage.state = State::Led;
                        let flight = Arc::clone(&waiting.flight);
                        return Joined::Leader(Leader { flights: self.clone(), key: key.clone(), flight });
                    }
                }
            }
            changed.await;
        }
    }

    /// Begins a flight for `key`, unless there is one.
    pub(crate) fn lead(&self, key: &CacheKey, primary: &CacheKey) -> Option<Leader<T>> {
        let mut table = lock(&self.0);
        if table.flights.contains_key(key) { None } else { Some(self.begin(&mut table, key, primary)) }
    }

    fn begin(&self, table: &mut Table<T>, key: &CacheKey, primary: &CacheKey) -> Leader<T> {
        let stage = Stage { state: State::Led, waiting: 0, failures: 0 };
        let flight =
            Arc::new(Flight { primary: primary.clone(), stage: Mutex::new(stage), changed: Notify::new() });
        table.flights.insert(key.clone(), Arc::clone(&flight));
        Leader { flights: self.clone(), key: key.clone(), flight }
    }

    /// Removes `flight`, so that whoever comes next begins another.
    fn end(&self, key: &CacheKey, flight: &Arc<Flight<T>>) {
        let mut table = lock(&self.0);
        if table.flights.get(key).is_some_and(|current| Arc::ptr_eq(current, flight)) {
            table.flights.remove(key);
            table.ended += 1;
        }
    }
}

impl<T> Clone for Flights<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// The place of the one who asks the origin; dropping it without an answer makes another one the leader.
#[derive(Debug)]
pub(crate) struct Leader<T: Clone> {
    flights: Flights<T>,
    key: CacheKey,
    flight: Arc<Flight<T>>,
}

impl<T: Clone> Leader<T> {
    /// Gives `answer` to all who wait and who still come, until what is returned is dropped.
    pub(crate) fn answer(self, answer: T) -> Answered<T> {
        let mut table = lock(&self.flights.0);
        if table.unshared.remove(&self.key).is_some() {
            table.unshared_order.retain(|key| *key != self.key);
        }
        drop(table);
        self.set(State::Answered(answer));
        Answered { flights: self.flights.clone(), key: self.key.clone(), flight: Arc::clone(&self.flight) }
    }

    /// Releases all who wait, and remembers at `now` that this key's answers are not shared.
    pub(crate) fn release(self, now: Timestamp) {
        self.set(State::Released);
        let mut table = lock(&self.flights.0);
        if table.unshared.insert(self.key.clone(), now.saturating_add(REMEMBERED_FOR)).is_none() {
            table.unshared_order.push_back(self.key.clone());
        }
        while table.unshared_order.len() > MOST_REMEMBERED {
            if let Some(oldest) = table.unshared_order.pop_front() {
                table.unshared.remove(&oldest);
            }
        }
        drop(table);
        self.flights.end(&self.key, &self.flight);
    }

    /// Ends the flight because what is stored has become the answer.
    pub(crate) fn land(self) {
        self.set(State::Landed);
        self.flights.end(&self.key, &self.flight);
    }

    fn set(&self, state: State<T>) {
        lock(&self.flight.stage).state = state;
        self.flight.changed.notify_waiters();
    }
}

impl<T: Clone> Drop for Leader<T> {
    fn drop(&mut self) {
        let mut stage = lock(&self.flight.stage);
        if !matches!(stage.state, State::Led) {
            return;
        }
        stage.failures += 1;
        let is_over = stage.waiting == 0 || stage.failures >= MOST_FAILURES;
        stage.state = if is_over { State::Released } else { State::Vacant };
        drop(stage);
        self.flight.changed.notify_waiters();
        if is_over {
            self.flights.end(&self.key, &self.flight);
        }
    }
}

/// A flight with an answer; dropping it ends the flight.
#[derive(Debug)]
pub(crate) struct Answered<T: Clone> {
    flights: Flights<T>,
    key: CacheKey,
    flight: Arc<Flight<T>>,
}

impl<T: Clone> Drop for Answered<T> {
    fn drop(&mut self) {
        self.flights.end(&self.key, &self.flight);
    }
}

/// One who waits.
struct Waiting<'a, T: Clone> {
    flights: Flights<T>,
    key: &'a CacheKey,
    flight: Arc<Flight<T>>,
}

impl<T: Clone> Drop for Waiting<'_, T> {
    fn drop(&mut self) {
        let mut stage = lock(&self.flight.stage);
        stage.waiting -= 1;
        let is_deserted = stage.waiting == 0 && matches!(stage.state, State::Vacant);
        drop(stage);
        if is_deserted {
            self.flights.end(self.key, &self.flight);
        }
    }
}

/// Locks `mutex`. Nothing panics under these locks, so that poison would mean nothing.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

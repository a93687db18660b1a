//! The numbers that the clones of a cache count together.
//!
//! Adding is relaxed: a number is right in itself, and says nothing about when another one grew.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};

use crate::recorder::{Counter, Gauge, Histogram, Recorder, Unit};
use crate::{Body, CacheOutcome, CacheStats, Error, Result, Served, StoreStats};

#[derive(Debug)]
pub(crate) struct Counters {
    recorder: Recorder,
    requests: [Requests; CacheOutcome::ALL.len()],
    bytes_from_cache: Count,
    lookups_found: Count,
    lookups_missed: Count,
    stored: Count,
    bytes_stored: Count,
    not_stored: Count,
    failures: Count,
    evicted: Count,
    damaged: Count,
    /// Entries, bytes and their limits, each from when the store first knew it.
    gauges: [OnceLock<Gauge>; GAUGES.len()],
}

/// The requests that were answered in one way.
#[derive(Debug)]
struct Requests {
    count: Count,
    latency: Histogram,
    body_len: Histogram,
}

type ToGauge = (&'static str, Unit, &'static str, fn(&StoreStats) -> Option<u64>);

const GAUGES: [ToGauge; 4] = [
    ("larder_entries", Unit::Count, "The entries in the store.", |stats| stats.entries),
    ("larder_bytes", Unit::Bytes, "The bytes that the entries take.", |stats| stats.bytes),
    ("larder_max_entries", Unit::Count, "The most entries that there may be.", |stats| stats.max_entries),
    ("larder_max_bytes", Unit::Bytes, "The most bytes that they may take.", |stats| stats.max_bytes),
];

impl Counters {
    pub(crate) fn new(recorder: Recorder) -> Self {
        let count = |name, what| Count::new(&recorder, name, Unit::Count, what);
        let bytes = |name, what| Count::new(&recorder, name, Unit::Bytes, what);
        Self {
            requests: CacheOutcome::ALL.map(|outcome| Requests::new(&recorder, outcome)),
            bytes_from_cache: bytes(
                "larder_from_cache_bytes_total",
                "The bytes of stored bodies in answers.",
            ),
            lookups_found: count("larder_lookups_found_total", "Lookups that found an entry."),
            lookups_missed: count("larder_lookups_missed_total", "Lookups that found none, or failed."),
            stored: count("larder_stored_total", "Responses that were stored."),
            bytes_stored: bytes("larder_stored_bytes_total", "The bytes of their bodies."),
            not_stored: count("larder_not_stored_total", "Responses that may not be stored."),
            failures: count("larder_failures_total", "Failures of the cache that were passed over."),
            evicted: count("larder_evicted_total", "Entries that were removed to keep within limits."),
            damaged: count("larder_damaged_total", "Damaged entries that were met."),
            gauges: Default::default(),
            recorder,
        }
    }

    pub(crate) fn served(&self, served: &Served) {
        let requests = &self.requests[served.outcome as usize];
        requests.count.add(1);
        if let Some(latency) = served.latency {
            requests.latency.record(latency);
        }
        if let Some(len) = served.body_len {
            // Lengths that a float cannot tell apart are no lengths that anybody measures.
            #[expect(clippy::cast_precision_loss, reason = "a histogram has buckets")]
            requests.body_len.record(len as f64);
            if served.outcome.is_from_cache() {
                self.bytes_from_cache.add(len);
            }
        }
        if served.not_stored {
            self.not_stored.add(1);
        }
    }

    pub(crate) fn looked_up(&self, is_found: bool) {
        if is_found { &self.lookups_found } else { &self.lookups_missed }.add(1);
    }

    pub(crate) fn stored(&self, len: u64) {
        self.stored.add(1);
        self.bytes_stored.add(len);
    }

    pub(crate) fn failed(&self) {
        self.failures.add(1);
    }

    pub(crate) fn failures(&self) -> u64 {
        self.failures.get()
    }

    /// Tells the recorder what a store has counted and how full it is.
    pub(crate) fn tell(&self, store: &StoreStats) {
        self.evicted.raise_to(store.evicted);
        self.damaged.raise_to(store.damaged);
        for ((name, unit, what, of), gauge) in GAUGES.into_iter().zip(&self.gauges) {
            if let Some(value) = of(store) {
                let gauge = gauge.get_or_init(|| self.recorder.gauge(name, unit, what));
                #[expect(clippy::cast_precision_loss, reason = "a gauge is read, not added up")]
                gauge.set(value as f64);
            }
        }
    }

    pub(crate) fn stats(&self, store: StoreStats) -> CacheStats {
        let requests = |outcome: CacheOutcome| self.requests[outcome as usize].count.get();
        CacheStats {
            hits: requests(CacheOutcome::Hit),
            stale: requests(CacheOutcome::Stale),
            revalidated: requests(CacheOutcome::Revalidated),
            coalesced: requests(CacheOutcome::Coalesced),
            misses: requests(CacheOutcome::Miss),
            bypassed: requests(CacheOutcome::Bypass),
            refused: requests(CacheOutcome::Refused),
            bytes_from_cache: self.bytes_from_cache.get(),
            lookups_found: self.lookups_found.get(),
            lookups_missed: self.lookups_missed.get(),
            stored: self.stored.get(),
            bytes_stored: self.bytes_stored.get(),
            not_stored: self.not_stored.get(),
            failures: self.failures.get(),
            store,
        }
    }
}

impl Requests {
    fn new(recorder: &Recorder, outcome: CacheOutcome) -> Self {
        let (label, seconds) = (("outcome", outcome.as_str()), "The time to the head of an answer.");
        Self {
            count: Count {
                value: AtomicU64::new(0),
                told: recorder.counter(
                    "larder_requests_total",
                    Unit::Count,
                    "Requests that were answered.",
                    Some(label),
                ),
            },
            latency: recorder.histogram("larder_request_seconds", Unit::Seconds, seconds, label),
            body_len: recorder.histogram("larder_body_bytes", Unit::Bytes, "The lengths of bodies.", label),
        }
    }
}

/// A number that is kept here, and told to the recorder as it grows.
#[derive(Debug)]
struct Count {
    value: AtomicU64,
    told: Counter,
}

impl Count {
    fn new(recorder: &Recorder, name: &'static str, unit: Unit, what: &'static str) -> Self {
        Self { value: AtomicU64::new(0), told: recorder.counter(name, unit, what, None) }
    }

    fn add(&self, count: u64) {
        self.value.fetch_add(count, Ordering::Relaxed);
        self.told.increment(count);
    }

    /// Follows a number that somebody else counts.
    fn raise_to(&self, value: u64) {
        let before = self.value.fetch_max(value, Ordering::Relaxed);
        self.told.increment(value.saturating_sub(before));
    }

    fn get(&self) -> u64 {
        self.value.load(Ordering::Relaxed)
    }
}

/// The length of a body that is being stored: known, or counted as it goes by.
pub(crate) enum Length {
    Known(u64),
    Counted(Arc<AtomicU64>),
}

impl Length {
    /// Returns the length that `body` has, or will have had when it was read.
    pub(crate) fn of(body: Body) -> (Body, Self) {
        if let Some(len) = body.exact_len() {
            return (body, Self::Known(len));
        }
        let seen = Arc::<AtomicU64>::default();
        (Body::wrap(Counting { body, seen: Arc::clone(&seen) }), Self::Counted(seen))
    }

    pub(crate) fn get(&self) -> u64 {
        match self {
            Self::Known(len) => *len,
            Self::Counted(seen) => seen.load(Ordering::Relaxed),
        }
    }
}

/// A body whose bytes are counted.
struct Counting {
    body: Body,
    seen: Arc<AtomicU64>,
}

impl HttpBody for Counting {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &frame
            && let Some(data) = frame.data_ref()
        {
            self.seen.fetch_add(data.len() as u64, Ordering::Relaxed);
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

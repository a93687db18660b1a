//! The bound between a request and its cache: whatever the store does, the request goes on.
//!
//! An operation of the cache that fails, panics or takes too long is counted, traced and given up.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use larder_core::{Error, ErrorKind, Result};

/// Runs operations of the cache on behalf of requests.
#[derive(Debug, Clone)]
pub(crate) struct Guard {
    timeout: Duration,
    failures: Arc<AtomicU64>,
}

impl Guard {
    pub(crate) fn new(timeout: Duration) -> Self {
        Self { timeout, failures: Arc::default() }
    }

    /// Returns how long the cache may make a request wait.
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Returns how many operations failed, panicked or took too long.
    pub(crate) fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    /// Returns what `operation` returns, or `None` if it panics or is not done in time.
    pub(crate) async fn run<T>(&self, name: &'static str, operation: impl Future<Output = T>) -> Option<T> {
        match tokio::time::timeout(self.timeout, AssertUnwindSafe(operation).catch_unwind()).await {
            Ok(Ok(outcome)) => return Some(outcome),
            Ok(Err(_panic)) => self.give_up(name, &Error::new(ErrorKind::Other, "the cache panicked")),
            Err(_elapsed) => {
                let message = format!("the cache did not answer within {:?}", self.timeout);
                self.give_up(name, &Error::new(ErrorKind::Unavailable, message));
            }
        }
        None
    }

    /// Returns what `operation` returns, however long it takes, or an error if it panics.
    pub(crate) async fn catch<T>(operation: impl Future<Output = Result<T>>) -> Result<T> {
        AssertUnwindSafe(operation)
            .catch_unwind()
            .await
            .unwrap_or_else(|_panic| Err(Error::new(ErrorKind::Other, "the cache panicked")))
    }

    /// Counts and traces a failure that the request does not see.
    pub(crate) fn give_up(&self, operation: &'static str, error: &Error) {
        self.failures.fetch_add(1, Ordering::Relaxed);
        let cause: &(dyn std::error::Error + 'static) = error;
        tracing::warn!(operation, kind = %error.kind(), error = cause, "the cache failed; going on without it");
    }
}

//! The bound between a request and its cache: whatever the store does, the request goes on.
//!
//! An operation of the cache that fails, panics or takes too long is counted, traced and given up.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use larder_core::{CacheBackend, Error, ErrorKind, Result};

/// Runs operations of the cache on behalf of requests.
#[derive(Debug, Clone)]
pub(crate) struct Guard {
    timeout: Duration,
    backend: CacheBackend,
}

impl Guard {
    /// Returns the guard of what `backend` is asked.
    pub(crate) fn new(backend: CacheBackend, timeout: Duration) -> Self {
        Self { timeout, backend }
    }

    /// Returns how long the cache may make a request wait.
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Returns what `operation` returns, or `None` if it panics or is not done in time.
    pub(crate) async fn run<T>(&self, name: &'static str, operation: impl Future<Output = T>) -> Option<T> {
        match tokio::time::timeout(self.timeout, Self::catch(operation)).await {
            Ok(Ok(outcome)) => return Some(outcome),
            Ok(Err(panicked)) => self.give_up(name, &panicked),
            Err(_elapsed) => {
                let message = format!("the cache did not answer within {:?}", self.timeout);
                self.give_up(name, &Error::new(ErrorKind::Unavailable, message));
            }
        }
        None
    }

    /// Returns what `operation` returns, however long it takes, or an error if it panics.
    pub(crate) async fn catch<T>(operation: impl Future<Output = T>) -> Result<T> {
        let outcome = AssertUnwindSafe(operation).catch_unwind().await;
        outcome.map_err(|_panic| Error::new(ErrorKind::Other, "the cache panicked"))
    }

    /// Counts and traces a failure that the request does not see.
    pub(crate) fn give_up(&self, operation: &'static str, error: &Error) {
        self.backend.pass_over(operation, error);
    }
}

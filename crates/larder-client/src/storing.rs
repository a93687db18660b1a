//! Storing a response while it is read.

use larder_core::{Aliases, CacheKey, CachedResponse, Error, ErrorKind};

use crate::ResponseCache;
use crate::flights::Answered;
use crate::forward::Outcome;
use crate::guard::Guard;
use crate::shared::Shared;
use crate::variants::Placed;

impl ResponseCache {
    /// Stores `entry`, whose body is that of `shared`, in a task of its own.
    ///
    /// `answered` is kept until the entry is visible, so that whoever asks meanwhile joins. Callers see the end of the
    /// body when the store is done, so that whoever has read a response finds it stored. A body that is known to be empty
    /// nobody reads, so that it is waited for here.
    pub(crate) async fn store(
        &self,
        primary: CacheKey,
        placed: Placed,
        entry: CachedResponse,
        aliases: Aliases,
        shared: Shared,
        answered: Option<Answered<Outcome>>,
    ) {
        let cache = self.clone();
        let guard = self.inner.guard.clone();
        let empty = shared.is_empty().then(|| shared.clone());
        let landing = Landing { shared, answered };
        tokio::spawn(async move {
            let key = &placed.key;
            let save = Guard::catch(cache.save(&primary, &placed, entry, &aliases));
            let overdue = async {
                landing.shared.ended().await;
                tokio::time::sleep(guard.timeout()).await;
            };
            let outcome = tokio::select! {
                outcome = save => outcome.flatten(),
                () = overdue => Err(Error::new(ErrorKind::Unavailable, "the store is not done in time")),
            };
            match outcome {
                Ok(()) => {}
                // The origin's failure, or nobody waits: the cache is not to blame.
                Err(error) if error.kind() == ErrorKind::Body => {
                    tracing::debug!(%key, error = &error as &dyn std::error::Error, "not stored");
                }
                Err(error) => guard.give_up("store", &error.with_key(key)),
            }
            drop(landing);
        });
        if let Some(empty) = empty {
            // What is not done by then goes on, as with any other body that nobody waits for.
            let _ = tokio::time::timeout(self.inner.guard.timeout(), empty.settled()).await;
        }
    }
}

/// What ends when the store is done, or its task panicked, or its runtime is gone.
struct Landing {
    shared: Shared,
    #[expect(dead_code, reason = "it ends the flight when it is dropped")]
    answered: Option<Answered<Outcome>>,
}

impl Drop for Landing {
    fn drop(&mut self) {
        self.shared.settle();
    }
}

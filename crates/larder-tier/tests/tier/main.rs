//! What the tier adds to the contract of a store: what it may remember, and for how long.

mod bounds;
mod options;
mod races;
mod staleness;
mod watched;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, StatusCode, Uri};
use larder_core::{CacheKey, CachedResponse, ResponseHead, ResponseStore, Timestamp};
use larder_tier::MemoryTier;

use crate::watched::Watched;

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

fn key(name: &str) -> CacheKey {
    CacheKey::new(name).expect("a valid key")
}

/// Returns a response whose body is `text`, and which a purge at `NOW` deletes.
fn response(text: impl Into<Bytes>) -> CachedResponse {
    let mut head =
        ResponseHead::new(Method::GET, Uri::from_static("https://example.org/"), StatusCode::OK, NOW);
    head.expires_at = Some(NOW);
    CachedResponse::new(head, text.into())
}

/// Returns a tier that remembers for `staleness`, and the store behind it.
fn tier(staleness: Duration) -> (Arc<MemoryTier>, Arc<Watched>) {
    let store = Arc::new(Watched::default());
    let tier = MemoryTier::builder(Arc::clone(&store) as Arc<dyn ResponseStore>)
        .max_staleness(staleness)
        .build()
        .expect("the options are consistent");
    (Arc::new(tier), store)
}

/// Returns the body under `key`.
async fn body(store: &dyn ResponseStore, name: &str) -> Option<Bytes> {
    let response = store.read(&key(name)).await.expect("the store does not fail")?;
    Some(response.body.bytes().await.expect("the body is in memory"))
}

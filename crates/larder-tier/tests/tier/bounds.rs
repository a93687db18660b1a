//! What is held: within the bounds at every moment, and never what is not in memory already.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{HeaderName, HeaderValue};
use larder_core::{
    Body, BoxStream, CacheKey, CachedResponse, ResponseHead, ResponseStore, Result, Revision, StoreStats,
    StoredHead, Timestamp, async_trait,
};
use larder_memory::MemoryStore;
use larder_tier::MemoryTier;
use proptest::collection::vec;
use proptest::prelude::*;
use tokio::runtime::Builder;

use crate::{body, key, response};

#[tokio::test]
async fn an_entry_over_the_bound_is_not_held() {
    let store = Arc::new(MemoryStore::new());
    let tier =
        MemoryTier::builder(store).max_bytes(1 << 20).max_entry_bytes(10_000).build().expect("consistent");
    for (len, held) in
        [(0, true), (1, true), (8_000, true), (9_990, false), (10_000, false), (500_000, false)]
    {
        tier.write(&key("a"), response(vec![7; len])).await.expect("memory");
        assert_eq!(body(&tier, "a").await.expect("an entry").len(), len);
        let usage = tier.usage();
        assert_eq!(usage.entries, u64::from(held), "{len} bytes and a head");
        assert!(
            !held || (len as u64..=10_000).contains(&usage.bytes),
            "{usage:?} for {len} bytes and a head"
        );
    }
}

#[tokio::test]
async fn a_longer_entry_from_elsewhere_takes_the_place_of_a_shorter_one() {
    let store = Arc::new(MemoryStore::new());
    let tier = MemoryTier::builder(Arc::clone(&store) as Arc<dyn ResponseStore>)
        .max_entry_bytes(10_000)
        .max_staleness(Duration::ZERO)
        .build()
        .expect("consistent");
    tier.write(&key("a"), response("short")).await.expect("memory");
    body(&tier, "a").await;
    assert_eq!(tier.usage().entries, 1);
    store.write(&key("a"), response(vec![7; 10_000])).await.expect("memory");
    assert_eq!(body(&tier, "a").await.expect("an entry").len(), 10_000);
    assert_eq!((tier.usage().entries, tier.usage().bytes), (0, 0));
}

#[tokio::test]
async fn a_streamed_body_passes_by_unread() {
    let store = Arc::new(Streaming::default());
    let tier = MemoryTier::builder(Arc::clone(&store) as Arc<dyn ResponseStore>).build().expect("consistent");
    for reads in 1..3 {
        let mut response = tier.read(&key("a")).await.expect("no failure").expect("an entry");
        assert_eq!(store.polls.load(Ordering::SeqCst), 3 * (reads - 1), "nothing was read ahead");
        assert!(response.body.as_bytes().is_none());
        assert_eq!(response.bytes().await.expect("no failure"), "abc");
        assert_eq!(tier.usage().entries, 0);
    }
    assert_eq!(tier.usage().misses, 2);
}

#[test]
fn many_threads_stay_within_the_bound() {
    const MAX: u64 = 1 << 20;
    let store: Arc<dyn ResponseStore> = Arc::new(MemoryStore::new());
    let tier =
        MemoryTier::builder(store).max_bytes(MAX).max_entry_bytes(64 << 10).build().expect("consistent");
    std::thread::scope(|scope| {
        for thread in 0..4_usize {
            let tier = &tier;
            scope.spawn(move || {
                let runtime = Builder::new_current_thread().build().expect("a runtime");
                runtime.block_on(async {
                    for step in 0..2_000_usize {
                        let name = format!("k{}", (step * 7 + thread * 13) % 300);
                        if step % 3 == 0 {
                            let written = response(vec![1; (step * 31) % 60_000]);
                            tier.write(&key(&name), written).await.expect("memory");
                        }
                        body(tier, &name).await;
                        assert!(tier.usage().bytes <= MAX, "{:?}", tier.usage());
                    }
                });
            });
        }
    });
    let usage = tier.usage();
    assert!(usage.hits > 0 && usage.entries > 0 && usage.bytes > MAX / 2, "{usage:?}");
}

/// A step of the model: which key, how long a body, and how many fields.
fn steps() -> impl Strategy<Value = Vec<(u8, usize, usize, bool)>> {
    vec((0..40_u8, prop_oneof![0..200_usize, 0..30_000_usize], 0..40_usize, any::<bool>()), 1..200)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_is_written_and_read_the_bounds_hold(
        steps in steps(),
        max_bytes in 1..200_000_u64,
        share in 1..=100_u64,
    ) {
        let max_entry = (max_bytes * share / 100).max(1);
        let store = Arc::new(MemoryStore::new());
        let tier = MemoryTier::builder(Arc::clone(&store) as Arc<dyn ResponseStore>)
            .max_bytes(max_bytes)
            .max_entry_bytes(max_entry)
            .max_staleness(Duration::MAX)
            .build()?;
        let runtime = Builder::new_current_thread().build()?;
        for (name, len, fields, through) in steps {
            let name = format!("k{name}");
            let mut written = response(vec![name.as_bytes()[1]; len]);
            for field in 0..fields {
                let name: HeaderName = format!("x-{field}").parse()?;
                written.head.headers.append(name, HeaderValue::from_static("value"));
            }
            runtime.block_on(async {
                if through {
                    tier.write(&key(&name), written).await
                } else {
                    tier.read(&key(&name)).await.map(drop)
                }
            })?;
            prop_assert_eq!(runtime.block_on(body(&tier, &name)), runtime.block_on(body(&*store, &name)));
            let usage = tier.usage();
            prop_assert!(usage.bytes <= max_bytes && usage.max_bytes <= max_bytes, "{:?}", usage);
            prop_assert!(usage.bytes <= usage.entries * max_entry, "{:?}", usage);
        }
    }
}

/// A store of one entry, whose body is streamed.
#[derive(Debug, Default)]
struct Streaming {
    none: MemoryStore,
    polls: Arc<AtomicUsize>,
}

#[async_trait]
impl ResponseStore for Streaming {
    async fn read(&self, _: &CacheKey) -> Result<Option<CachedResponse>> {
        let polls = Arc::clone(&self.polls);
        let chunks = stream::iter(["a", "b", "c"]).map(move |chunk| {
            polls.fetch_add(1, Ordering::SeqCst);
            Ok::<_, larder_core::BoxError>(Bytes::from(chunk))
        });
        let head = response("").head;
        Ok(Some(CachedResponse::new(head, Body::from_stream(chunks)).at_revision(Revision::new("1"))))
    }

    async fn read_head(&self, key: &CacheKey) -> Result<Option<StoredHead>> {
        self.none.read_head(key).await
    }

    async fn write(&self, key: &CacheKey, response: CachedResponse) -> Result<()> {
        self.none.write(key, response).await
    }

    async fn update_head(&self, key: &CacheKey, revision: &Revision, head: ResponseHead) -> Result<bool> {
        self.none.update_head(key, revision, head).await
    }

    async fn contains(&self, key: &CacheKey) -> Result<bool> {
        self.none.contains(key).await
    }

    async fn delete(&self, key: &CacheKey) -> Result<bool> {
        self.none.delete(key).await
    }

    async fn bulk_delete(&self, keys: &[CacheKey]) -> Result<u64> {
        self.none.bulk_delete(keys).await
    }

    async fn clear(&self) -> Result<()> {
        self.none.clear().await
    }

    async fn delete_expired(&self, now: Timestamp) -> Result<u64> {
        self.none.delete_expired(now).await
    }

    async fn size(&self) -> Result<u64> {
        self.none.size().await
    }

    fn keys(&self) -> BoxStream<'static, Result<CacheKey>> {
        self.none.keys()
    }

    fn heads(&self) -> BoxStream<'static, Result<(CacheKey, StoredHead)>> {
        self.none.heads()
    }

    fn values(&self) -> BoxStream<'static, Result<(CacheKey, CachedResponse)>> {
        self.none.values()
    }

    fn stats(&self) -> StoreStats {
        self.none.stats()
    }

    async fn close(&self) -> Result<()> {
        self.none.close().await
    }
}

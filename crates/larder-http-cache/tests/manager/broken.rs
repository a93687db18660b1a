//! A store that fails, and responses that are none.

use std::sync::Arc;

use http_cache::{CacheManager, HttpResponse};
use larder_core::{
    BoxStream, CacheKey, CachedResponse, Error, ErrorKind, ResponseHead, ResponseStore, Result, Revision,
    StoreStats, StoredHead, Timestamp, async_trait,
};
use larder_http_cache::Larder;

use crate::support::{BODY, KEY, larder, over, policy, response};

/// A store that is closed.
#[derive(Debug)]
pub(crate) struct Broken;

fn broken<T>() -> Result<T> {
    Err(Error::new(ErrorKind::Closed, "the store is closed"))
}

#[async_trait]
impl ResponseStore for Broken {
    async fn read(&self, _: &CacheKey) -> Result<Option<CachedResponse>> {
        broken()
    }

    async fn read_head(&self, _: &CacheKey) -> Result<Option<StoredHead>> {
        broken()
    }

    async fn write(&self, _: &CacheKey, _: CachedResponse) -> Result<()> {
        broken()
    }

    async fn update_head(&self, _: &CacheKey, _: &Revision, _: ResponseHead) -> Result<bool> {
        broken()
    }

    async fn contains(&self, _: &CacheKey) -> Result<bool> {
        broken()
    }

    async fn delete(&self, _: &CacheKey) -> Result<bool> {
        broken()
    }

    async fn bulk_delete(&self, _: &[CacheKey]) -> Result<u64> {
        broken()
    }

    async fn delete_expired(&self, _: Timestamp) -> Result<u64> {
        broken()
    }

    async fn clear(&self) -> Result<()> {
        broken()
    }

    async fn size(&self) -> Result<u64> {
        broken()
    }

    fn keys(&self) -> BoxStream<'static, Result<CacheKey>> {
        Box::pin(futures_util::stream::iter([broken()]))
    }

    fn heads(&self) -> BoxStream<'static, Result<(CacheKey, StoredHead)>> {
        Box::pin(futures_util::stream::iter([broken()]))
    }

    fn values(&self) -> BoxStream<'static, Result<(CacheKey, CachedResponse)>> {
        Box::pin(futures_util::stream::iter([broken()]))
    }

    fn stats(&self) -> StoreStats {
        StoreStats::default()
    }

    async fn close(&self) -> Result<()> {
        Ok(())
    }
}

fn broken_larder() -> Larder {
    over(Arc::new(Broken))
}

#[tokio::test]
async fn a_store_that_fails_is_a_miss_and_keeps_nobody_from_the_response() {
    let larder = broken_larder();
    assert!(larder.get(KEY).await.expect("a miss").is_none());
    let returned = larder.put(KEY.to_owned(), response(), policy()).await.expect("the response");
    assert_eq!(returned.body, BODY);
    assert_eq!(larder.backend().failures(), 2);
}

#[tokio::test]
async fn a_deletion_that_fails_is_an_error() {
    let error = broken_larder().delete(KEY).await.expect_err("it may still be there");
    let error = error.downcast::<Error>().expect("larder's own");
    assert_eq!(error.kind(), ErrorKind::Closed);
}

#[tokio::test]
async fn what_is_no_response_is_not_stored_and_comes_back() {
    let larder = larder();
    let mut with_field = response();
    with_field.headers.append("x-line".to_owned(), "a\nb".to_owned());
    let cases = [HttpResponse { status: 42, ..response() }, with_field];
    for (count, response) in (1..).zip(cases) {
        let returned = larder.put(KEY.to_owned(), response.clone(), policy()).await.expect("the response");
        assert_eq!((returned.status, returned.body), (response.status, response.body));
        assert!(larder.get(KEY).await.expect("a miss").is_none());
        assert_eq!(larder.backend().failures(), count);
    }
}

//! A store that fails, hangs, panics or is full: every request is answered all the same.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::Request;
use larder_client::{CacheMode, CacheOptions, RequestBody, RequestOptions};
use larder_core::{
    BoxStream, CacheKey, CachedResponse, Error, ErrorKind, ResponseHead, ResponseStore, Result, Revision,
    StoreStats, StoredHead, Timestamp, async_trait,
};
use larder_memory::MemoryStore;

use crate::support::{Answered, HOUR, ScriptedOrigin, World, get, get_with, ok, response};

/// How a store is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    Errors,
    Hangs,
    Panics,
    /// Reads, and has no room for writes.
    IsFull,
    /// Takes half of a body before it fails.
    FillsUp,
    /// Takes one chunk of a body and no more.
    StopsTaking,
    /// Gives nothing of a body.
    LosesBodies,
    /// Gives ten bytes of a body and then fails.
    LosesTails,
    /// Gives a body that panics at once.
    BodiesPanic,
    /// Gives a body that never begins.
    BodiesHang,
}

#[derive(Debug)]
pub(crate) struct Broken {
    pub(crate) flaw: Flaw,
    pub(crate) inner: MemoryStore,
}

impl Broken {
    async fn fail<T>(&self) -> Result<T> {
        match self.flaw {
            Flaw::Hangs => std::future::pending().await,
            Flaw::Panics => panic!("on purpose"),
            _ => Err(Error::new(ErrorKind::Io, "on purpose")),
        }
    }

    fn breaks_all(&self) -> bool {
        matches!(self.flaw, Flaw::Errors | Flaw::Hangs | Flaw::Panics)
    }
}

#[async_trait]
impl ResponseStore for Broken {
    async fn read(&self, key: &CacheKey) -> Result<Option<CachedResponse>> {
        if self.breaks_all() {
            return self.fail().await;
        }
        let Some(mut response) = self.inner.read(key).await? else { return Ok(None) };
        let first = stream::iter([Ok("x")]);
        let lost = || Err(Error::new(ErrorKind::Corrupt, "on purpose"));
        match self.flaw {
            Flaw::LosesBodies => {
                response.body = larder_core::Body::from_stream(stream::iter([lost()]).chain(first));
            }
            Flaw::LosesTails => {
                let body = response.bytes().await?;
                let len = body.len() as u64;
                let tail =
                    stream::iter([Ok(body.slice(..10)), Err(Error::new(ErrorKind::Corrupt, "on purpose"))]);
                response.body = larder_core::Body::from_sized_stream(tail, len);
            }
            Flaw::BodiesPanic => {
                let panics = stream::once(async { panic!("on purpose") });
                response.body = larder_core::Body::from_stream(panics.chain(first));
            }
            Flaw::BodiesHang => {
                response.body = larder_core::Body::from_stream(stream::pending::<Result<&str>>());
            }
            _ => {}
        }
        Ok(Some(response))
    }

    async fn read_head(&self, _: &CacheKey) -> Result<Option<StoredHead>> {
        self.fail().await
    }

    async fn write(&self, key: &CacheKey, mut response: CachedResponse) -> Result<()> {
        match self.flaw {
            Flaw::IsFull => return Err(Error::new(ErrorKind::StorageFull, "on purpose")),
            Flaw::FillsUp => {
                response.body.chunk().await?;
                return Err(Error::new(ErrorKind::StorageFull, "on purpose"));
            }
            Flaw::StopsTaking => {
                response.body.chunk().await?;
                std::future::pending::<()>().await;
            }
            _ => {}
        }
        if self.breaks_all() { self.fail().await } else { self.inner.write(key, response).await }
    }

    async fn update_head(&self, _: &CacheKey, _: &Revision, _: ResponseHead) -> Result<bool> {
        self.fail().await
    }

    async fn contains(&self, _: &CacheKey) -> Result<bool> {
        self.fail().await
    }

    async fn delete(&self, _: &CacheKey) -> Result<bool> {
        self.fail().await
    }

    async fn bulk_delete(&self, _: &[CacheKey]) -> Result<u64> {
        self.fail().await
    }

    async fn clear(&self) -> Result<()> {
        self.fail().await
    }

    async fn delete_expired(&self, _: Timestamp) -> Result<u64> {
        self.fail().await
    }

    async fn size(&self) -> Result<u64> {
        self.fail().await
    }

    fn keys(&self) -> BoxStream<'static, Result<CacheKey>> {
        stream::empty().boxed()
    }

    fn heads(&self) -> BoxStream<'static, Result<(CacheKey, StoredHead)>> {
        stream::empty().boxed()
    }

    fn values(&self) -> BoxStream<'static, Result<(CacheKey, CachedResponse)>> {
        stream::empty().boxed()
    }

    fn stats(&self) -> StoreStats {
        self.inner.stats()
    }

    async fn close(&self) -> Result<()> {
        Ok(())
    }
}

/// The body that the origin gives for a path: three chunks, of which each says where it is from.
fn body_of(path: &str) -> Vec<String> {
    ["first ", "second ", "third "].iter().map(|part| format!("{part}of {path} ")).collect()
}

fn broken(flaw: Flaw) -> World {
    let origin = ScriptedOrigin::new(|request: Request<RequestBody>| async move {
        let chunks = body_of(request.uri().path());
        let etag = request.headers().get("if-none-match");
        if etag.is_some() {
            return Ok(response(304, &[("etag", "\"1\"")], ""));
        }
        let body = larder_core::Body::from_stream(stream::iter(chunks.into_iter().map(Ok::<_, Error>)));
        let mut answer = ok(body);
        answer.headers_mut().insert("etag", "\"1\"".parse()?);
        Ok(answer)
    });
    let store = Arc::new(Broken { flaw, inner: MemoryStore::new() });
    World::with_store(store, CacheOptions::fixed(HOUR), origin, |builder| {
        builder.store_timeout(Duration::from_millis(50)).window_bytes(20)
    })
}

/// Sends `count` requests, 100 at a time, over a hundred URLs, and checks every byte of every answer.
async fn check(flaw: Flaw, count: usize) {
    let world = broken(flaw);
    let requests = (0..count).map(|i| {
        let world = world.clone();
        async move {
            let path = format!("/{}", i % 97);
            let response = world.send(get(&path)).await.expect("an answer");
            let answer = Answered::of(response).await;
            assert_eq!((answer.status.as_u16(), answer.body), (200, body_of(&path).concat().into()));
        }
    });
    let answered = stream::iter(requests).buffer_unordered(100).count().await;
    assert_eq!(answered, count);
    assert!(world.cache.failures() > 0, "{flaw:?} is counted");
}

#[tokio::test]
async fn a_store_that_errors_fails_no_request() {
    check(Flaw::Errors, 10_000).await;
}

#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_fails_no_request() {
    check(Flaw::Hangs, 10_000).await;
}

#[tokio::test]
async fn a_store_that_panics_fails_no_request() {
    check(Flaw::Panics, 10_000).await;
}

#[tokio::test]
async fn a_store_that_is_full_fails_no_request() {
    check(Flaw::IsFull, 10_000).await;
}

#[tokio::test]
async fn a_store_that_fills_up_in_mid_body_fails_no_request() {
    check(Flaw::FillsUp, 1_000).await;
}

#[tokio::test(start_paused = true)]
async fn a_store_that_stops_taking_a_body_fails_no_request() {
    check(Flaw::StopsTaking, 1_000).await;
}

#[tokio::test]
async fn a_store_whose_bodies_cannot_be_read_fails_no_request() {
    check(Flaw::LosesBodies, 1_000).await;
}

#[tokio::test]
async fn a_store_whose_bodies_panic_fails_no_request() {
    check(Flaw::BodiesPanic, 1_000).await;
}

#[tokio::test(start_paused = true)]
async fn a_store_whose_bodies_hang_fails_no_request() {
    check(Flaw::BodiesHang, 1_000).await;
}

/// Answers a stored body whose tail is lost, with an origin that answers `fields` and `body` from then on.
async fn recover(
    status: u16,
    fields: &'static [(&'static str, &'static str)],
    body: &'static str,
) -> (World, Result<Bytes>) {
    let origin = ScriptedOrigin::new(move |request: Request<RequestBody>| async move {
        Ok(match request.headers().get("range") {
            Some(_) => response(status, fields, body),
            None => response(200, &[("etag", "\"1\"")], "0123456789abcdef"),
        })
    });
    let store = Arc::new(Broken { flaw: Flaw::LosesTails, inner: MemoryStore::new() });
    let world = World::with_store(store, CacheOptions::fixed(HOUR), origin, |builder| builder);
    world.get("/a").await;
    let answered = world.send(get("/a")).await.expect("the head is there");
    assert!(answered.from_cache());
    let bytes = answered.bytes().await;
    (world, bytes)
}

#[tokio::test]
async fn a_stored_body_that_is_lost_half_way_is_completed_by_the_origin() {
    const ETAG: (&str, &str) = ("etag", "\"1\"");
    for (status, fields, body) in [
        (206, &[ETAG, ("content-range", "bytes 10-15/16")][..], "abcdef"),
        (200, &[ETAG], "0123456789abcdef"),
    ] {
        let (world, bytes) = recover(status, fields, body).await;
        assert_eq!(bytes.expect("the whole body"), "0123456789abcdef", "{status}");
        let last = world.origin.seen().pop().expect("a request");
        assert_eq!(
            (&last.headers["range"], &last.headers["if-range"]),
            (&"bytes=10-".parse().expect("a value"), &"\"1\"".parse().expect("a value"))
        );
        assert_eq!(world.cache.failures(), 1, "it is counted");
    }
}

#[tokio::test]
async fn a_stored_body_is_not_completed_where_the_origin_must_not_be_asked() {
    let (world, _) = recover(206, &[("etag", "\"1\""), ("content-range", "bytes 10-15/16")], "abcdef").await;
    let seen = world.origin.count();
    let offline = RequestOptions::default().mode(CacheMode::OnlyIfCached);
    let answered = world.send(get_with("/a", offline)).await.expect("the head is there");
    answered.bytes().await.expect_err("the tail is lost");
    assert_eq!(world.origin.count(), seen);
}

#[tokio::test]
async fn a_stored_body_is_never_completed_with_other_bytes() {
    for (status, fields, body) in [
        (206, &[("etag", "\"2\""), ("content-range", "bytes 10-15/16")][..], "ABCDEF"),
        (206, &[("etag", "\"1\""), ("content-range", "bytes 9-15/16")], "9abcdef"),
        (200, &[("etag", "W/\"1\"")], "0123456789ABCDEF"),
        (200, &[("etag", "\"1\"")], "0123456"),
        (200, &[("etag", "\"1\"")], "0123456789abcdefg"),
        (404, &[("etag", "\"1\"")], "no"),
    ] {
        let (_, bytes) = recover(status, fields, body).await;
        bytes.expect_err(&format!("{status} {fields:?}"));
    }
}

#[tokio::test]
async fn a_head_that_cannot_be_updated_is_used_all_the_same() {
    let world = broken(Flaw::IsFull);
    assert_eq!(world.get("/a").await.body, body_of("/a").concat());
    let world = broken(Flaw::LosesBodies);
    world.get("/a").await;
    world.time.advance(HOUR);
    assert_eq!(world.get("/a").await.body, body_of("/a").concat(), "validated, and then fetched whole");
}

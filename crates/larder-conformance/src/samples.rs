//! What the cases store, and how they read it back.
//!
//! A sample's head and body name each other, so that a mixed entry is seen as such.

use std::future::{Future, poll_fn};
use std::panic::Location;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::Poll;

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use http::{HeaderName, HeaderValue, Method, StatusCode, Uri, Version};
use larder_core::{
    Body, BoxError, CacheKey, CachedResponse, Hop, RedirectIndex, ResponseHead, ResponseStore, Result,
    Timestamp, Variant,
};
use tokio::sync::mpsc;

use crate::failure::{Failure, Verdict, equal, same_bytes};

pub(crate) type Store = Arc<dyn ResponseStore>;
pub(crate) type Index = Arc<dyn RedirectIndex>;

/// The point in time that the cases call now.
pub(crate) const NOW: Timestamp = at(0);

/// Returns the point `millis` milliseconds after [`NOW`].
pub(crate) const fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + millis)
}

pub(crate) fn key(text: &str) -> CacheKey {
    CacheKey::new(text).expect("the suite's keys are valid")
}

pub(crate) fn keys(prefix: &str, count: usize) -> Vec<CacheKey> {
    (0..count).map(|i| key(&format!("{prefix}{i}"))).collect()
}

/// Returns a hundred thousand keys.
pub(crate) fn many_keys() -> &'static [CacheKey] {
    static MANY: OnceLock<Vec<CacheKey>> = OnceLock::new();
    MANY.get_or_init(|| keys("m", 100_000))
}

/// Returns `len` bytes, a MiB and some at most, that no compression makes shorter; other ones for another seed.
pub(crate) fn noise(len: usize, seed: usize) -> Bytes {
    static NOISE: OnceLock<Bytes> = OnceLock::new();
    let all = NOISE.get_or_init(|| {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut bytes = Vec::new();
        while bytes.len() < 5 << 18 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            bytes.extend_from_slice(&state.to_le_bytes());
        }
        bytes.into()
    });
    let start = seed % 1_000 * 101;
    all.slice(start..start + len)
}

/// What a case writes, and finds again.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sample {
    pub(crate) head: ResponseHead,
    pub(crate) body: Bytes,
}

impl Sample {
    /// Returns an entry whose URL and body are made of `name`.
    pub(crate) fn new(name: &str) -> Self {
        let url = format!("https://example.org/{name}").parse().expect("the suite's names are valid paths");
        let head = ResponseHead::new(Method::GET, url, StatusCode::OK, NOW);
        Self { head, body: Bytes::from(format!("the body of {name}")) }
    }

    pub(crate) fn with_body(name: &str, body: Bytes) -> Self {
        Self { body, ..Self::new(name) }
    }

    pub(crate) fn with_head(head: ResponseHead) -> Self {
        Self { head, ..Self::new("head") }
    }

    pub(crate) fn expiring(name: &str, expires_at: Option<Timestamp>) -> Self {
        let mut sample = Self::new(name);
        sample.head.expires_at = expires_at;
        sample
    }

    /// Returns an entry whose head names the number that its body consists of.
    pub(crate) fn labelled(label: u32) -> Self {
        let words = 500 + usize::try_from(label % 37).unwrap_or(0) * 1_000;
        let mut sample = Self::with_body(&format!("n{label}"), label.to_le_bytes().repeat(words).into());
        sample.head.metadata.insert("label".into(), label.to_string());
        sample
    }

    /// Returns the number of a [`labelled`](Self::labelled) entry, if head and body are of the same one.
    pub(crate) fn label(&self) -> Verdict<u32> {
        let label = self.head.metadata.get("label").and_then(|label| label.parse().ok());
        match label {
            Some(label) if Self::labelled(label).body == self.body => Ok(label),
            _ => Err(Failure::new(
                "a reader sees exactly one whole entry that some write stored",
                format!("a head of {:?} with a body of {} other bytes", self.head.url, self.body.len()),
            )),
        }
    }

    pub(crate) fn response(&self) -> CachedResponse {
        CachedResponse::new(self.head.clone(), self.body.clone())
    }

    /// Returns the response with a body that is streamed in chunks of `size` bytes, of unknown length.
    pub(crate) fn streamed(&self, size: usize) -> CachedResponse {
        CachedResponse::new(self.head.clone(), Body::from_stream(chunks(&self.body, size)))
    }

    /// Reads the whole of `response`.
    pub(crate) async fn of(response: CachedResponse) -> Result<Self> {
        let CachedResponse { head, body, .. } = response;
        Ok(Self { head, body: body.bytes().await? })
    }
}

/// Returns a stream of `bytes` in chunks of `size`, each of which is not there at once.
pub(crate) fn chunks(
    bytes: &Bytes,
    size: usize,
) -> impl Stream<Item = Result<Bytes, BoxError>> + Send + use<> {
    let parts: Vec<Bytes> = bytes.chunks(size).map(|chunk| bytes.slice_ref(chunk)).collect();
    stream::iter(parts).then(|chunk| async {
        tokio::task::yield_now().await;
        Ok(chunk)
    })
}

/// Returns a stream of `bytes` that then fails.
pub(crate) fn failing_after(bytes: Bytes) -> impl Stream<Item = Result<Bytes, BoxError>> + Send {
    stream::iter([Ok(bytes), Err("the origin hung up".into())])
}

/// A body that a case feeds chunk by chunk.
pub(crate) struct Feed(mpsc::Sender<Bytes>);

impl Feed {
    pub(crate) fn new() -> (Self, Body) {
        let (sender, receiver) = mpsc::channel(1);
        let chunks = stream::unfold(receiver, |mut receiver: mpsc::Receiver<Bytes>| async {
            receiver.recv().await.map(|chunk| (Ok::<_, BoxError>(chunk), receiver))
        });
        (Self(sender), Body::from_stream(chunks))
    }

    /// Sends `chunk` and waits until the reader of the body has taken it.
    pub(crate) async fn taken(&self, chunk: Bytes) -> Verdict {
        let ended = || Failure::new("a write consumes its body", "it ended before the body did");
        self.0.send(chunk).await.map_err(|_| ended())?;
        self.0.reserve().await.map(drop).map_err(|_| ended())
    }
}

/// Polls `future` at most `times` times, each when it asks for it; returns whether it ended.
pub(crate) async fn poll_times<F: Future>(mut future: Pin<&mut F>, times: usize) -> bool {
    let mut polls = 0;
    poll_fn(|cx| {
        if polls == times {
            return Poll::Ready(false);
        }
        polls += 1;
        match future.as_mut().poll(cx) {
            Poll::Ready(_) => Poll::Ready(true),
            Poll::Pending if polls == times => Poll::Ready(false),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Reads the whole entry under `key`.
pub(crate) async fn read(store: &Store, key: &CacheKey) -> Result<Option<Sample>> {
    match store.read(key).await? {
        Some(response) => Ok(Some(Sample::of(response).await?)),
        None => Ok(None),
    }
}

/// Fails unless the entry under `key` is `expected`.
#[track_caller]
pub(crate) fn holds<'a>(
    store: &'a Store,
    key: &'a CacheKey,
    expected: &'a Sample,
    contract: &'a str,
) -> impl Future<Output = Verdict> + Send + 'a {
    let caller = Location::caller();
    async move {
        let verdict = match read(store, key).await {
            Ok(Some(seen)) => equal(&seen.head, &expected.head, contract)
                .and_then(|()| same_bytes(&seen.body, &expected.body, contract)),
            Ok(None) => Err(Failure::new(contract, format!("no entry under {key:?}"))),
            Err(error) => Err(error.into()),
        };
        verdict.map_err(|failure| failure.at(caller))
    }
}

/// Fails unless there is nothing to read under `key`.
#[track_caller]
pub(crate) fn misses<'a>(
    store: &'a Store,
    key: &'a CacheKey,
    contract: &'a str,
) -> impl Future<Output = Verdict> + Send + 'a {
    let caller = Location::caller();
    async move {
        let verdict = match read(store, key).await {
            Ok(None) => Ok(()),
            Ok(Some(seen)) => {
                Err(Failure::new(contract, format!("the entry {} under {key:?}", seen.head.url)))
            }
            Err(error) => Err(error.into()),
        };
        verdict.map_err(|failure| failure.at(caller))
    }
}

/// Returns where `from` leads, as text and a time.
pub(crate) async fn target(index: &Index, from: &str) -> Result<Option<(String, Option<Timestamp>)>> {
    let alias = index.read(&key(from)).await?;
    Ok(alias.map(|alias| (alias.target.to_string(), alias.expires_at)))
}

/// Returns a head in which every field is set, to something that is easily lost.
pub(crate) fn full_head() -> ResponseHead {
    let url = Uri::from_static("https://example.org:8443/a/b%20c?q=1&q=2");
    let mut head = ResponseHead::new(Method::POST, url, StatusCode::NON_AUTHORITATIVE_INFORMATION, NOW);
    head.version = Version::HTTP_2;
    head.reason = Some("Perhaps".into());
    append(&mut head.headers, &[("content-type", b"text/plain"), ("etag", b"\"v1\""), ("x-empty", b"")]);
    append(&mut head.headers, &[("set-cookie", b"a=1"), ("set-cookie", b"b=2"), ("x-text", b"caf\xe9")]);
    append(&mut head.vary_fields, &[("accept", b"text/html"), ("accept", b"*/*"), ("x-blank", b"")]);
    let fields = [HeaderName::from_static("accept"), HeaderName::from_static("x-blank")];
    head.variants =
        vec![Variant::new(fields.to_vec(), key("A.variant-of_it")), Variant::new(vec![], key("b"))];
    head.history = vec![
        hop("http://example.org/", StatusCode::MOVED_PERMANENTLY, "https://example.org/"),
        hop("https://example.org/", StatusCode::FOUND, "/a/b%20c"),
    ];
    head.requested_at = at(-20);
    head.received_at = at(-10);
    head.created_at = at(-3_600_000);
    head.expires_at = Some(at(60_000));
    head.delete_at = Some(at(90_000));
    head.metadata.insert("tag".into(), "news".into());
    head.metadata.insert("note".into(), "two\nlines".into());
    head
}

pub(crate) fn hop(url: &'static str, status: StatusCode, location: &str) -> Hop {
    let mut hop = Hop::new(Method::GET, Uri::from_static(url), status);
    append(&mut hop.headers, &[("location", location.as_bytes())]);
    hop
}

pub(crate) fn append(headers: &mut http::HeaderMap, fields: &[(&'static str, &[u8])]) {
    for (name, value) in fields {
        let value = HeaderValue::from_bytes(value).expect("the suite's field values are valid");
        headers.append(HeaderName::from_static(name), value);
    }
}

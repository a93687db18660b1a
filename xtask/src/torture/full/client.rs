//! The client, and an origin that always answers: what is asked for decides every byte of the answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http::{Request, Response};
use larder::client::{Origin, RequestBody};
use larder::{Body, BoxError, CacheOptions, CachedResponse, Expiry, FileBackend, ResponseCache, async_trait};

use super::super::content::Content;
use super::super::random::mix;
use crate::Outcome;

/// No body is longer.
pub(super) const LONGEST: u64 = 640_000;
/// How many requests there are at a time.
pub(super) const TASKS: u64 = 4;

/// A client with a cache.
#[derive(Clone)]
pub(super) struct Client {
    cache: ResponseCache,
    answered: Arc<AtomicU64>,
}

/// What came of some requests.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    pub(super) requests: u64,
    pub(super) hits: u64,
    /// Hits of what was asked for the second time.
    pub(super) second_hits: u64,
    pub(super) bytes: u64,
}

struct ClosureOrigin(Arc<AtomicU64>);

#[async_trait]
impl Origin for ClosureOrigin {
    async fn send(&mut self, request: Request<RequestBody>) -> Result<Response<Body>, BoxError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        let (content, len) = expected(request.uri().path());
        // Half of them say how long they are.
        let body = if len % 2 == 0 {
            Body::from_sized_stream(content.chunks(len), len)
        } else {
            Body::from_stream(content.chunks(len))
        };
        Ok(Response::new(body))
    }
}

impl Client {
    /// Opens the cache, and starts to ask.
    pub(super) async fn open(backend: FileBackend) -> Outcome<Self> {
        let cache = ResponseCache::new(backend.open().await?, CacheOptions::fixed(Expiry::Never))?;
        Ok(Self { cache, answered: Arc::default() })
    }

    pub(super) fn cache(&self) -> &ResponseCache {
        &self.cache
    }

    /// Returns how often the origin was asked.
    pub(super) fn answered(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }

    /// Asks for so many URLs that nobody has asked for before, each twice, and each byte is compared.
    ///
    /// # Errors
    ///
    /// When a request is not answered, or with other bytes than it must be.
    pub(super) async fn ask(&self, phase: &str, urls: u64) -> Outcome<Tally> {
        let mut tasks = tokio::task::JoinSet::new();
        for task in 0..TASKS {
            let (client, phase) = (self.clone(), phase.to_owned());
            tasks.spawn(async move {
                let mut tally = Tally::default();
                for number in (0..urls).filter(|number| number % TASKS == task) {
                    let path = format!("/{phase}/{number}");
                    client.get(&path, &mut tally).await.map_err(|error| format!("{path}: {error}"))?;
                    let before = tally.hits;
                    client.get(&path, &mut tally).await.map_err(|error| format!("{path}: {error}"))?;
                    tally.second_hits += tally.hits - before;
                }
                Outcome::Ok(tally)
            });
        }
        let mut sum = Tally::default();
        while let Some(tally) = tasks.join_next().await {
            sum.add(tally??);
        }
        Ok(sum)
    }

    async fn get(&self, path: &str, tally: &mut Tally) -> Outcome {
        let mut request = Request::new(RequestBody::default());
        *request.uri_mut() = format!("http://localhost{path}").parse()?;
        let mut origin = ClosureOrigin(Arc::clone(&self.answered));
        let response = self.cache.send(request, &mut origin).await?;
        tally.requests += 1;
        tally.hits += u64::from(response.from_cache());
        tally.bytes += check(response.into_cached()).await?;
        Ok(())
    }
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.hits += other.hits;
        self.second_hits += other.second_hits;
        self.bytes += other.bytes;
    }
}

/// Reads a response, and returns the length of its body.
///
/// # Errors
///
/// When a byte is wrong, missing, or too many.
pub(super) async fn check(response: CachedResponse) -> Outcome<u64> {
    let (content, len) = expected(response.head.url.path());
    let mut body = response.body;
    let mut read = 0;
    while let Some(chunk) = body.chunk().await? {
        if !content.matches(read, &chunk) {
            return Err(format!("wrong bytes after {read}").into());
        }
        read += chunk.len() as u64;
    }
    if read == len { Ok(len) } else { Err(format!("{read} bytes of {len}").into()) }
}

/// Returns what the body at `path` must be: mostly short, now and then longer than what a store writes at once.
fn expected(path: &str) -> (Content, u64) {
    let number = path.bytes().fold(0, |hash, byte| mix(hash ^ u64::from(byte)));
    let len = if number % 32 == 0 { 540_000 + number % (LONGEST - 540_000) } else { 1_000 + number % 60_000 };
    (Content::new(path, 1), len)
}

//! An origin that answers by a script, a clock that is set by hand, and a cache in memory.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, Uri};
use larder_client::{
    CacheOptions, Origin, RequestBody, RequestOptions, Response, ResponseCache, ResponseCacheBuilder,
};
use larder_core::{Body, BoxError, CacheBackend, Error, ResponseStore, Timestamp, async_trait};
use larder_memory::{MemoryRedirects, MemoryStore};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

pub(crate) const HOUR: Duration = Duration::from_hours(1);

/// What the origin was sent.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
}

/// Everything that a test needs: clones are the same world.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) cache: ResponseCache,
    pub(crate) origin: ScriptedOrigin,
    pub(crate) time: Time,
}

/// A clock that stands still unless it is told to go on.
#[derive(Clone, Default)]
pub(crate) struct Time(Arc<AtomicI64>);

impl Time {
    pub(crate) fn advance(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_millis()).expect("a short time"), Ordering::SeqCst);
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

type Script = dyn Fn(Request<RequestBody>) -> Scripted + Send + Sync;
type Scripted = std::pin::Pin<Box<dyn Future<Output = Result<http::Response<Body>, BoxError>> + Send>>;

/// An origin that notes each request and answers by its script.
#[derive(Clone)]
pub(crate) struct ScriptedOrigin {
    script: Arc<Script>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl ScriptedOrigin {
    pub(crate) fn new<F>(script: impl Fn(Request<RequestBody>) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<http::Response<Body>, BoxError>> + Send + 'static,
    {
        Self { script: Arc::new(move |request| Box::pin(script(request))), seen: Arc::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.lock().clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.lock().len()
    }
}

#[async_trait]
impl Origin for ScriptedOrigin {
    async fn send(&mut self, request: Request<RequestBody>) -> Result<http::Response<Body>, BoxError> {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        self.lock().push(Seen { method, path, headers: request.headers().clone() });
        (self.script)(request).await
    }

    fn detached(&self) -> Option<Box<dyn Origin>> {
        Some(Box::new(self.clone()))
    }
}

impl World {
    /// A cache in memory that keeps for an hour, before an origin that answers each request by `answer`.
    pub(crate) fn new(
        answer: impl Fn(&Request<RequestBody>) -> http::Response<Body> + Send + Sync + 'static,
    ) -> Self {
        Self::with_options(CacheOptions::fixed(HOUR), answer)
    }

    pub(crate) fn with_options(
        options: CacheOptions,
        answer: impl Fn(&Request<RequestBody>) -> http::Response<Body> + Send + Sync + 'static,
    ) -> Self {
        let origin = ScriptedOrigin::new(move |request| {
            let response = answer(&request);
            async { Ok(response) }
        });
        Self::with(options, origin, |builder| builder)
    }

    pub(crate) fn with(
        options: CacheOptions,
        origin: ScriptedOrigin,
        configure: impl FnOnce(ResponseCacheBuilder) -> ResponseCacheBuilder,
    ) -> Self {
        Self::with_store(Arc::new(MemoryStore::new()), options, origin, configure)
    }

    pub(crate) fn with_store(
        store: Arc<dyn ResponseStore>,
        options: CacheOptions,
        origin: ScriptedOrigin,
        configure: impl FnOnce(ResponseCacheBuilder) -> ResponseCacheBuilder,
    ) -> Self {
        let backend = CacheBackend::new(store, Arc::new(MemoryRedirects::new()));
        let time = Time::default();
        time.advance(Duration::from_secs(1_700_000_000));
        let clock = time.clone();
        let builder = ResponseCache::builder(backend, options).clock(move || clock.now());
        Self { cache: configure(builder).build().expect("the options are good"), origin, time }
    }

    pub(crate) async fn send(&self, request: Request<RequestBody>) -> Result<Response, Error> {
        self.cache.send(request, &mut self.origin.clone()).await
    }

    /// Answers a GET of `path` at `http://h`, and reads the body to its end.
    pub(crate) async fn get(&self, path: &str) -> Answered {
        Answered::of(self.send(get(path)).await.expect("an answer")).await
    }

    pub(crate) async fn send_whole(&self, request: Request<RequestBody>) -> Answered {
        Answered::of(self.send(request).await.expect("an answer")).await
    }

    pub(crate) async fn stored(&self) -> u64 {
        self.cache.backend().size().await.expect("a count")
    }
}

/// A response with its whole body.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: StatusCode,
    pub(crate) cache: String,
    pub(crate) from_cache: bool,
    pub(crate) url: Uri,
    pub(crate) hops: Vec<String>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answered {
    pub(crate) async fn of(response: Response) -> Self {
        Self {
            status: response.status(),
            cache: response.cache_status().to_string(),
            from_cache: response.from_cache(),
            url: response.url().clone(),
            hops: response.history().iter().map(|hop| hop.url.path().to_owned()).collect(),
            headers: response.headers().clone(),
            body: response.bytes().await.expect("a whole body"),
        }
    }
}

pub(crate) fn request(method: Method, path: &str) -> Request<RequestBody> {
    let url = if path.starts_with("http") { path.to_owned() } else { format!("http://h{path}") };
    Request::builder().method(method).uri(url).body(RequestBody::empty()).expect("a request")
}

pub(crate) fn get(path: &str) -> Request<RequestBody> {
    request(Method::GET, path)
}

pub(crate) fn get_with(path: &str, options: RequestOptions) -> Request<RequestBody> {
    let mut request = get(path);
    request.extensions_mut().insert(options);
    request
}

pub(crate) fn with_fields(
    mut request: Request<RequestBody>,
    fields: &[(&'static str, &str)],
) -> Request<RequestBody> {
    for (name, value) in fields {
        request.headers_mut().append(*name, value.parse().expect("a value"));
    }
    request
}

/// Returns a GET of `path` with `fields`.
pub(crate) fn get_having(path: &str, fields: &[(&'static str, &str)]) -> Request<RequestBody> {
    with_fields(get(path), fields)
}

/// Returns the value of a request's field, nothing if it has none.
pub(crate) fn field<'a>(request: &'a Request<RequestBody>, name: &str) -> &'a str {
    request.headers().get(name).map_or("", |value| value.to_str().expect("text"))
}

/// Returns a world whose origin answers while the gate is open, and the gate, which is.
pub(crate) fn behind_gate(
    options: CacheOptions,
    answer: impl Fn(&Request<RequestBody>) -> http::Response<Body> + Send + Sync + 'static,
) -> (World, watch::Sender<bool>) {
    let (gate, gated) = watch::channel(true);
    let answer = Arc::new(answer);
    let origin = ScriptedOrigin::new(move |request| {
        let (answer, mut gated) = (Arc::clone(&answer), gated.clone());
        async move {
            gated.wait_for(|open| *open).await?;
            Ok(answer(&request))
        }
    });
    (World::with(options, origin, |builder| builder), gate)
}

/// Answers `request` in a task of its own.
pub(crate) fn spawn(world: &World, request: Request<RequestBody>) -> JoinHandle<Answered> {
    let world = world.clone();
    tokio::spawn(async move { world.send_whole(request).await })
}

pub(crate) fn ok(body: impl Into<Body>) -> http::Response<Body> {
    response(200, &[], body)
}

pub(crate) fn response(status: u16, fields: &[(&str, &str)], body: impl Into<Body>) -> http::Response<Body> {
    let mut response = http::Response::builder().status(status);
    for (name, value) in fields {
        response = response.header(*name, *value);
    }
    response.body(body.into()).expect("a response")
}

/// A body whose chunks come when they are sent, and whose end when the sender is dropped.
pub(crate) fn trickle() -> (mpsc::UnboundedSender<Result<Bytes, BoxError>>, Body) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let chunks = futures_util::stream::unfold(receiver, async |mut receiver| {
        let chunk = receiver.recv().await?;
        Some((chunk, receiver))
    });
    (sender, Body::from_stream(chunks))
}

/// Lets every other task of the runtime come to a halt.
pub(crate) async fn settle() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}

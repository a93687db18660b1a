//! An origin on a free loopback port: a greeting, a body as large as it is asked for, and one that trickles.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::Outcome;
use crate::torture::Content;

/// How long a trickling response takes at least.
pub(crate) const WHOLE_AFTER: Duration = Duration::from_millis(200);

/// How many chunks a trickling response comes in.
const TRICKLES: u32 = 40;

type Body = UnsyncBoxBody<Bytes, std::io::Error>;

/// An origin that answers until it is dropped.
pub(crate) struct Origin {
    address: SocketAddr,
    answered: Arc<AtomicU64>,
    runtime: Runtime,
}

/// Returns the content of the large body.
pub(crate) fn content() -> Content {
    Content::new("download", 1)
}

impl Origin {
    /// Starts an origin on a thread of its own.
    ///
    /// # Errors
    ///
    /// When there is no thread or no port.
    pub(crate) fn start() -> Outcome<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
        let origin = Self { address: listener.local_addr()?, answered: Arc::default(), runtime };
        origin.runtime.spawn(serve(listener, Arc::clone(&origin.answered)));
        Ok(origin)
    }

    /// Returns how many requests were answered.
    pub(crate) fn answered(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }

    /// Returns the URL of a greeting.
    pub(crate) fn greeting(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Returns the URL of `len` bytes of [`content`].
    pub(crate) fn large(&self, len: u64) -> String {
        format!("http://{}/large?{len}", self.address)
    }

    /// Returns the URL of a response that takes [`WHOLE_AFTER`] to come, one for each `name`.
    pub(crate) fn trickle(&self, name: &str) -> String {
        format!("http://{}/trickle?{name}", self.address)
    }
}

async fn serve(listener: TcpListener, answered: Arc<AtomicU64>) {
    while let Ok((connection, _)) = listener.accept().await {
        let answered = Arc::clone(&answered);
        let service = service_fn(move |request: Request<Incoming>| {
            answered.fetch_add(1, Ordering::Relaxed);
            async move { Ok::<_, Infallible>(answer(&request)) }
        });
        // Clients that are killed break their connections.
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(connection), service));
    }
}

fn answer(request: &Request<Incoming>) -> Response<Body> {
    match request.uri().path() {
        "/trickle" => Response::new(BodyExt::boxed_unsync(StreamBody::new(trickle()))),
        "/large" => {
            let len = request.uri().query().and_then(|query| query.parse().ok()).unwrap_or(0);
            let body = content().chunks(len).map(|chunk| chunk.map(Frame::data));
            let mut response = Response::new(BodyExt::boxed_unsync(StreamBody::new(body)));
            response.headers_mut().insert(http::header::CONTENT_LENGTH, len.into());
            response
        }
        _ => {
            let greeting = stream::iter([Ok(Frame::data(Bytes::from_static(b"Hello from the origin!")))]);
            Response::new(BodyExt::boxed_unsync(StreamBody::new(greeting)))
        }
    }
}

fn trickle() -> impl Stream<Item = std::io::Result<Frame<Bytes>>> + Send {
    stream::iter(0..TRICKLES).then(|number| async move {
        if number > 0 {
            tokio::time::sleep(WHOLE_AFTER / TRICKLES).await;
        }
        Ok(Frame::data(Bytes::from(vec![b'.'; 4096])))
    })
}

//! The origin behind the proxy: what a response is like is in its path, and so are its bytes.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{Method, Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::Outcome;
use crate::torture::Content;

type Body = UnsyncBoxBody<Bytes, io::Error>;

/// A kind of response: the beginning of its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind {
    pub(super) name: &'static str,
    pub(super) len: usize,
    cache_control: &'static str,
    /// Whether its body breaks off.
    pub(super) breaks: bool,
}

/// What is asked for: the last two are long.
pub(super) const KINDS: [Kind; 7] = [
    Kind { name: "hit", len: 2 << 10, cache_control: "max-age=3600", breaks: false },
    Kind { name: "miss", len: 2 << 10, cache_control: "no-store", breaks: false },
    Kind { name: "stale", len: 20 << 10, cache_control: "max-age=0", breaks: false },
    Kind {
        name: "behind",
        len: 20 << 10,
        cache_control: "max-age=0, stale-while-revalidate=60",
        breaks: false,
    },
    Kind { name: "broken", len: 64 << 10, cache_control: "max-age=3600", breaks: true },
    Kind { name: "large", len: 8 << 20, cache_control: "max-age=3600", breaks: false },
    Kind { name: "stream", len: 8 << 20, cache_control: "no-store", breaks: false },
];

/// An origin that answers until the runtime ends.
pub(super) struct Origin {
    address: SocketAddr,
    answered: Arc<AtomicU64>,
    /// Changes when connections are to be closed.
    closing: watch::Sender<()>,
}

/// Returns the bytes at `path`.
pub(super) fn content(path: &str) -> Content {
    Content::new(path, 1)
}

impl Origin {
    pub(super) async fn start() -> Outcome<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let (closing, _) = watch::channel(());
        let origin = Self { address: listener.local_addr()?, answered: Arc::default(), closing };
        tokio::spawn(serve(listener, Arc::clone(&origin.answered), origin.closing.clone()));
        Ok(origin)
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns how many requests were answered.
    pub(super) fn answered(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }

    /// Closes the connections that there are, so that none is kept for later.
    pub(super) fn close_connections(&self) {
        self.closing.send_replace(());
    }
}

async fn serve(listener: TcpListener, answered: Arc<AtomicU64>, closing: watch::Sender<()>) {
    while let Ok((connection, _)) = listener.accept().await {
        let answered = Arc::clone(&answered);
        let mut closed = closing.subscribe();
        tokio::spawn(async move {
            let service = service_fn(|request| {
                answered.fetch_add(1, Ordering::Relaxed);
                async { Ok::<_, Infallible>(answer(request).await) }
            });
            let serving = http1::Builder::new().serve_connection(TokioIo::new(connection), service);
            // A connection that ends otherwise is one that the proxy has given up.
            tokio::select! {
                _ = serving => {}
                _ = closed.changed() => {}
            }
        });
    }
}

async fn answer(request: Request<Incoming>) -> Response<Body> {
    let path = request.uri().path().to_owned();
    let name = path.split('/').nth(1).unwrap_or_default();
    let Some(kind) = KINDS.into_iter().find(|kind| kind.name == name) else {
        return response(StatusCode::NOT_FOUND, Vec::new(), &path);
    };
    let is_valid = request.headers().contains_key("if-none-match");
    if !request.method().is_safe() {
        let content = request.into_body().collect().await;
        let status = if content.is_ok() { StatusCode::NO_CONTENT } else { StatusCode::BAD_REQUEST };
        return response(status, Vec::new(), &path);
    }
    let is_head = *request.method() == Method::HEAD;
    let mut response = if is_valid {
        response(StatusCode::NOT_MODIFIED, Vec::new(), &path)
    } else {
        response(StatusCode::OK, if is_head { Vec::new() } else { chunks(kind) }, &path)
    };
    let headers = response.headers_mut();
    headers.insert("cache-control", http::HeaderValue::from_static(kind.cache_control));
    headers.insert("etag", http::HeaderValue::from_static("\"1\""));
    if !is_valid && kind.name != "stream" {
        headers.insert("content-length", kind.len.into());
    }
    response
}

/// Returns the lengths of the chunks that a response of `kind` is sent in, nothing for the one that does not come.
fn chunks(kind: Kind) -> Vec<Option<usize>> {
    const CHUNK: usize = 32 << 10;
    if kind.breaks {
        return vec![Some(kind.len / 4), None];
    }
    (0..kind.len.div_ceil(CHUNK)).map(|number| Some(CHUNK.min(kind.len - number * CHUNK))).collect()
}

fn response(status: StatusCode, chunks: Vec<Option<usize>>, path: &str) -> Response<Body> {
    let content = content(path);
    let frames = stream::unfold((chunks.into_iter(), 0), move |(mut chunks, offset)| async move {
        let Some(len) = chunks.next()? else {
            // With a failure hyper drops what it has not written; here it writes it.
            tokio::task::yield_now().await;
            return Some((Err(io::Error::other("broken on purpose")), (chunks, offset)));
        };
        let bytes = Bytes::from(content.bytes(offset, len));
        Some((Ok(Frame::data(bytes)), (chunks, offset + len as u64)))
    });
    let mut response = Response::new(BodyExt::boxed_unsync(StreamBody::new(frames.boxed())));
    *response.status_mut() = status;
    response
}

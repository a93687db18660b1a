//! An HTTP/1.1 origin on a loopback port that answers by a script and notes what it was sent.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures_util::stream::{self, StreamExt};
use http::{HeaderMap, Method, Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// What the origin was sent.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    pub(crate) path_and_query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Seen {
    /// Returns the first value of a field, or nothing.
    pub(crate) fn field(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }
}

type Body = UnsyncBoxBody<Bytes, Infallible>;

/// What it answers.
pub(crate) type Answer = Response<Body>;

/// An extension of an answer that never comes.
#[derive(Clone)]
struct Never;

pub(crate) struct TestOrigin {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl TestOrigin {
    /// Answers each request by `script` until the test ends.
    pub(crate) async fn start(script: impl Fn(&Seen) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let seen = Arc::<Mutex<Vec<Seen>>>::default();
        tokio::spawn(serve(listener, Arc::new(script), Arc::clone(&seen)));
        Self { address, seen }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        lock(&self.seen).clone()
    }

    pub(crate) fn last(&self) -> Seen {
        self.seen().pop().expect("the origin was asked")
    }

    pub(crate) fn count(&self) -> usize {
        lock(&self.seen).len()
    }
}

async fn serve(
    listener: TcpListener,
    script: Arc<impl Fn(&Seen) -> Answer + Send + Sync + 'static>,
    seen: Arc<Mutex<Vec<Seen>>>,
) {
    while let Ok((connection, _)) = listener.accept().await {
        let (script, seen) = (Arc::clone(&script), Arc::clone(&seen));
        let service = service_fn(move |request: Request<Incoming>| {
            let (script, seen) = (Arc::clone(&script), Arc::clone(&seen));
            async move {
                let (parts, body) = request.into_parts();
                let request = Seen {
                    method: parts.method,
                    path_and_query: parts.uri.to_string(),
                    headers: parts.headers,
                    body: body.collect().await?.to_bytes(),
                };
                let answer = script(&request);
                lock(&seen).push(request);
                if answer.extensions().get::<Never>().is_some() {
                    std::future::pending::<()>().await;
                }
                Ok::<_, hyper::Error>(answer)
            }
        });
        // A client that leaves half-way is none of the origin's business.
        tokio::spawn(async {
            http1::Builder::new().serve_connection(TokioIo::new(connection), service).await
        });
    }
}

fn lock(seen: &Mutex<Vec<Seen>>) -> MutexGuard<'_, Vec<Seen>> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn ok(body: impl Into<Bytes>) -> Answer {
    answer(200, &[], body)
}

pub(crate) fn redirect(status: u16, location: &str) -> Answer {
    answer(status, &[("location", location)], "")
}

pub(crate) fn answer(status: u16, fields: &[(&str, &str)], body: impl Into<Bytes>) -> Answer {
    response(status, fields, Full::new(body.into()).boxed_unsync())
}

/// Returns an answer whose body begins with `chunk` and never ends.
pub(crate) fn endless(chunk: &'static str) -> Answer {
    let chunks = stream::iter([Ok(Frame::data(Bytes::from(chunk)))]).chain(stream::pending());
    response(200, &[], StreamBody::new(chunks).boxed_unsync())
}

/// Returns an answer that never comes.
pub(crate) fn never() -> Answer {
    let mut answer = ok("");
    answer.extensions_mut().insert(Never);
    answer
}

fn response(status: u16, fields: &[(&str, &str)], body: Body) -> Answer {
    let mut response = Response::builder().status(status);
    for (name, value) in fields {
        response = response.header(*name, *value);
    }
    response.body(body).expect("a response")
}

//! An origin on a loopback port, in a thread of its own, that counts what it is asked.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::StreamExt;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

type Body = BoxBody<Bytes, std::io::Error>;
type Counts = Arc<Mutex<BTreeMap<String, usize>>>;

pub(crate) struct Origin {
    address: SocketAddr,
    counts: Counts,
    /// The server ends with it.
    _runtime: tokio::runtime::Runtime,
}

impl Origin {
    pub(crate) fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).expect("a port");
        let address = listener.local_addr().expect("bound");
        let counts = Counts::default();
        runtime.spawn(serve(listener, Arc::clone(&counts)));
        Self { address, counts, _runtime: runtime }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Returns how often `path` was asked for.
    pub(crate) fn asked(&self, path: &str) -> usize {
        self.counts.lock().expect("no panic").get(path).copied().unwrap_or_default()
    }
}

async fn serve(listener: TcpListener, counts: Counts) {
    while let Ok((connection, _)) = listener.accept().await {
        let counts = Arc::clone(&counts);
        tokio::spawn(async move {
            let service = service_fn(|request| {
                let counts = Arc::clone(&counts);
                async move {
                    let path = request.uri().path().to_owned();
                    *counts.lock().expect("no panic").entry(path.clone()).or_default() += 1;
                    Ok::<_, Infallible>(answer(&path, request).await)
                }
            });
            // A connection that the client gives up, or a body that breaks, is no failure here.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(connection), service).await;
        });
    }
}

async fn answer(path: &str, request: Request<Incoming>) -> Response<Body> {
    let mut response = Response::new(full(""));
    let mut field = |name: &'static str, value: &[u8]| {
        response.headers_mut().append(name, HeaderValue::from_bytes(value).expect("a value"));
    };
    match path {
        "/hello" => {
            field("content-type", b"text/plain");
            *response.body_mut() = full("hello\n");
        }
        "/to/hello" => {
            field("location", b"/hello");
            field("cache-control", b"max-age=600");
            *response.status_mut() = StatusCode::FOUND;
        }
        "/tagged" => {
            field("etag", b"\"one\"");
            if request.headers().get("if-none-match").is_some_and(|tag| tag == "\"one\"") {
                *response.status_mut() = StatusCode::NOT_MODIFIED;
            } else {
                *response.body_mut() = full("tagged");
            }
        }
        "/no-store" => {
            field("cache-control", b"no-store");
            *response.body_mut() = full("not to be stored");
        }
        "/steering" => {
            field("x-csi", "\u{9b}2J".as_bytes());
            *response.body_mut() = full("\u{1b}[2J");
        }
        "/broken" => {
            let parts =
                [Ok(Frame::data(Bytes::from("half"))), Err(std::io::Error::other("broken on purpose"))];
            *response.body_mut() = BodyExt::boxed(StreamBody::new(futures_util::stream::iter(parts)));
        }
        "/endless" => {
            let first = futures_util::stream::iter([Ok(Frame::data(Bytes::from("the beginning")))]);
            let endless = first.chain(futures_util::stream::pending());
            *response.body_mut() = BodyExt::boxed(StreamBody::new(endless));
        }
        "/echo" => {
            let mut text = format!("{} {}\n", request.method(), request.uri());
            for (name, value) in request.headers() {
                let _ = writeln!(text, "{name}: {}", String::from_utf8_lossy(value.as_bytes()));
            }
            let content = request.into_body().collect().await.expect("content").to_bytes();
            let _ = write!(text, "\n{}", String::from_utf8_lossy(&content));
            *response.body_mut() = full(text);
        }
        _ => {
            if let Some(number) = path.strip_prefix("/page/").and_then(|number| number.parse().ok()) {
                *response.body_mut() = full(page_bytes(number));
            } else {
                *response.status_mut() = StatusCode::NOT_FOUND;
                *response.body_mut() = full("there is no such page\n");
            }
        }
    }
    response
}

/// Returns the body of a page: of every number another length and other bytes, none of them like the next.
pub(crate) fn page_bytes(number: u32) -> Vec<u8> {
    let mut state = u64::from(number).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let words = 1000 + number as usize * 30_000;
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    (0..words).map(next).flat_map(u64::to_le_bytes).collect()
}

fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed()
}

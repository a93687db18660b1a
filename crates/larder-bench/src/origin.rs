//! An origin on a free loopback port, which counts what it is asked.
//!
//! It answers `/NUMBER` with the body of that number, fresh for a day and with validators.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::header::DATE;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use larder_core::BoxError;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::sample;

/// An origin that answers until it is dropped.
#[derive(Debug)]
pub struct Origin {
    address: SocketAddr,
    asked: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

impl Origin {
    /// Starts an origin of bodies of `bytes` bytes on the current runtime.
    ///
    /// # Errors
    ///
    /// When there is no port.
    pub async fn start(bytes: usize) -> Result<Self, BoxError> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let asked = Arc::<AtomicU64>::default();
        let task = tokio::spawn(serve(listener, Arc::clone(&asked), bytes));
        Ok(Self { address, asked, task })
    }

    /// Returns the URL of the body of `number`.
    #[must_use]
    pub fn url(&self, number: usize) -> String {
        format!("http://{}/{number}", self.address)
    }

    /// Returns how many requests were answered.
    #[must_use]
    pub fn asked(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, asked: Arc<AtomicU64>, bytes: usize) {
    while let Ok((connection, _)) = listener.accept().await {
        let asked = Arc::clone(&asked);
        let service = service_fn(move |request: Request<Incoming>| {
            asked.fetch_add(1, Ordering::Relaxed);
            async move { Ok::<_, Infallible>(answer(&request, bytes)) }
        });
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(connection), service));
    }
}

fn answer(request: &Request<Incoming>, bytes: usize) -> Response<Full<Bytes>> {
    let Ok(number) = request.uri().path().trim_start_matches('/').parse() else {
        let mut response = Response::default();
        *response.status_mut() = StatusCode::NOT_FOUND;
        return response;
    };
    let mut response = Response::new(Full::new(sample::body(number, bytes)));
    *response.headers_mut() = sample::fields();
    // The server puts the time of the answer there, without which nothing would be fresh.
    response.headers_mut().remove(DATE);
    response
}

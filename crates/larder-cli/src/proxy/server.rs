//! The side of the clients: accepting their connections, and ending in order.
//!
//! Each connection is a task of its own. A client that goes away ends its task, and with that all that was done for it.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, select};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

use super::Proxy;
use super::interim::ClientStream;

/// How many bytes the head of a message may have.
pub(crate) const MAX_HEAD: usize = 4 * 1024 * 1024;
/// How many lines of fields it may have.
pub(crate) const MAX_FIELDS: usize = 1024;
/// How long a client may take to send the head of a request, and to say nothing between two of them.
const HEAD_TIMEOUT: Duration = Duration::from_mins(1);
/// How long what is under way may take when the proxy is to end.
const GRACE: Duration = Duration::from_secs(5);
/// How long no connection is accepted when there is no room for one.
const PAUSE: Duration = Duration::from_millis(100);

/// How serving has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// All that was under way is done, or has had its time.
    InOrder,
    /// A second signal did not let it.
    AtOnce,
}

/// The signals that end the proxy.
#[derive(Debug)]
pub(crate) struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    pub(crate) fn listen() -> io::Result<Self> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            Ok(Self {
                terminate: signal(SignalKind::terminate())?,
                interrupt: signal(SignalKind::interrupt())?,
            })
        }
        #[cfg(not(unix))]
        Ok(Self {})
    }

    /// Waits for the next signal.
    #[cfg(unix)]
    async fn next(&mut self) {
        select(pin!(self.terminate.recv()), pin!(self.interrupt.recv())).await;
    }

    /// Waits for the next signal.
    #[cfg(not(unix))]
    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Serves clients until a signal comes, and then finishes what is under way.
pub(crate) async fn serve(listener: TcpListener, proxy: Proxy, signals: &mut Signals) -> Ended {
    let (proxy, connections) = (Arc::new(proxy), GracefulShutdown::new());
    {
        let mut ended = pin!(signals.next());
        loop {
            match select(ended, pin!(listener.accept())).await {
                Either::Left(_) => break,
                Either::Right((accepted, signal)) => {
                    ended = signal;
                    match accepted {
                        Ok((stream, _)) => {
                            tokio::spawn(serve_connection(stream, Arc::clone(&proxy), connections.watcher()));
                        }
                        // Of one connection that is gone again, or because there is no room for another.
                        Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                        Err(_) => sleep(PAUSE).await,
                    }
                }
            }
        }
    }
    drop(listener);
    let finished = timeout(GRACE, connections.shutdown());
    match select(pin!(finished), pin!(signals.next())).await {
        Either::Left(_) => Ended::InOrder,
        Either::Right(_) => Ended::AtOnce,
    }
}

async fn serve_connection(stream: TcpStream, proxy: Arc<Proxy>, watcher: Watcher) {
    // An interim response is of use only if it arrives before the final one.
    let _ = stream.set_nodelay(true);
    let stream = ClientStream::new(stream);
    let turns = stream.turns();
    let service = service_fn(move |request| {
        let (proxy, turns) = (Arc::clone(&proxy), turns.clone());
        async move {
            let answer = proxy.answer(request, turns.begin()).await;
            turns.end();
            answer
        }
    });
    let mut server = http1::Builder::new();
    server
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_HEAD)
        .max_headers(MAX_FIELDS);
    // What is wrong with a connection was told to its client, if it is still there.
    let _ = watcher.watch(server.serve_connection(TokioIo::new(stream), service)).await;
}

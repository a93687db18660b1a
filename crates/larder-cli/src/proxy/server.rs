//! The side of the clients: accepting their connections, and ending in order.
//!
//! Each connection is a task of its own. A client that goes away ends its task, and with that all that was done for it,
//! unless it has sent the next request already: then its going away is not noticed before an answer is written.

use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures_util::future::{Either, select};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::Proxy;
use super::interim::ClientStream;

/// How many bytes the head of a request may have, and how many of a response wait until its client reads.
const MAX_HEAD: usize = 3 * 512 * 1024;
/// How many lines of fields a message may have.
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

/// How far the proxy is with its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Serving,
    /// Nothing new is begun.
    Ending,
    /// Nothing is waited for.
    Over,
}

/// That a request is being answered, until it is dropped.
#[derive(Debug, Clone)]
pub(crate) struct UnderWay {
    _shared: Arc<()>,
}

/// Serves clients until a signal comes, and then finishes what is under way.
pub(crate) async fn serve(listener: TcpListener, proxy: Proxy, signals: &mut Signals) -> Ended {
    let (proxy, (phase, phases)) = (Arc::new(proxy), watch::channel(Phase::Serving));
    {
        let mut ended = pin!(signals.next());
        loop {
            match select(ended, pin!(listener.accept())).await {
                Either::Left(_) => break,
                Either::Right((accepted, signal)) => {
                    ended = signal;
                    match accepted {
                        Ok((stream, _)) => {
                            tokio::spawn(serve_connection(phases.clone(), stream, Arc::clone(&proxy)));
                        }
                        // Of one connection that is gone again, or because there is no room for another.
                        Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                        Err(_) => sleep(PAUSE).await,
                    }
                }
            }
        }
    }
    drop((listener, phases));
    phase.send_replace(Phase::Ending);
    let finished = timeout(GRACE, phase.closed());
    match select(pin!(finished), pin!(signals.next())).await {
        Either::Left(_) => {
            phase.send_replace(Phase::Over);
            phase.closed().await;
            Ended::InOrder
        }
        Either::Right(_) => Ended::AtOnce,
    }
}

/// Serves a connection until it ends, or the proxy does. `phases` is dropped after all else that belongs to it.
async fn serve_connection(mut phases: watch::Receiver<Phase>, stream: TcpStream, proxy: Arc<Proxy>) {
    // An interim response is of use only if it arrives before the final one.
    let _ = stream.set_nodelay(true);
    let stream = ClientStream::new(stream);
    let (turns, under_way) = (stream.turns(), Arc::new(()));
    let service = {
        let (turns, under_way) = (turns.clone(), Arc::downgrade(&under_way));
        service_fn(move |request| {
            let (proxy, turns) = (Arc::clone(&proxy), turns.clone());
            let under_way = UnderWay { _shared: under_way.upgrade().unwrap_or_default() };
            async move {
                let answer = proxy.answer(request, turns.begin(), under_way).await;
                turns.end();
                Ok::<_, Infallible>(answer)
            }
        })
    };
    let mut server = http1::Builder::new();
    server
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_HEAD)
        .max_headers(MAX_FIELDS);
    let mut connection = pin!(server.serve_connection(TokioIo::new(stream), service));
    // What is wrong with a connection was told to its client, if it is still there.
    if let Either::Left(_) = select(connection.as_mut(), pin!(reached(&mut phases, Phase::Ending))).await {
        return;
    }
    connection.as_mut().graceful_shutdown();
    // hyper waits for the rest of a head that has begun.
    let finished = poll_fn(|cx| {
        let is_idle = || Arc::strong_count(&under_way) == 1 && turns.is_all_written();
        if connection.as_mut().poll(cx).is_ready() || is_idle() { Poll::Ready(()) } else { Poll::Pending }
    });
    select(pin!(finished), pin!(reached(&mut phases, Phase::Over))).await;
}

/// Waits until the proxy is as far as `phase` with its end.
async fn reached(phases: &mut watch::Receiver<Phase>, phase: Phase) {
    // Whoever drops the sender has no more to say than that it is over.
    let _ = phases.wait_for(|reached| *reached >= phase).await;
}

//! The origin behind the proxy: it answers nothing by itself, but hands every request to the case whose path it has.
//!
//! The first segment of the path names the case, so that all cases share one origin and none sees another's requests.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::message::{Request, Wire};

/// A listening origin.
#[derive(Clone)]
pub(super) struct Origin {
    address: SocketAddr,
    cases: Cases,
}

type Cases = Arc<Mutex<HashMap<String, UnboundedSender<Asked>>>>;

/// A request that waits for its answer; dropping it closes the connection.
pub(super) struct Asked {
    /// What the proxy asked for.
    pub(super) request: Request,
    /// The connection that it came on.
    pub(super) wire: Wire,
    cases: Cases,
}

impl Origin {
    /// Listens on a free port of the loopback interface until the runtime ends.
    pub(super) async fn listen() -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let origin = Self { address: listener.local_addr()?, cases: Cases::default() };
        let cases = Arc::clone(&origin.cases);
        tokio::spawn(async move {
            loop {
                // What cannot be accepted has gone again.
                if let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(next(Wire::new(stream), Arc::clone(&cases)));
                }
            }
        });
        Ok(origin)
    }

    /// Returns where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the requests whose path begins with the segment `name`.
    pub(super) fn requests_of(&self, name: &str) -> UnboundedReceiver<Asked> {
        let (sender, receiver) = unbounded_channel();
        self.cases.lock().expect("nothing panics with the lock").insert(name.to_owned(), sender);
        receiver
    }
}

impl Asked {
    /// Waits for the next request on this connection, now that this one is answered.
    pub(super) fn keep_alive(self) {
        tokio::spawn(next(self.wire, self.cases));
    }
}

/// Reads one request and hands it on; a request for no case ends the connection.
async fn next(mut wire: Wire, cases: Cases) {
    let Ok(Some(request)) = wire.request().await else { return };
    let name = request.target.split(['/', '?']).nth(1).unwrap_or_default();
    let sender = cases.lock().expect("nothing panics with the lock").get(name).cloned();
    if let Some(sender) = sender {
        // A case that has ended closes the connection.
        let _ = sender.send(Asked { request, wire, cases });
    }
}

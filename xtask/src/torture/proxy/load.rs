//! The clients: each asks on a connection of its own, compares every byte, and goes away now and then.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::{AbortHandle, JoinSet};

use super::origin::{KINDS, Kind, content};
use crate::Outcome;
use crate::torture::random::Random;

/// How long a response may stand still before the run has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// How many clients there are, and for how long.
pub(super) struct Load {
    pub(super) clients: u64,
    pub(super) seed: u64,
    pub(super) time: Duration,
}

/// What clients have seen.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) requests: u64,
    pub(super) hits: u64,
    pub(super) bytes: u64,
    /// How often a client went away in the middle.
    pub(super) left: u64,
    /// How many bodies broke off.
    pub(super) broken: u64,
}

/// When a client goes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leaves {
    Never,
    Asked,
    WithTheHead,
    InTheBody,
}

/// A connection, closed when it is dropped.
struct Connection {
    sender: SendRequest<Full<Bytes>>,
    driver: AbortHandle,
}

impl Load {
    /// Runs the clients to their end.
    ///
    /// # Errors
    ///
    /// When a response is wrong or does not come.
    pub(super) async fn run(self, proxy: SocketAddr) -> Outcome<Tally> {
        let until = Instant::now() + self.time;
        let mut clients = JoinSet::new();
        for number in 0..self.clients {
            let random = Random::new(self.seed * 1000 + number);
            clients.spawn(async move {
                // Across threads, an error goes as its text.
                client(proxy, random, until).await.map_err(|error| error.to_string())
            });
        }
        let mut all = Tally::default();
        while let Some(tally) = clients.join_next().await {
            all.add(&tally??);
        }
        Ok(all)
    }
}

impl Tally {
    fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.hits += other.hits;
        self.bytes += other.bytes;
        self.left += other.left;
        self.broken += other.broken;
    }
}

impl Connection {
    async fn open(proxy: SocketAddr) -> Outcome<Self> {
        let (sender, connection) = handshake(TokioIo::new(TcpStream::connect(proxy).await?)).await?;
        let driver = tokio::spawn(async { drop(connection.await) }).abort_handle();
        Ok(Self { sender, driver })
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

async fn client(proxy: SocketAddr, mut random: Random, until: Instant) -> Outcome<Tally> {
    let mut tally = Tally::default();
    let mut connection = Connection::open(proxy).await?;
    while Instant::now() < until {
        if !ask(&mut connection, &mut random, &mut tally).await? {
            connection = Connection::open(proxy).await?;
        }
    }
    Ok(tally)
}

/// Asks for something, and returns whether the connection can be used again.
async fn ask(connection: &mut Connection, random: &mut Random, tally: &mut Tally) -> Outcome<bool> {
    let kind = pick(random);
    let path = format!("/{}/{}", kind.name, random.below(if kind.len > 1 << 20 { 4 } else { 200 }));
    let is_unsafe = random.below(50) == 0;
    let leaves = match random.below(60) {
        0 => Leaves::Asked,
        1 => Leaves::WithTheHead,
        2 => Leaves::InTheBody,
        _ => Leaves::Never,
    };
    let content = if is_unsafe { vec![b'x'; 100_000] } else { Vec::new() };
    let mut request = Request::new(Full::new(Bytes::from(content)));
    *request.method_mut() = if is_unsafe { Method::POST } else { Method::GET };
    *request.uri_mut() = path.parse()?;
    request.headers_mut().insert("host", "proxy.test".parse()?);

    tally.requests += 1;
    soon(&path, connection.sender.ready()).await??;
    let sent = connection.sender.send_request(request);
    if leaves == Leaves::Asked {
        // Whether the request has got anywhere by then is left to chance.
        let _ = tokio::time::timeout(Duration::from_micros(random.below(2000)), sent).await;
        tally.left += 1;
        return Ok(false);
    }
    let response = soon(&path, sent).await?.map_err(|error| format!("{path}: {error}"))?;
    if leaves == Leaves::WithTheHead {
        tally.left += 1;
        return Ok(false);
    }
    if is_unsafe {
        soon(&path, response.into_body().collect()).await??;
        return Ok(true);
    }
    read(response, kind, &path, leaves, tally).await
}

/// Waits for what is next of the response at `path`.
///
/// # Errors
///
/// When it does not come.
async fn soon<T>(path: &str, next: impl Future<Output = T>) -> Outcome<T> {
    let next = tokio::time::timeout(PATIENCE, next).await;
    next.map_err(|_| format!("{path}: nothing came for {PATIENCE:?}").into())
}

/// Returns a kind of response: mostly a short one.
fn pick(random: &mut Random) -> Kind {
    let (short, long) = KINDS.split_at(5);
    match random.below(100) {
        0..65 => KINDS[0],
        65..80 => KINDS[1],
        80..97 => *random.pick(short),
        _ => *random.pick(long),
    }
}

/// Reads a response and compares every byte, and returns whether the connection can be used again.
async fn read(
    response: Response<Incoming>,
    kind: Kind,
    path: &str,
    leaves: Leaves,
    tally: &mut Tally,
) -> Outcome<bool> {
    if response.status() == 502 && kind.breaks {
        // The end overtook what came before it.
        tally.broken += 1;
        response.into_body().collect().await?;
        return Ok(true);
    }
    if response.status() != 200 {
        return Err(format!("{path}: {}", response.status()).into());
    }
    let status = response.headers().get("cache-status").and_then(|status| status.to_str().ok());
    tally.hits += u64::from(status.is_some_and(|status| status.starts_with("larder; hit")));
    let (content, mut body) = (content(path), response.into_body());
    let mut read = 0;
    while let Some(frame) = soon(path, body.frame()).await? {
        let chunk = match frame {
            Ok(frame) => frame.into_data().unwrap_or_default(),
            Err(_) if kind.breaks => {
                tally.broken += 1;
                return Ok(false);
            }
            Err(error) => return Err(format!("{path}: {error}").into()),
        };
        if content.bytes(read, chunk.len()) != chunk {
            return Err(format!("{path}: a byte after {read} is wrong").into());
        }
        read += chunk.len() as u64;
        tally.bytes += chunk.len() as u64;
        if leaves == Leaves::InTheBody {
            tally.left += 1;
            return Ok(false);
        }
    }
    if read == kind.len as u64 { Ok(true) } else { Err(format!("{path}: it ends after {read} bytes").into()) }
}

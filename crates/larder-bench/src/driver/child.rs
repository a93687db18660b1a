//! Measurements in a process of their own, which is this program again: how much memory something takes can only be
//! seen there.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use clap::ValueEnum;
use futures_util::{StreamExt, stream};
use http::{Request, Response};
use larder::client::{Origin, RequestBody};
use larder::{CacheOptions, FileBackend, ResponseCache};
use larder_core::{Body, BoxError, CacheBackend, Timestamp};
use larder_file::FileStore;
use larder_memory::MemoryRedirects;
use serde_json::{Value, json};

use super::statistics::float;
use crate::{body, fields, key, response};

/// How long a chunk of a body is.
const CHUNK: usize = 64 << 10;

/// What the process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Child {
    /// Writes a file, chunk by chunk
    CopyIn,
    /// Reads it again
    CopyOut,
    /// Gets a response that is not stored, through the client
    StreamIn,
    /// Gets it again
    StreamOut,
    /// Opens a cache
    Open,
    /// Deletes what has expired
    Purge,
    /// Fills a cache, and reads so many of its entries
    Hits,
    /// Opens a cache, uses it a little, and then does nothing
    Idle,
    /// The same with limits that are far away
    IdleWithinLimits,
}

/// What the process says at its end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Report {
    /// How long it took.
    pub(crate) nanoseconds: f64,
    /// How much memory it had at most; of one that is idle, how much it has.
    pub(crate) bytes: f64,
}

/// Runs `child` with a cache in `directory`.
///
/// # Errors
///
/// When the process cannot be started, or fails.
pub(crate) fn run(child: Child, directory: &Path, count: u64) -> Result<Report, BoxError> {
    let name = child.to_possible_value().ok_or("a child without a name")?;
    let output = Command::new(std::env::current_exe()?)
        .args(["--child", name.get_name(), "--directory"])
        .arg(directory)
        .args(["--entries", &count.to_string()])
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(format!("the process for {child:?} ended with {}", output.status).into());
    }
    let report: Value = serde_json::from_slice(&output.stdout)?;
    let number = |name: &str| report[name].as_f64().ok_or("the process reported something else");
    Ok(Report { nanoseconds: number("nanoseconds")?, bytes: number("bytes")? })
}

/// Does what `child` is for, and prints the report.
///
/// # Errors
///
/// When it fails.
pub(crate) fn answer(child: Child, directory: &Path, count: u64) -> Result<(), BoxError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let elapsed = match child {
        Child::CopyIn => copy_in(directory, count)?,
        Child::CopyOut => copy_out(directory, count)?,
        Child::StreamIn => runtime.block_on(through_client(directory, count, false))?,
        Child::StreamOut => runtime.block_on(through_client(directory, count, true))?,
        Child::Open => runtime.block_on(open(directory))?,
        Child::Purge => runtime.block_on(purge(directory, count))?,
        Child::Hits => runtime.block_on(hits(directory, count))?,
        Child::Idle => runtime.block_on(idle(directory, count, false))?,
        Child::IdleWithinLimits => runtime.block_on(idle(directory, count, true))?,
    };
    let is_idle = matches!(child, Child::Idle | Child::IdleWithinLimits);
    let field = if is_idle { "VmRSS:" } else { "VmHWM:" };
    println!("{}", json!({ "nanoseconds": elapsed.as_secs_f64() * 1e9, "bytes": memory(field)? }));
    Ok(())
}

fn memory(field: &str) -> Result<f64, BoxError> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(field)).ok_or("the kernel does not say")?;
    let kib: usize = line.trim().trim_end_matches(" kB").parse()?;
    Ok(float(kib) * 1024.0)
}

/// The chunks of a large body, each a copy of its own as it would be of a socket's bytes.
fn chunks(len: u64) -> impl Iterator<Item = Bytes> + Send {
    let sample = body(1, CHUNK);
    let whole = len / CHUNK as u64;
    (0..whole).map(move |_| Bytes::copy_from_slice(&sample))
}

fn copy_in(directory: &Path, len: u64) -> Result<Duration, BoxError> {
    let path = directory.join("copied");
    let _ = std::fs::remove_file(&path);
    let start = Instant::now();
    let mut file = File::create_new(&path)?;
    for chunk in chunks(len) {
        file.write_all(&chunk)?;
    }
    Ok(start.elapsed())
}

fn copy_out(directory: &Path, len: u64) -> Result<Duration, BoxError> {
    let start = Instant::now();
    let mut file = File::open(directory.join("copied"))?;
    let mut total = 0;
    loop {
        let mut chunk = vec![0; CHUNK];
        match file.read(&mut chunk)? {
            0 => break,
            read => total += read as u64,
        }
    }
    if total != len {
        return Err(format!("{total} bytes were copied, and not {len}").into());
    }
    Ok(start.elapsed())
}

/// Gets the large response, which must be from the cache or must not be.
///
/// What is from the cache is got once more outside of the time, and every byte of it compared.
async fn through_client(directory: &Path, len: u64, from_cache: bool) -> Result<Duration, BoxError> {
    let backend = FileBackend::new(directory.join("cache")).open().await?;
    if !from_cache {
        backend.clear().await?;
    }
    let cache = ResponseCache::new(backend.clone(), CacheOptions::standard())?;
    let start = Instant::now();
    get(&cache, len, from_cache, |_| Ok(())).await?;
    // The entry is there when the body has ended, or shortly after.
    while backend.size().await? == 0 {
        if start.elapsed() > Duration::from_mins(1) {
            return Err("the response was not stored".into());
        }
        tokio::task::yield_now().await;
    }
    let elapsed = start.elapsed();
    if from_cache {
        let (sample, mut at) = (body(1, CHUNK), 0);
        let compare = |mut chunk: &[u8]| {
            while !chunk.is_empty() {
                let (now, later) = chunk.split_at(chunk.len().min(CHUNK - at));
                if *now != sample[at..at + now.len()] {
                    return Err("the store gave other bytes".into());
                }
                at = (at + now.len()) % CHUNK;
                chunk = later;
            }
            Ok(())
        };
        get(&cache, len, from_cache, compare).await?;
    }
    backend.close().await?;
    Ok(elapsed)
}

/// Gets the large response, and gives each chunk to `look`.
async fn get(
    cache: &ResponseCache,
    len: u64,
    from_cache: bool,
    mut look: impl FnMut(&[u8]) -> Result<(), BoxError>,
) -> Result<(), BoxError> {
    let request = Request::get("http://origin.invalid/large").body(RequestBody::empty())?;
    let mut response = cache.send_once(request, &mut Large { len }).await?;
    if response.from_cache() != from_cache {
        return Err(format!("the cache answered with {}", response.cache_status()).into());
    }
    let mut total = 0;
    while let Some(chunk) = response.chunk().await? {
        total += chunk.len() as u64;
        look(&chunk)?;
    }
    if total == len { Ok(()) } else { Err(format!("{total} bytes arrived, and not {len}").into()) }
}

/// An origin of one large response.
struct Large {
    len: u64,
}

#[async_trait]
impl Origin for Large {
    async fn send(&mut self, _: Request<RequestBody>) -> Result<Response<Body>, BoxError> {
        let chunks = stream::iter(chunks(self.len)).map(Ok::<_, BoxError>);
        let mut response = Response::new(Body::from_sized_stream(chunks, self.len));
        *response.headers_mut() = fields();
        let now = SystemTime::now();
        response.headers_mut().insert(http::header::DATE, httpdate::fmt_http_date(now).parse()?);
        Ok(response)
    }
}

async fn open(directory: &Path) -> Result<Duration, BoxError> {
    let start = Instant::now();
    let backend = FileBackend::new(directory).open().await?;
    let elapsed = start.elapsed();
    backend.close().await?;
    Ok(elapsed)
}

async fn purge(directory: &Path, expired: u64) -> Result<Duration, BoxError> {
    let backend = FileBackend::new(directory).open().await?;
    let start = Instant::now();
    let deleted = backend.delete_expired_responses(Timestamp::from(SystemTime::now())).await?;
    let elapsed = start.elapsed();
    backend.close().await?;
    if deleted == expired { Ok(elapsed) } else { Err(format!("{deleted} entries had expired").into()) }
}

/// Reads entries of 10 KiB that were just written and read; where there are none to read, the rest is the same.
async fn hits(directory: &Path, count: u64) -> Result<Duration, BoxError> {
    const ENTRIES: usize = 100;
    const BYTES: usize = 10 << 10;
    let backend = FileBackend::new(directory).open().await?;
    for number in 0..ENTRIES {
        backend.responses().write(&key(number), response(number, BYTES)).await?;
    }
    let mut start = Instant::now();
    for turn in 0..ENTRIES + usize::try_from(count)? {
        if turn == ENTRIES {
            start = Instant::now();
        }
        let found = backend.get_response(&key(turn % ENTRIES), Timestamp::UNIX_EPOCH).await;
        let read = found.into_response().ok_or("an entry was lost")?.body.bytes().await?;
        if read != body(turn % ENTRIES, BYTES) {
            return Err("an entry has other bytes".into());
        }
    }
    let elapsed = start.elapsed();
    backend.close().await?;
    Ok(elapsed)
}

/// Reads a thousand entries, looks for as many that are not there, and waits until nothing moves.
async fn idle(directory: &Path, entries: u64, has_limits: bool) -> Result<Duration, BoxError> {
    let start = Instant::now();
    let backend = if has_limits {
        let store = FileStore::builder(directory, larder_codec::default_codecs());
        let store = store.max_entries(entries * 4).open().await?;
        CacheBackend::new(Arc::new(store), Arc::new(MemoryRedirects::new()))
    } else {
        FileBackend::new(directory).open().await?
    };
    let elapsed = start.elapsed();
    let entries = usize::try_from(entries)?;
    for number in (0..entries).step_by((entries / 1_000).max(1)) {
        for number in [number, usize::MAX - number] {
            let found = backend.get_response(&key(number), Timestamp::UNIX_EPOCH).await;
            if let Some(response) = found.into_response() {
                response.body.bytes().await?;
            }
        }
    }
    let mut before = memory("VmRSS:")?;
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let now = memory("VmRSS:")?;
        if (now - before).abs() < 1024.0 * 1024.0 {
            return Ok(elapsed);
        }
        before = now;
    }
}

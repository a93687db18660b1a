//! `larder get`: requests a URL through the cache.
//!
//! Nothing that is wrong with the cache makes a request fail: it then goes on without one, and says so.

use std::ffi::OsStr;
use std::future;
use std::io::{self, Read};
use std::path::PathBuf;
use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method};
use indicatif::{ProgressBar, ProgressStyle};
use larder::client::reqwest::{Client, Response};
use larder::client::{CacheMode, CacheOptions, RequestOptions, ResponseCache};
use larder::{CacheBackend, MemoryBackend};

use crate::arguments::Get;
use crate::cache::Cache;
use crate::destination::Destination;
use crate::output::{Output, complain, field_text, remark};
use crate::show_as::rfc3339;
use crate::status::{Failure, Result, Status};

/// How long a response is fresh if neither the user nor its header fields say so.
const FRESH: Duration = Duration::from_hours(1);
/// What the origin knows this program by.
const AGENT: &str = concat!("larder/", env!("CARGO_PKG_VERSION"));
/// What content is unless a header field says otherwise.
const FORM: &str = "application/x-www-form-urlencoded";

pub(crate) async fn run(dir: Option<PathBuf>, arguments: Get, output: &mut Output) -> Result {
    let cache = open(dir, arguments.offline).await?;
    let backend = match &cache {
        Some(cache) => cache.backend.clone(),
        None => MemoryBackend::new().open(),
    };
    // Before a file is made that would have to be taken away.
    let data = arguments.data.as_deref().map(content).transpose()?;
    let mut destination = Destination::open(arguments.output.as_deref(), output)?;
    let mut outcome = {
        let interrupted = pin!(interruption(destination.is_file()));
        let transferred = pin!(transfer(backend, &arguments, data, &mut destination));
        match select(transferred, interrupted).await {
            Either::Left((outcome, _)) => outcome,
            Either::Right(_) => Ok(Status::Interrupted),
        }
    };
    if let Ok(Status::Done) = outcome {
        outcome = destination.finish().map(|()| Status::Done);
    }
    // What failed meanwhile was told with the response.
    if let Some(cache) = cache
        && let Err(error) = cache.backend.close().await
    {
        complain(&error);
    }
    outcome
}

/// Opens the cache; `None` if it cannot be used, and the request can do without.
async fn open(dir: Option<PathBuf>, is_offline: bool) -> Result<Option<Cache>> {
    if is_offline {
        return Cache::open_existing(dir).await.map(Some);
    }
    Ok(match Cache::open_or_make(dir).await {
        Ok(cache) => Some(cache),
        Err(failure) => {
            complain(&*Failure::new("going on without the cache").because(failure.error).error);
            None
        }
    })
}

/// Waits for the user to give up, if there is something to be taken away then: without it, the program is just ended.
async fn interruption(is_awaited: bool) {
    if !is_awaited || tokio::signal::ctrl_c().await.is_err() {
        future::pending::<()>().await;
    }
}

async fn transfer(
    backend: CacheBackend,
    arguments: &Get,
    data: Option<Vec<u8>>,
    destination: &mut Destination<'_>,
) -> Result {
    let client = client(backend, arguments)?;
    let mut response = send(&client, arguments, data).await?;
    let status = response.cache_status();
    if arguments.offline && !status.hit {
        return Err(Failure::not_in_cache(format!("{} is not in the cache", response.url())));
    }
    if !arguments.quiet {
        remark(provenance(&response));
    }
    let status = response.status();
    if arguments.fail && (status.is_client_error() || status.is_server_error()) {
        return Err(Failure::http_error(format!("{} answered {status}", response.url())));
    }
    if arguments.include {
        write_head(&response, destination)?;
    }
    let bar = progress_bar(response.content_length(), arguments.quiet || destination.is_terminal());
    while let Some(chunk) = response.chunk().await? {
        destination.write(&chunk)?;
        bar.inc(chunk.len() as u64);
    }
    bar.finish_and_clear();
    if client.cache().failures() > 0 && !arguments.quiet {
        remark("the cache failed meanwhile; the response is not affected");
    }
    Ok(Status::Done)
}

/// Returns the client: it goes by the header fields of responses only where the user has not said what is to hold.
fn client(backend: CacheBackend, arguments: &Get) -> Result<Client> {
    let heeds_fields = arguments.expire_after.is_none() && !arguments.offline;
    let options = CacheOptions::fixed(FRESH).cache_control(heeds_fields);
    let cache = ResponseCache::new(backend, options)?;
    let agent = HeaderMap::from_iter([(USER_AGENT, HeaderValue::from_static(AGENT))]);
    Ok(Client::builder(cache).default_headers(agent).build()?)
}

async fn send(client: &Client, arguments: &Get, data: Option<Vec<u8>>) -> Result<Response> {
    let default_method = if data.is_some() { Method::POST } else { Method::GET };
    let method = arguments.method.clone().unwrap_or(default_method);

    let mut headers = HeaderMap::new();
    for (name, value) in &arguments.headers {
        headers.append(name, value.clone());
    }
    if data.is_some() && !headers.contains_key(CONTENT_TYPE) {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(FORM));
    }
    let mut options = RequestOptions::default().mode(match arguments {
        Get { offline: true, .. } => CacheMode::OnlyIfCached,
        Get { refresh: true, .. } => CacheMode::NoCache,
        _ => CacheMode::Default,
    });
    options.expire_after = arguments.expire_after;

    let mut request = client.request(method, arguments.url.clone()).headers(headers).cache_options(options);
    if let Some(data) = data {
        request = request.body(data);
    }
    Ok(Box::pin(request.send()).await?)
}

/// Returns the content that `data` means: itself, or after `@` what is in a file, `-` being standard input.
fn content(data: &OsStr) -> Result<Vec<u8>> {
    let bytes = data.as_encoded_bytes();
    if !bytes.starts_with(b"@") {
        return Ok(bytes.to_vec());
    }
    let mut content = Vec::new();
    let read = match data.to_str().map(|text| &text[1..]) {
        Some("-") => io::stdin().read_to_end(&mut content),
        Some(path) => std::fs::File::open(path).and_then(|mut file| file.read_to_end(&mut content)),
        None => Err(io::Error::new(io::ErrorKind::InvalidInput, "its name is not UTF-8")),
    };
    match read {
        Ok(_) => Ok(content),
        Err(error) => {
            let name = data.to_string_lossy();
            Err(Failure::new(format!("cannot read {}", &name[1..])).because(error))
        }
    }
}

/// Says where the response came from, and how long it may come from the cache.
fn provenance(response: &Response) -> String {
    let status = response.cache_status();
    let stored = rfc3339(response.created_at());
    let came = match (&status.not_stored, status.hit, response.from_cache()) {
        (_, true, _) if status.alias => format!("hit, past a redirect, stored {stored}"),
        (_, true, _) => format!("hit, stored {stored}"),
        (_, false, true) => format!("validated, stored {stored}"),
        (Some(reason), ..) => return format!("miss, not stored: {reason}"),
        (None, ..) if status.stored => "miss, to be stored".to_owned(),
        (None, ..) => return "miss, not stored".to_owned(),
    };
    match response.expires_at() {
        None => format!("{came}, fresh for ever"),
        Some(end) if response.is_expired() => format!("{came}, stale since {}", rfc3339(end)),
        Some(end) => format!("{came}, fresh until {}", rfc3339(end)),
    }
}

fn write_head(response: &Response, destination: &mut Destination<'_>) -> Result<()> {
    destination.line(&format!("{:?} {}", response.version(), response.status()))?;
    for (name, value) in response.headers() {
        destination.line(&format!("{name}: {}", field_text(value.as_bytes())))?;
    }
    destination.line("")
}

/// Returns a bar on standard error; it draws nothing if that is not a terminal.
fn progress_bar(len: Option<u64>, is_hidden: bool) -> ProgressBar {
    if is_hidden {
        return ProgressBar::hidden();
    }
    let template = match len {
        Some(_) => "{wide_bar} {binary_bytes}/{binary_total_bytes}, {binary_bytes_per_sec}, {eta} left",
        None => "{spinner} {binary_bytes}, {binary_bytes_per_sec}",
    };
    let bar = ProgressBar::no_length();
    if let Some(len) = len {
        bar.set_length(len);
    }
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.force_draw();
    bar
}

//! The main job: an ordinary HTTP client that keeps what it fetches, and the next time need not ask.
//!
//! ```text
//! cargo run --release --example quickstart [-- [--dir DIRECTORY] [URL]]
//! ```
//!
//! Without a URL it serves this repository's `docs/` from an origin of its own, fetches every page twice, and one
//! page once through three redirects. Run it again: the second run has no miss. It does not look at freshness: what
//! is stored is taken as it is.

mod client;
mod origin;
mod report;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use larder::{CacheBackend, FileBackend};
use reqwest::ClientBuilder;

use client::CachingClient;
use origin::Origin;
use report::Summary;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

const USAGE: &str = "usage: quickstart [--dir DIRECTORY] [URL]";

struct Arguments {
    directory: PathBuf,
    url: Option<String>,
}

impl Arguments {
    fn parse() -> Result<Self, BoxError> {
        let mut directory = repository().join("target/quickstart/http_cache");
        let mut url = None;
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            match word.as_str() {
                "--dir" => directory = words.next().ok_or(USAGE)?.into(),
                option if option.starts_with('-') => return Err(USAGE.into()),
                _ if url.is_none() => url = Some(word),
                _ => return Err(USAGE.into()),
            }
        }
        Ok(Self { directory: std::path::absolute(directory)?, url })
    }
}

fn repository() -> PathBuf {
    let crate_directory = Path::new(env!("CARGO_MANIFEST_DIR"));
    crate_directory.ancestors().nth(2).unwrap_or(crate_directory).to_owned()
}

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(summary) => {
            println!("\n{summary}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("quickstart: {error}");
            let mut cause = error.source();
            while let Some(error) = cause {
                eprintln!("  because: {error}");
                cause = error.source();
            }
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<Summary, BoxError> {
    let Arguments { directory, url } = Arguments::parse()?;
    let cache = FileBackend::new(&directory).open().await?;
    println!("cache directory: {}\n", directory.display());

    let summary = match url {
        Some(url) => fetch_url(&cache, &url).await?,
        None => fetch_docs(&cache).await?,
    };

    report::print_entries(&cache, &directory).await?;
    cache.close().await?;
    report::print_aliases(&directory)?;
    Ok(summary)
}

/// Fetches `url` twice; if it redirects, the second time is an alias hit.
async fn fetch_url(cache: &CacheBackend, url: &str) -> Result<Summary, BoxError> {
    let client = CachingClient::new(ClientBuilder::new(), cache.clone())?;
    let mut summary = Summary::default();
    for _ in 0..2 {
        summary.add(client.get(url).await?);
    }
    Ok(summary)
}

/// Serves the documents, fetches each twice, and one through the redirects.
async fn fetch_docs(cache: &CacheBackend) -> Result<Summary, BoxError> {
    let origin = Origin::start(&repository().join("docs")).await?;
    // A stable name for an origin whose port is another one in each run: the cache keys know only the name.
    // Without certificates, so that it also works on a machine that has none.
    let builder = ClientBuilder::new().no_proxy().tls_certs_only([]).resolve(origin::HOST, origin.address());
    let client = CachingClient::new(builder, cache.clone())?;

    let mut summary = Summary::default();
    for _ in 0..2 {
        for url in origin.pages() {
            summary.add(client.get(&url).await?);
        }
    }
    summary.add(client.get(&origin::redirecting_url()).await?);
    println!("\nthe origin at {} answered {} requests", origin.address(), origin.answered());
    Ok(summary)
}

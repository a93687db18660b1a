//! The main job: an ordinary HTTP client that keeps what it fetches, and the next time need not ask.
//!
//! ```text
//! cargo run --release --example quickstart [-- [--dir DIRECTORY] [URL]]
//! ```
//!
//! Without a URL it serves this repository's `docs/` from an origin of its own, fetches every page twice, and one
//! page once through three redirects. Run it again: the second run has no miss. What is stored never expires.

mod origin;
mod report;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use larder::reqwest::Client;
use larder::{CacheOptions, Expiry, FileBackend, ResponseCache};

use origin::Origin;
use report::{Fetched, Summary};

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
    let backend = FileBackend::new(&directory).open().await?;
    let cache = ResponseCache::new(backend, CacheOptions::fixed(Expiry::Never))?;
    println!("cache directory: {}\n", directory.display());

    let summary = match url {
        Some(url) => fetch_url(&cache, &url).await?,
        None => fetch_docs(&cache).await?,
    };
    // No failure of the cache makes a request fail; this is where they show.
    if cache.failures() > 0 {
        eprintln!("the cache failed {} times", cache.failures());
    }

    report::print_entries(cache.backend(), &directory).await?;
    cache.backend().close().await?;
    report::print_aliases(&directory)?;
    Ok(summary)
}

/// Fetches `url` twice; if it redirects, the second time is an alias hit.
async fn fetch_url(cache: &ResponseCache, url: &str) -> Result<Summary, BoxError> {
    let client = Client::new(cache.clone())?;
    let mut summary = Summary::default();
    for _ in 0..2 {
        summary.add(&fetch(&client, url).await?);
    }
    Ok(summary)
}

/// Serves the documents, fetches each twice, and one through the redirects.
async fn fetch_docs(cache: &ResponseCache) -> Result<Summary, BoxError> {
    let origin = Origin::start(&repository().join("docs")).await?;
    // A stable name for an origin whose port is another one in each run: the cache keys know only the name.
    // Without certificates, so that it also works on a machine that has none.
    let client = Client::builder(cache.clone())
        .reqwest(|builder| builder.no_proxy().tls_certs_only([]).resolve(origin::HOST, origin.address()))
        .build()?;

    let mut summary = Summary::default();
    for _ in 0..2 {
        for url in origin.pages() {
            summary.add(&fetch(&client, &url).await?);
        }
    }
    summary.add(&fetch(&client, &origin::redirecting_url()).await?);
    println!("\nthe origin at {} answered {} requests", origin.address(), origin.answered());
    Ok(summary)
}

/// Fetches `url`, whole.
async fn fetch(client: &Client, url: &str) -> Result<Fetched, BoxError> {
    let started = Instant::now();
    let response = client.get(url).send().await?;
    let mut fetched = Fetched {
        url: report::without_user_information(url)?,
        final_url: response.url().to_string(),
        cache_status: response.cache_status().clone(),
        status: response.status(),
        redirects: response.history().len(),
        body_len: 0,
        took: started.elapsed(),
    };
    fetched.body_len = response.bytes().await?.len();
    fetched.took = started.elapsed();
    Ok(fetched)
}

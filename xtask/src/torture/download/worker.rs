//! The process that downloads.

use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

use larder::client::reqwest::Client;
use larder::{CacheOptions, Expiry, FileBackend, ResponseCache};

use super::super::block_on;
use super::super::stream::{print_peak, report};
use crate::{Outcome, origin};

/// What is printed when the first bytes have come.
pub(super) const READING: &str = "reading";

/// What the process is given.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[arg(long)]
    directory: PathBuf,
    #[arg(long)]
    url: String,
    #[arg(long)]
    times: u64,
}

/// Downloads through a cache, and prints throughput and peak memory.
///
/// # Errors
///
/// When the request fails, a byte is wrong, or any time but the first is no hit.
pub(crate) fn work(arguments: &Arguments) -> Outcome {
    block_on(async {
        let backend = FileBackend::new(&arguments.directory).open().await?;
        let client = Client::new(ResponseCache::new(backend, CacheOptions::fixed(Expiry::Never))?)?;
        for time in 0..arguments.times {
            let start = Instant::now();
            let mut response = client.get(&arguments.url).send().await?;
            let is_hit = response.cache_status().hit;
            let is_large = arguments.url.contains("/large");
            let mut len = 0;
            while let Some(chunk) = response.chunk().await? {
                if len == 0 {
                    println!("{READING}");
                    std::io::stdout().flush()?;
                }
                if is_large && !origin::content().matches(len, &chunk) {
                    return Err(format!("wrong bytes after {len}").into());
                }
                len += chunk.len() as u64;
            }
            report(
                if is_hit { "a hit, every byte compared" } else { "a miss, every byte compared" },
                len,
                start,
            );
            if is_hit != (time > 0) {
                return Err(format!("request {time}: {}", response.cache_status()).into());
            }
        }
        Ok(())
    })
    .flatten()?;
    print_peak();
    Ok(())
}

//! The arguments of `larder proxy`.

use std::time::Duration;

use clap::Args;
use larder::policy::Expiry;
use url::Url;

use super::{expiry, url};

/// Run a caching reverse proxy before an origin
///
/// Every request goes to the same path at the origin, or is answered from the cache. It speaks HTTP/1.1 on both sides,
/// passes every method but CONNECT, streams, relays interim responses, and follows no redirects. It sends nothing twice
/// that may have reached the origin. For an origin that cannot be reached or that does not answer in time it answers
/// 502 and 504.
///
/// When it accepts connections, it prints the line `listening on http://ADDR` to standard output. On SIGINT and SIGTERM
/// it finishes what is under way, for 5 seconds at most, and ends with code 0; a second signal ends it at once.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  larder proxy --listen 127.0.0.1:8080 --origin https://api.example.org/
  larder proxy --listen 127.0.0.1:8080 --origin https://api.example.org/v2 --fixed 1h
  larder proxy --listen 127.0.0.1:8080 --origin https://api.example.org/ --offline
  larder proxy --listen 127.0.0.1:0 --origin http://127.0.0.1:3000 --shared --dir ./cache

Each request is one line on standard error, unless --quiet is given:
  TIME METHOD TARGET STATUS BYTESB MILLISECONDSms CACHE-STATUS")]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own on the command line")]
pub(crate) struct Proxy {
    /// Where to listen, such as 127.0.0.1:8080; with port 0, at any that is free
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: String,
    /// Where requests go; its path is put before theirs
    #[arg(long, value_name = "URL", value_parser = url)]
    pub(crate) origin: Url,
    /// Be a shared cache: nothing that is meant for one user is stored
    #[arg(long)]
    pub(crate) shared: bool,
    /// Be the cache of one user; this is the default
    #[arg(long, conflicts_with = "shared")]
    pub(crate) private: bool,
    /// Answer from the cache only, and 504 if nothing that is stored will do
    #[arg(long)]
    pub(crate) offline: bool,
    /// What is stored is fresh for TIME, whatever its header fields say: `never` for ever, or 90s, 1h30m, 7d
    #[arg(long, value_name = "TIME", value_parser = expiry)]
    pub(crate) fixed: Option<Expiry>,
    /// Answer with what is stale for no longer than TIME if the origin fails
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub(crate) stale_if_error: Option<Duration>,
    /// How long the origin may take to begin its response
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, default_value = "60s")]
    pub(crate) timeout: Duration,
    /// Write no line for each request
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

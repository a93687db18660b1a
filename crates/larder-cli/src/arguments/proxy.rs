//! The arguments of `larder proxy` and `larder explain`, and the policy that both go by.

use std::time::Duration;

use clap::Args;
use http::{HeaderName, HeaderValue, Method};
use larder::CacheOptions;
use larder::policy::Expiry;
use url::Url;

use super::{expiry, header, url};

/// Run a caching reverse proxy before an origin
///
/// Every request goes to the same path at the origin, or is answered from the cache. It speaks HTTP/1.1 on both sides,
/// passes every method but CONNECT, streams, relays interim responses, and follows no redirects. It sends nothing twice
/// that may have reached the origin. For an origin that cannot be reached or that does not answer in time it answers
/// 502 and 504, and 508 for a request that has passed 8 such proxies already.
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

Each request is one line on standard error, unless --quiet is given: when it came, its method and
target, the status, the length and the time of the answer, and what the cache did (RFC 9211):
  2026-01-01T12:00:00Z GET /items 200 512B 3ms larder; fwd=uri-miss; ttl=60; stored")]
pub(crate) struct Proxy {
    /// Where to listen, such as 127.0.0.1:8080; with port 0, at any that is free
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: String,
    /// Where requests go; its path is put before theirs
    #[arg(long, value_name = "URL", value_parser = url)]
    pub(crate) origin: Url,
    #[command(flatten)]
    pub(crate) policy: Policy,
    /// Answer from the cache only, and 504 if nothing that is stored will do
    #[arg(long)]
    pub(crate) offline: bool,
    /// How long the origin may take to begin its response, and a client to go on with the content of its request
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, default_value = "60s")]
    pub(crate) timeout: Duration,
    /// Write no line for each request
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

/// Say what the cache would do about a request, and why
///
/// Prints what is stored for the request, how its freshness is reckoned, and the decision with its reason, as `larder
/// proxy` with the same options would decide. Nothing is requested, and nothing changes. The URL is the one at the
/// origin.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  larder explain https://api.example.org/items
  larder explain -H 'Accept-Language: fr' --shared https://api.example.org/items")]
pub(crate) struct Explain {
    #[command(flatten)]
    pub(crate) policy: Policy,
    /// A header field of the request; may be given several times
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE", value_parser = header)]
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    /// The method; GET by default
    #[arg(short = 'X', long = "request", value_name = "METHOD")]
    pub(crate) method: Option<Method>,
    /// What is requested
    #[arg(value_parser = url)]
    pub(crate) url: Url,
}

/// How long what is stored, and for whom.
#[derive(Debug, Args)]
pub(crate) struct Policy {
    /// Be a shared cache: nothing that is meant for one user is stored
    #[arg(long)]
    shared: bool,
    /// Be the cache of one user; this is the default
    #[arg(long, conflicts_with = "shared")]
    private: bool,
    /// What is stored is fresh for TIME, whatever its header fields say: `never` for ever, `0` for not at all, or
    /// 90s, 1h30m, 7d
    #[arg(long, value_name = "TIME", value_parser = expiry)]
    fixed: Option<Expiry>,
    /// If the origin fails, answer with what has not been stale for longer than TIME
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    stale_if_error: Option<Duration>,
}

impl Policy {
    /// Returns the options of a cache that goes by it.
    pub(crate) fn options(&self) -> CacheOptions {
        let options = self.fixed.map_or_else(CacheOptions::standard, CacheOptions::fixed);
        let options = if self.shared { options.shared() } else { options };
        match self.stale_if_error {
            Some(window) => options.stale_if_error(window),
            None => options,
        }
    }
}

//! reqwest with a cache in front of it: look up, else fetch, follow redirects, and store.

use std::time::{Duration, Instant, SystemTime};

use larder::policy::{CacheKeys, KeyRequest};
use larder::{Aliases, Body, CacheBackend, CacheKey, CachedResponse, Hop, Lookup, ResponseHead, Timestamp};
use reqwest::header::{HeaderMap, LOCATION};
use reqwest::{Client, ClientBuilder, Method, Response, StatusCode, Url, redirect};

use crate::BoxError;

/// How long a redirect is followed without asking, as long as nothing computes its freshness.
const ALIAS_LIFE: Duration = Duration::from_hours(24);
const MOST_REDIRECTS: usize = 10;

pub(crate) struct CachingClient {
    client: Client,
    cache: CacheBackend,
    keys: CacheKeys,
}

/// Where a response came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    Miss { stored: bool },
    Hit,
    AliasHit,
}

/// One request, answered.
pub(crate) struct Fetched {
    pub(crate) url: String,
    pub(crate) source: Source,
    pub(crate) took: Duration,
    pub(crate) status: StatusCode,
    pub(crate) body_len: usize,
    /// How many redirects led to the response, and where it was.
    pub(crate) redirects: usize,
    pub(crate) final_url: String,
}

impl CachingClient {
    pub(crate) fn new(builder: ClientBuilder, cache: CacheBackend) -> Result<Self, BoxError> {
        // It fails if a provider of cryptography was installed before: that one will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // Redirects are followed here, so that their history can be stored.
        let client = builder.redirect(redirect::Policy::none()).build()?;
        Ok(Self { client, cache, keys: CacheKeys::private() })
    }

    /// Returns the response to a GET of `url`: from the cache if it is there, else from its origin.
    pub(crate) async fn get(&self, url: &str) -> Result<Fetched, BoxError> {
        let started = Instant::now();
        let url = Url::parse(url)?;
        let key = self.key(&url)?;
        let (source, mut response) = match self.cache.get_response(&key, now()).await {
            Lookup::Hit(response) => (Source::Hit, response),
            Lookup::AliasHit { response, .. } => (Source::AliasHit, response),
            // A cache that fails is a cache that has nothing.
            _ => self.fetch(url.clone()).await?,
        };
        let body_len = response.bytes().await?.len();
        Ok(Fetched {
            url: url.to_string(),
            source,
            took: started.elapsed(),
            status: response.status(),
            body_len,
            redirects: response.history().len(),
            final_url: response.url().to_string(),
        })
    }

    /// Fetches `url` from its origin, and stores the response with the redirects that led to it.
    async fn fetch(&self, mut url: Url) -> Result<(Source, CachedResponse), BoxError> {
        let mut history = Vec::new();
        loop {
            let requested_at = now();
            let response = self.client.get(url.clone()).send().await?;
            if let Some(location) = redirect_target(&url, &response) {
                if history.len() == MOST_REDIRECTS {
                    return Err(
                        format!("more than {MOST_REDIRECTS} redirects, the last to {location}").into()
                    );
                }
                let mut hop = Hop::new(Method::GET, url.as_str().parse()?, response.status());
                hop.headers = response.headers().clone();
                history.push(hop);
                url = location;
                continue;
            }
            return self.store(&url, requested_at, history, response).await;
        }
    }

    async fn store(
        &self,
        url: &Url,
        requested_at: Timestamp,
        history: Vec<Hop>,
        response: Response,
    ) -> Result<(Source, CachedResponse), BoxError> {
        let received_at = now();
        let mut head = ResponseHead::new(Method::GET, url.as_str().parse()?, response.status(), received_at);
        head.version = response.version();
        head.headers = response.headers().clone();
        head.requested_at = requested_at;
        head.history = history;
        let bytes = response.bytes().await?;

        let stored = head.status == StatusCode::OK;
        if stored {
            let aliases = self.keys.aliases(&head.history, &HeaderMap::new());
            let aliases = Aliases::new(aliases, Some(received_at.saturating_add(ALIAS_LIFE)));
            let entry = CachedResponse::new(head.clone(), bytes.clone());
            if let Err(error) = self.cache.save_response(&self.key(url)?, entry, &aliases).await {
                eprintln!("not stored: {error}");
            }
        }
        Ok((Source::Miss { stored }, CachedResponse::new(head, Body::from(bytes))))
    }

    fn key(&self, url: &Url) -> Result<CacheKey, BoxError> {
        let url = url.as_str().parse()?;
        Ok(self.keys.key(&KeyRequest::new(&Method::GET, &url))?.to_cache_key())
    }
}

/// Returns where `response` to a GET of `url` redirects, if it does (RFC 9110, section 15.4).
fn redirect_target(url: &Url, response: &Response) -> Option<Url> {
    let is_redirect = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    let location = response.headers().get(LOCATION).filter(|_| is_redirect)?;
    url.join(location.to_str().ok()?).ok()
}

fn now() -> Timestamp {
    Timestamp::from(SystemTime::now())
}

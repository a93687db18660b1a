//! reqwest with a cache in front of it: look up, else fetch, follow redirects, and store.
//!
//! Nothing that the cache does makes a request fail: what cannot be read is fetched, what cannot be stored is not.

use std::time::{Duration, Instant, SystemTime};

use larder::policy::{CacheKeys, KeyRequest};
use larder::{Aliases, Body, CacheBackend, CacheKey, CachedResponse, Hop, Lookup, ResponseHead, Timestamp};
use reqwest::header::LOCATION;
use reqwest::{Client, ClientBuilder, Method, Response, StatusCode, Url, redirect};

use crate::BoxError;

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
        let (source, mut response) = match self.look_up(&key).await {
            Some(found) => found,
            None => self.fetch(url.clone()).await?,
        };
        let body_len = response.bytes().await?.len();
        Ok(Fetched {
            url: without_user_information(&url).to_string(),
            source,
            took: started.elapsed(),
            status: response.status(),
            body_len,
            redirects: response.history().len(),
            final_url: response.url().to_string(),
        })
    }

    /// Returns the stored response with its whole body; a cache that fails is a cache that has nothing.
    async fn look_up(&self, key: &CacheKey) -> Option<(Source, CachedResponse)> {
        let (source, mut response) = match self.cache.get_response(key, now()).await {
            Lookup::Hit(response) => (Source::Hit, response),
            Lookup::AliasHit { response, .. } => (Source::AliasHit, response),
            _ => return None,
        };
        // A long body is verified only as it is read; once it is, it is kept.
        match response.bytes().await {
            Ok(_) => Some((source, response)),
            Err(error) => {
                eprintln!("fetched anew: {error}");
                None
            }
        }
    }

    /// Fetches `url` from its origin, and stores the response with the redirects that led to it.
    async fn fetch(&self, mut url: Url) -> Result<(Source, CachedResponse), BoxError> {
        let mut history = Vec::new();
        let mut aliases = Vec::new();
        loop {
            let requested_at = now();
            let response = self.client.get(url.clone()).send().await?;
            if let Some(location) = redirect_target(&url, &response) {
                if history.len() == MOST_REDIRECTS {
                    return Err(format!(
                        "more than {MOST_REDIRECTS} redirects, the last to {}",
                        without_user_information(&location)
                    )
                    .into());
                }
                // Each hop is requested with the user information of its own URL and no other credentials.
                aliases.push(self.key(&url)?);
                let mut hop = Hop::new(Method::GET, url.as_str().parse()?, response.status());
                hop.headers = response.headers().clone();
                history.push(hop);
                url = location;
                continue;
            }
            return self.store(&url, requested_at, history, aliases, response).await;
        }
    }

    async fn store(
        &self,
        url: &Url,
        requested_at: Timestamp,
        history: Vec<Hop>,
        aliases: Vec<CacheKey>,
        response: Response,
    ) -> Result<(Source, CachedResponse), BoxError> {
        let received_at = now();
        let mut head = ResponseHead::new(Method::GET, url.as_str().parse()?, response.status(), received_at);
        head.version = response.version();
        head.headers = response.headers().clone();
        head.requested_at = requested_at;
        head.history = history;
        let bytes = response.bytes().await?;

        let stored = head.status == StatusCode::OK && {
            let entry = CachedResponse::new(head.clone(), bytes.clone());
            // Without an end, as long as nothing computes the freshness of a redirect.
            let aliases = Aliases::new(aliases, None);
            match self.cache.save_response(&self.key(url)?, entry, &aliases).await {
                Ok(()) => true,
                Err(error) => {
                    eprintln!("not stored: {error}");
                    false
                }
            }
        };
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

/// Returns `url` as it may be shown.
fn without_user_information(url: &Url) -> Url {
    let mut shown = url.clone();
    // They fail on URLs without a host, which have no user information.
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    shown
}

fn now() -> Timestamp {
    Timestamp::from(SystemTime::now())
}

//! Which entries an argument means: a URL or a key.
//!
//! A URL is brought into the form that the client gives it, so that every spelling of one finds the same entries.

use std::fmt;
use std::str::FromStr;

use futures_util::TryStreamExt;
use http::{Method, Uri};
use larder::policy::{CacheKeys, KeyRequest, canonical_url};
use larder::{BoxError, CacheBackend, CacheKey, StoredHead};
use url::Url;

use crate::status::Result;

/// What a user names entries by.
#[derive(Debug, Clone)]
pub(crate) enum Target {
    Url { canonical: String, key: CacheKey },
    Key(CacheKey),
}

impl FromStr for Target {
    type Err = BoxError;

    fn from_str(text: &str) -> Result<Self, BoxError> {
        if !text.contains([':', '/']) {
            return Ok(Self::Key(text.parse()?));
        }
        let url: Uri = Url::parse(text)?.as_str().parse()?;
        let key = CacheKeys::private().key(&KeyRequest::new(&Method::GET, &url))?.to_cache_key();
        Ok(Self::Url { canonical: canonical_url(&url)?, key })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url { canonical, .. } => f.write_str(canonical),
            Self::Key(key) => key.fmt(f),
        }
    }
}

impl Target {
    /// Returns the key of the entry that is looked up first: of a URL, that of a plain GET.
    pub(crate) fn key(&self) -> &CacheKey {
        match self {
            Self::Url { key, .. } | Self::Key(key) => key,
        }
    }

    /// Returns whether an entry is one of this URL.
    pub(crate) fn is_url(&self, url: &Uri) -> bool {
        match self {
            Self::Url { canonical, .. } => canonical_url(url).is_ok_and(|url| url == *canonical),
            Self::Key(_) => false,
        }
    }

    /// Returns the entries that this names: the first one, or if that is not there all others of the URL.
    pub(crate) async fn find(&self, cache: &CacheBackend) -> Result<Vec<(CacheKey, StoredHead)>> {
        if let Some(found) = self.look_up(cache).await? {
            return Ok(vec![found]);
        }
        if matches!(self, Self::Key(_)) {
            return Ok(Vec::new());
        }
        let heads = cache.responses().heads();
        Ok(heads
            .try_filter(|(_, stored)| std::future::ready(self.is_url(&stored.head.url)))
            .try_collect()
            .await?)
    }

    /// Looks up the first key, directly and then as an alias, ended or not.
    async fn look_up(&self, cache: &CacheBackend) -> Result<Option<(CacheKey, StoredHead)>> {
        let key = self.key();
        if let Some(stored) = cache.responses().read_head(key).await? {
            return Ok(Some((key.clone(), stored)));
        }
        let Some(alias) = cache.redirects().read(key).await? else { return Ok(None) };
        let stored = cache.responses().read_head(&alias.target).await?;
        Ok(stored.map(|stored| (alias.target, stored)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(text: &str) -> Target {
        text.parse().expect("a target")
    }

    #[test]
    fn every_spelling_of_a_url_means_the_same() {
        let plain = target("https://example.org/a");
        for spelled in ["HTTPS://Example.ORG:443/x/../a#top", "https://example.org/%61"] {
            let spelled = target(spelled);
            assert_eq!(spelled.to_string(), "https://example.org/a");
            assert_eq!(spelled.key(), plain.key());
        }
        assert_eq!(target("https://bücher.test/é").to_string(), "https://xn--bcher-kva.test/%C3%A9");
    }

    #[test]
    fn what_is_neither_a_url_nor_a_key_is_refused() {
        assert!(matches!(target("9253530a"), Target::Key(_)));
        for text in ["", "a b", "/etc/passwd", "example.org/a", "mailto:me@example.org", ".hidden"] {
            assert!(text.parse::<Target>().is_err(), "{text}");
        }
    }
}

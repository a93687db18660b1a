//! What an unsafe request makes invalid, and how what is stored is deleted with all that belongs to it.
//!
//! Deleting is of an entry with its variants. A response that names groups takes the others of its groups with it
//! (RFC 9875).

use futures_util::StreamExt;
use http::header::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_LOCATION, CONTENT_TYPE,
    HeaderName, LOCATION, TRANSFER_ENCODING,
};
use http::{HeaderMap, Method, Request, Uri};
use larder_core::{CacheKey, ResponseHead, Result};
use larder_policy::{KeyRequest, RequestOptions, cache_groups, invalidated_groups};
use url::Url;

use crate::{RequestBody, ResponseCache};

/// The fields that a request without content does not have.
const ABOUT_CONTENT: [HeaderName; 5] =
    [CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING];

/// How many entries of a group are deleted at once.
const BATCH: usize = 256;

impl ResponseCache {
    /// Deletes what the response with `head` to `request` makes invalid (RFC 9111, section 4.4): what is stored for its
    /// URL and for those of the same origin that it names, and for the groups that it names (RFC 9875, section 3).
    ///
    /// What is stored for other users is not found; it is kept apart from this one's in any case.
    pub(crate) async fn invalidate(
        &self,
        request: &Request<RequestBody>,
        options: &RequestOptions,
        head: &ResponseHead,
    ) {
        if !self.inner.policy.invalidates(request.method(), head.status) {
            return;
        }
        let Ok(base) = Url::parse(&request.uri().to_string()) else { return };
        let named = [LOCATION, CONTENT_LOCATION];
        let named = named.iter().flat_map(|name| head.headers.get_all(name));
        let named = named.filter_map(|value| base.join(value.to_str().ok()?).ok());
        let of_origin = named.filter(|url| url.origin() == base.origin());
        let urls = of_origin.filter_map(|url| Uri::try_from(url.as_str()).ok());
        let mut keys: Vec<CacheKey> = options.key.iter().cloned().collect();
        for url in [request.uri().clone()].into_iter().chain(urls) {
            self.add_keys(&url, request.headers(), &mut keys);
        }
        let mut groups = invalidated_groups(&head.headers);
        for key in &keys {
            let delete = self.delete_with_variants(key, &mut groups);
            if let Some(Err(error)) = self.inner.guard.run("invalidate", delete).await {
                self.inner.guard.give_up("invalidate", &error);
            }
        }
        if !groups.is_empty() {
            self.invalidate_groups(request.uri().clone(), groups).await;
        }
    }

    /// Deletes everything of `url`'s origin that is in one of `groups`; what takes too long goes on behind the answer.
    async fn invalidate_groups(&self, url: Uri, groups: Vec<String>) {
        let cache = self.clone();
        let deleting = tokio::spawn(async move { cache.delete_groups(&url, &groups).await });
        let timeout = self.inner.guard.timeout();
        match tokio::time::timeout(timeout, deleting).await {
            Ok(Ok(Err(error))) => self.inner.guard.give_up("invalidate groups", &error),
            Ok(_) => {}
            Err(_elapsed) => tracing::debug!("invalidating groups goes on behind the answer"),
        }
    }

    /// Deletes the stored responses of the origin of `url` that are in one of `groups` (RFC 9875); returns how many.
    ///
    /// It reads every head, O(n). If the future is dropped, any of them may be gone.
    ///
    /// # Errors
    ///
    /// Those of [`ResponseStore::heads`](larder_core::ResponseStore::heads) and
    /// [`CacheBackend::bulk_delete`](larder_core::CacheBackend::bulk_delete).
    pub async fn delete_groups(&self, url: &Uri, groups: &[String]) -> Result<u64> {
        let origin = origin(url);
        self.delete_where(|head| {
            origin.is_some()
                && self::origin(&head.url) == origin
                && cache_groups(&head.headers).iter().any(|group| groups.contains(group))
        })
        .await
    }

    /// Deletes the stored responses whose head `is_chosen`; returns how many.
    ///
    /// It reads every head, O(n), in bounded memory. If the future is dropped, any of them may be gone.
    ///
    /// # Errors
    ///
    /// Those of [`CacheBackend::bulk_delete`](larder_core::CacheBackend::bulk_delete), and of the listing.
    pub async fn delete_where(&self, mut is_chosen: impl FnMut(&ResponseHead) -> bool) -> Result<u64> {
        let backend = &self.inner.backend;
        let mut heads = backend.responses().heads();
        let (mut chosen, mut deleted) = (Vec::new(), 0);
        while let Some(entry) = heads.next().await {
            // An entry that cannot be read is a miss already.
            let Ok((key, stored)) = entry else { continue };
            if is_chosen(&stored.head) {
                chosen.push(key);
                chosen.extend(stored.head.variants.into_iter().map(|variant| variant.key));
            }
            if chosen.len() >= BATCH {
                deleted += backend.bulk_delete(&std::mem::take(&mut chosen)).await?;
            }
        }
        Ok(deleted + backend.bulk_delete(&chosen).await?)
    }

    /// Deletes what is under `key` with its variants, and adds the groups that it was in; returns whether there was
    /// anything.
    pub(crate) async fn delete_with_variants(
        &self,
        key: &CacheKey,
        groups: &mut Vec<String>,
    ) -> Result<bool> {
        let backend = &self.inner.backend;
        if let Some(stored) = backend.responses().read_head(key).await? {
            groups.extend(cache_groups(&stored.head.headers));
            let variants: Vec<CacheKey> =
                stored.head.variants.into_iter().map(|variant| variant.key).collect();
            if !variants.is_empty() {
                backend.bulk_delete(&variants).await?;
            }
        }
        backend.delete(key).await
    }

    /// Adds the keys that requests of `url` are stored under, those with the credentials in `headers` and those without.
    fn add_keys(&self, url: &Uri, headers: &HeaderMap, keys: &mut Vec<CacheKey>) {
        let sent = without_content(headers);
        let mut public = sent.clone();
        public.remove(AUTHORIZATION);
        for method in [Method::GET, Method::HEAD] {
            for headers in [&sent, &public] {
                let Some(key) = self.key_of(&method, url, headers) else { continue };
                if !keys.contains(&key) {
                    keys.push(key);
                }
            }
        }
    }

    fn key_of(&self, method: &Method, url: &Uri, headers: &HeaderMap) -> Option<CacheKey> {
        let request = KeyRequest::new(method, url).with_headers(headers);
        self.inner.policy.keys(&request, &RequestOptions::default()).ok().map(|keys| keys.primary)
    }
}

/// Returns the fields of a request without content that is like one with these; conditions and directives are left out.
pub(crate) fn without_content(headers: &HeaderMap) -> HeaderMap {
    use http::header::{CACHE_CONTROL, HOST, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE};
    use http::header::{IF_UNMODIFIED_SINCE, PRAGMA, RANGE};
    const FOR_THIS_ONE: [HeaderName; 9] = [
        CACHE_CONTROL,
        HOST,
        IF_MATCH,
        IF_MODIFIED_SINCE,
        IF_NONE_MATCH,
        IF_RANGE,
        IF_UNMODIFIED_SINCE,
        PRAGMA,
        RANGE,
    ];
    let mut headers = headers.clone();
    for name in ABOUT_CONTENT.iter().chain(&FOR_THIS_ONE) {
        headers.remove(name);
    }
    headers
}

fn origin(url: &Uri) -> Option<url::Origin> {
    Some(Url::parse(&url.to_string()).ok()?.origin())
}

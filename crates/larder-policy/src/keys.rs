//! What of a request makes up its key.
//!
//! A key covers everything that a later request must have in common with this one to be given its response,
//! apart from what `Vary` selects. Whatever is left out of it merges requests, and so only options leave things out.

use std::collections::{BTreeMap, BTreeSet};

use http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_TYPE, HOST,
    PRAGMA, TRANSFER_ENCODING,
};
use http::{HeaderMap, HeaderName, Method};
use larder_core::CacheKey;

use crate::canonical::DigestInput;
use crate::content::without_ignored;
use crate::fields::{hop_by_hop, values};
use crate::url::CanonicalUrl;
use crate::{Bypass, CanonicalKey, Content, KeyRequest};

/// The rules by which requests get their keys.
///
/// Responses to GET, HEAD and QUERY have keys, and those to the methods of [`CacheKeys::allow_methods`]. Content is
/// part of the key whatever the method, with the fields that describe it. HEAD has a key of its own; see
/// [`KeyRequest::as_get`].
///
/// # Examples
///
/// ```
/// use http::Method;
/// use larder_policy::{CacheKeys, KeyRequest};
///
/// let keys = CacheKeys::private().ignored_params(["utm_source"]);
/// let (spelled, url) = ("HTTP://Example.org/?utm_source=feed".parse()?, "http://example.org/".parse()?);
/// let spelled = keys.key(&KeyRequest::new(&Method::GET, &spelled))?;
/// assert_eq!(spelled, keys.key(&KeyRequest::new(&Method::GET, &url))?);
/// assert_eq!(spelled.as_str(), "larder-key-1,M3:GET,U19:http://example.org/,");
/// assert_eq!(spelled.to_cache_key().as_str().len(), 64);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct CacheKeys {
    is_shared: bool,
    pub(crate) ignored_params: BTreeSet<String>,
    /// By name, since the names themselves have no order.
    included_headers: BTreeMap<String, HeaderName>,
    includes_all_headers: bool,
    allowed_methods: BTreeSet<String>,
}

impl CacheKeys {
    /// Returns the keys of a private cache: requests with different `Authorization` have different keys.
    #[must_use]
    pub fn private() -> Self {
        Self {
            is_shared: false,
            ignored_params: BTreeSet::new(),
            included_headers: BTreeMap::new(),
            includes_all_headers: false,
            allowed_methods: BTreeSet::new(),
        }
    }

    /// Returns the keys of a shared cache: `Authorization` is no part of them.
    ///
    /// What a shared cache may store of a response to a request with credentials is for RFC 9111, section 3.5 to
    /// say. User information in a URL stays part of the key all the same.
    #[must_use]
    pub fn shared() -> Self {
        Self { is_shared: true, ..Self::private() }
    }

    /// Adds names to leave out: parameters of the query, of form content and of JSON content, and header fields.
    ///
    /// The parameters are compared decoded, and case matters. Form content is `application/x-www-form-urlencoded`.
    /// JSON content is `application/json` and `…+json`: the members of its outermost object. Content with a
    /// `Content-Encoding`, of another type, or that cannot be read is covered as it is. Header fields are left out of
    /// [`CacheKeys::include_all_headers`]; case does not matter, and `Authorization` divides users all the same.
    #[must_use]
    pub fn ignored_params(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.ignored_params.extend(names.into_iter().map(Into::into));
        self
    }

    /// Adds header fields to the key: all of their values, in order; that a field was not sent counts too.
    #[must_use]
    pub fn include_headers(mut self, names: impl IntoIterator<Item = HeaderName>) -> Self {
        self.included_headers.extend(names.into_iter().map(|name| (name.as_str().to_owned(), name)));
        self
    }

    /// Adds all header fields that are sent to the key, but for those that say nothing about the response.
    ///
    /// These are the ignored ones, those of the connection (RFC 9110, section 7.6.1), `Host` and `Content-Length`,
    /// which the URL and the content have, `Cache-Control` and `Pragma`, which are for the cache, and
    /// `Authorization`, which has its own place.
    #[must_use]
    pub fn include_all_headers(mut self) -> Self {
        self.includes_all_headers = true;
        self
    }

    /// Adds methods whose responses have keys, for instance POST.
    ///
    /// Whoever allows an unsafe method says that its requests need not reach the origin.
    #[must_use]
    pub fn allow_methods(mut self, methods: impl IntoIterator<Item = Method>) -> Self {
        self.allowed_methods.extend(methods.into_iter().map(|method| method.as_str().to_owned()));
        self
    }

    /// Returns the canonical key of `request`; linear in the parts that it covers.
    ///
    /// # Errors
    ///
    /// A [`Bypass`] when the response to `request` has no key, and the request goes to the origin.
    pub fn key(&self, request: &KeyRequest<'_>) -> Result<CanonicalKey, Bypass> {
        let method = request.method;
        if !matches!(*method, Method::GET | Method::HEAD | Method::QUERY)
            && !self.allowed_methods.contains(method.as_str())
        {
            return Err(Bypass::Method(method.clone()));
        }
        let content = content_at_hand(request)?;
        let url = CanonicalUrl::of(request.url, &self.ignored_params)?;

        let mut key = CanonicalKey::new();
        key.push('M', method.as_str());
        key.push('U', &url.to_string());
        let content = without_ignored(content, request.headers, &self.ignored_params);
        if !content.is_empty() {
            key.push('C', content_digest(&content, request.headers).as_str());
        }
        for name in self.chosen_headers(request.headers).values() {
            key.push('F', &included_header(name, request.headers));
        }
        let credentials = self.credentials(&url, request.headers);
        if !credentials.is_empty() {
            key.push('A', credentials.digest().as_str());
        }
        Ok(key)
    }

    /// Returns whether any field but the credentials is in the keys.
    pub(crate) fn covers_fields(&self) -> bool {
        self.includes_all_headers || !self.included_headers.is_empty()
    }

    /// Returns whether requests that differ in this field have different keys.
    pub(crate) fn covers(&self, name: &HeaderName) -> bool {
        let is_credential = *name == AUTHORIZATION && !self.is_shared;
        is_credential
            || self.included_headers.contains_key(name.as_str())
            || (self.includes_all_headers
                && self.is_about_the_response(name)
                && !hop_by_hop(&HeaderMap::new()).contains(name))
    }

    /// Returns the names of the fields that the key covers, sorted.
    fn chosen_headers(&self, headers: Option<&HeaderMap>) -> BTreeMap<String, HeaderName> {
        let mut chosen = self.included_headers.clone();
        if let Some(headers) = headers.filter(|_| self.includes_all_headers) {
            let of_the_connection = hop_by_hop(headers);
            let sent = headers
                .keys()
                .filter(|name| self.is_about_the_response(name) && !of_the_connection.contains(name));
            chosen.extend(sent.map(|name| (name.as_str().to_owned(), name.clone())));
        }
        chosen
    }

    fn is_about_the_response(&self, name: &HeaderName) -> bool {
        let is_ignored =
            || self.ignored_params.iter().any(|ignored| ignored.eq_ignore_ascii_case(name.as_str()));
        let is_elsewhere = matches!(*name, AUTHORIZATION | CACHE_CONTROL | CONTENT_LENGTH | HOST | PRAGMA);
        !is_elsewhere && !is_ignored()
    }

    fn credentials(&self, url: &CanonicalUrl<'_>, headers: Option<&HeaderMap>) -> DigestInput {
        let mut credentials = DigestInput::default();
        if let Some(userinfo) = url.userinfo {
            credentials.push(b'U', userinfo.as_bytes());
        }
        if !self.is_shared {
            for value in values(headers, &AUTHORIZATION) {
                credentials.push(b'V', value);
            }
        }
        credentials
    }
}

impl Default for CacheKeys {
    /// Returns [`CacheKeys::private`].
    fn default() -> Self {
        Self::private()
    }
}

/// Returns the request's content, unless it is not known to be all of it.
fn content_at_hand<'a>(request: &KeyRequest<'a>) -> Result<&'a [u8], Bypass> {
    match request.content {
        Content::Bytes(bytes) if !bytes.is_empty() => Ok(bytes),
        Content::Empty | Content::Bytes(_) if !announces_content(request.headers) => Ok(&[]),
        _ => Err(Bypass::ContentNotGiven),
    }
}

/// Returns whether the header fields say that content follows (RFC 9112, section 6).
fn announces_content(headers: Option<&HeaderMap>) -> bool {
    let has_length = values(headers, &CONTENT_LENGTH).any(|length| length != b"0");
    has_length || headers.is_some_and(|headers| headers.contains_key(TRANSFER_ENCODING))
}

/// Returns the digest of `content` and of what says how to read it.
fn content_digest(content: &[u8], headers: Option<&HeaderMap>) -> CacheKey {
    let mut input = DigestInput::default();
    for name in &[CONTENT_TYPE, CONTENT_ENCODING, CONTENT_LANGUAGE] {
        for value in values(headers, name) {
            input.push(b'N', name.as_str().as_bytes());
            input.push(b'V', value);
        }
    }
    // The content's digest, so that it is not copied.
    input.push(b'C', CacheKey::digest(content).as_str().as_bytes());
    input.digest()
}

/// Returns the field's name, and its values' digest if it was sent; `=` is in no name (RFC 9110, section 5.1).
fn included_header(name: &HeaderName, headers: Option<&HeaderMap>) -> String {
    let mut input = DigestInput::default();
    for value in values(headers, name) {
        input.push(b'V', value);
    }
    if input.is_empty() { name.to_string() } else { format!("{name}={}", input.digest()) }
}

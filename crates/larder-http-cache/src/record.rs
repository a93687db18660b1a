//! What http-cache keeps of a response beside the facts: its key, its policy, its metadata.
//!
//! The record is one text in the head's metadata: MessagePack, because policies lose every field that is not ASCII in
//! formats for humans, and with it what a response varies on; percent-encoded, because metadata is text. The facts are
//! where any entry has them, so that listing and searching a store shows these entries as it does others.

use std::time::SystemTime;

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use http_cache::{HttpHeaders, Url};
use http_cache_semantics::CachePolicy;
use larder_core::{BoxError, Error, ErrorKind, ResponseHead, Result, Timestamp};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, percent_encode};
use serde::{Deserialize, Serialize};

/// The record's name in the metadata.
const NAME: &str = "http-cache";

/// What is not text, and what says that something is not.
const ESCAPED: &AsciiSet = &CONTROLS.add(b'%');

/// What http-cache keeps of one response beside the facts.
#[derive(Serialize, Deserialize)]
pub(crate) struct Record {
    /// http-cache's own key, to be compared: the store's is only a digest of it.
    pub(crate) key: String,
    /// The URL as it was; the head's has neither user information nor a fragment.
    pub(crate) url: Url,
    pub(crate) policy: CachePolicy,
    /// Whatever the user of http-cache keeps with the response.
    pub(crate) metadata: Option<Vec<u8>>,
}

/// What of a record only its policy knows, which does not tell but by serializing.
#[derive(Deserialize)]
struct Facts {
    policy: PolicyFacts,
}

#[derive(Deserialize)]
struct PolicyFacts {
    method: String,
    response_time: SystemTime,
}

impl Record {
    /// Returns the record in `head`, unless there is none that can be read, or it is another key's.
    pub(crate) fn of(head: &ResponseHead, key: &str) -> Option<Self> {
        let bytes: Vec<u8> = percent_decode_str(head.metadata.get(NAME)?).collect();
        let record: Self = rmp_serde::from_slice(&bytes).ok()?;
        (record.key == key).then_some(record)
    }

    /// Returns the head of an entry of this record.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] when the record cannot be written, or what it says is not of a request.
    pub(crate) fn into_head(self, status: StatusCode, headers: HeaderMap) -> Result<ResponseHead> {
        let url = Uri::try_from(self.url.to_string()).map_err(invalid)?;
        let mut head = ResponseHead::new(Method::GET, url, status, Timestamp::UNIX_EPOCH);
        let (method, received_at) = self.write_to(&mut head)?;
        head.method = method;
        (head.headers, head.created_at) = (headers, received_at);
        Ok(head)
    }

    /// Puts this record into `head`; returns the request's method, and when the policy's response came.
    ///
    /// # Errors
    ///
    /// As [`Record::into_head`]; then `head` is as it was.
    pub(crate) fn write_to(&self, head: &mut ResponseHead) -> Result<(Method, Timestamp)> {
        let bytes = rmp_serde::to_vec_named(self).map_err(invalid)?;
        let Facts { policy } = rmp_serde::from_slice(&bytes).map_err(invalid)?;
        let method = Method::from_bytes(policy.method.as_bytes()).map_err(invalid)?;
        let received_at = Timestamp::from(policy.response_time);
        head.metadata.insert(NAME.to_owned(), percent_encode(&bytes, ESCAPED).to_string());
        (head.requested_at, head.received_at) = (received_at, received_at);
        Ok((method, received_at))
    }
}

/// Returns the fields as a head has them.
///
/// # Errors
///
/// [`ErrorKind::InvalidInput`] when one of them is none of HTTP.
pub(crate) fn header_map(fields: &HttpHeaders) -> Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(invalid)?;
        headers.append(name, HeaderValue::from_bytes(value.as_bytes()).map_err(invalid)?);
    }
    Ok(headers)
}

/// Returns the fields as http-cache has them, without those that are not UTF-8, which it cannot have.
pub(crate) fn fields(headers: &HeaderMap) -> HttpHeaders {
    let mut fields = HttpHeaders::new();
    for (name, value) in headers {
        if let Ok(value) = std::str::from_utf8(value.as_bytes()) {
            fields.append(name.to_string(), value.to_owned());
        }
    }
    fields
}

fn invalid(cause: impl Into<BoxError>) -> Error {
    let cause = cause.into();
    Error::new(ErrorKind::InvalidInput, format!("the response cannot be stored: {cause}")).with_source(cause)
}

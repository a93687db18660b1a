//! The manager for bodies that are stored while they are read.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;
use futures_util::TryStreamExt;
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, Method, Response, response};
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt;
use http_cache::{
    BoxError, CacheEntryToken, CachedRequestMethod, Result, StreamingCacheManager, StreamingError, Url,
};
use http_cache_semantics::CachePolicy;
use larder_core::{Body, ResponseHead};

use crate::Larder;
use crate::larder::store_key;
use crate::record::Record;
use crate::tee::Tee;

/// The manager for streamed bodies.
///
/// [`put`](StreamingCacheManager::put) returns a body that is stored while it is read: the entry is visible when the
/// body has been read to its end, and one that is dropped, fails or is shorter than announced leaves what was there
/// before. Trailers are not kept. [`delete`](StreamingCacheManager::delete) returns the error of the store; the other
/// failures are misses.
impl StreamingCacheManager for Larder {
    type Body = StoredBody;

    async fn get(&self, cache_key: &str) -> Result<Option<(Response<StoredBody>, CachePolicy)>> {
        let Some((record, stored)) = self.look_up(cache_key).await else { return Ok(None) };
        let mut response = Response::new(());
        if let Some(revision) = stored.revision() {
            response.extensions_mut().insert(CacheEntryToken(revision.as_bytes().to_vec()));
        }
        *response.status_mut() = stored.head.status;
        *response.version_mut() = stored.head.version;
        *response.headers_mut() = stored.head.headers;
        Ok(Some((response.map(|()| StoredBody::plain(stored.body)), record.policy)))
    }

    async fn put<B>(
        &self,
        cache_key: String,
        response: Response<B>,
        policy: CachePolicy,
        request_url: Url,
        metadata: Option<Vec<u8>>,
    ) -> Result<Response<StoredBody>>
    where
        B: HttpBody + Send + 'static,
        B::Data: Send,
        B::Error: Into<StreamingError>,
    {
        let (parts, source) = response.map(wrap).into_parts();
        let record = Record { key: cache_key.clone(), url: request_url, policy, metadata };
        let head = head(record, &parts);
        if head.is_err() || is_empty(&parts, &source) {
            self.store(&cache_key, head, Body::empty()).await;
            return Ok(Response::from_parts(parts, StoredBody::plain(source)));
        }
        let announced = parts.headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        let larder = self.clone();
        let tee = Tee::new(source, announced, move |body| {
            Box::pin(async move { larder.store(&cache_key, head, body).await })
        });
        Ok(Response::from_parts(parts, StoredBody(Inner::Tee(tee))))
    }

    async fn update_metadata(
        &self,
        cache_key: &str,
        headers: &HeaderMap,
        policy: CachePolicy,
        user_metadata: Option<Vec<u8>>,
        token: Option<&CacheEntryToken>,
    ) -> Result<bool> {
        let updated = self.update(cache_key, headers, policy, user_metadata, token).await;
        Ok(updated.unwrap_or_else(|error| {
            self.backend.pass_over("update_metadata", &error);
            false
        }))
    }

    async fn convert_body<B>(&self, response: Response<B>) -> Result<Response<StoredBody>>
    where
        B: HttpBody + Send + 'static,
        B::Data: Send,
        B::Error: Into<StreamingError>,
    {
        Ok(response.map(|body| StoredBody::plain(wrap(body))))
    }

    async fn delete(&self, cache_key: &str) -> Result<()> {
        self.remove(cache_key).await
    }

    fn empty_body(&self) -> StoredBody {
        StoredBody::plain(Body::empty())
    }

    fn body_to_bytes_stream(
        body: StoredBody,
    ) -> impl Stream<Item = std::result::Result<Bytes, BoxError>> + Send {
        body.into_data_stream().map_err(BoxError::from)
    }
}

impl Larder {
    /// Gives the entry new fields and a new policy, if it is still what `token` says; returns whether it did.
    async fn update(
        &self,
        cache_key: &str,
        headers: &HeaderMap,
        policy: CachePolicy,
        metadata: Option<Vec<u8>>,
        token: Option<&CacheEntryToken>,
    ) -> larder_core::Result<bool> {
        let key = store_key(cache_key);
        let Some(stored) = self.backend.responses().read_head(&key).await? else { return Ok(false) };
        if token.is_some_and(|token| token.0 != stored.revision.as_bytes()) {
            return Ok(false);
        }
        let Some(mut record) = Record::of(&stored.head, cache_key) else { return Ok(false) };
        record.policy = policy;
        // http-cache has no way to read the metadata that it does not give back.
        record.metadata = metadata.or(record.metadata);
        let mut head = stored.head;
        record.write_to(&mut head)?;
        head.headers = headers.clone();
        self.backend.update_head(&key, &stored.revision, head).await
    }
}

/// The body of a response that is stored, or is being stored while it is read, or is not.
pub struct StoredBody(Inner);

enum Inner {
    Plain(Body),
    Tee(Tee),
}

impl StoredBody {
    fn plain(body: Body) -> Self {
        Self(Inner::Plain(body))
    }
}

impl HttpBody for StoredBody {
    type Data = Bytes;
    type Error = StreamingError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<std::result::Result<Frame<Bytes>, StreamingError>>> {
        let frame = match &mut self.0 {
            Inner::Plain(body) => Pin::new(body).poll_frame(cx),
            Inner::Tee(tee) => tee.poll_frame(cx),
        };
        frame.map_err(StreamingError::new)
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Inner::Plain(body) => body.is_end_stream(),
            // Whoever does not ask for the end would not have it stored.
            Inner::Tee(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Inner::Plain(body) => body.size_hint(),
            Inner::Tee(tee) => tee.source().size_hint(),
        }
    }
}

impl fmt::Debug for StoredBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Inner::Plain(body) => body.fmt(f),
            Inner::Tee(tee) => tee.source().fmt(f),
        }
    }
}

fn wrap<B>(body: B) -> Body
where
    B: HttpBody + Send + 'static,
    B::Error: Into<StreamingError>,
{
    Body::wrap(body.map_err(Into::<StreamingError>::into))
}

/// Returns whether there is no body that somebody would read.
fn is_empty(parts: &response::Parts, body: &Body) -> bool {
    let method = parts.extensions.get::<CachedRequestMethod>();
    body.is_end_stream() || method.is_some_and(|method| method.0 == Method::HEAD)
}

fn head(record: Record, parts: &response::Parts) -> larder_core::Result<ResponseHead> {
    let mut head = record.into_head(parts.status, parts.headers.clone())?;
    head.version = parts.version;
    Ok(head)
}

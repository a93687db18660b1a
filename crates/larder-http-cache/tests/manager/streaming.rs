//! `StreamingCacheManager`: bodies that are stored while they are read.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::{FutureExt, StreamExt, stream};
use http::{HeaderValue, Method, Response};
use http_body::Frame;
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use http_cache::{
    CacheEntryToken, CachedRequestMethod, StreamingCacheManager, StreamingError, Url, url_parse,
};
use larder_http_cache::{Larder, StoredBody};

use crate::broken::Broken;
use crate::support::{BODY, KEY, larder, over, policy, shown};

fn url() -> Url {
    url_parse("http://example.org/a?b").expect("a URL")
}

fn response<B>(body: B) -> Response<B> {
    let value = HeaderValue::from_bytes(b"J\xfcrgen").expect("a value");
    Response::builder().status(203).header("x-name", value).body(body).expect("a response")
}

async fn put<B>(larder: &Larder, response: Response<B>) -> Response<StoredBody>
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<StreamingError>,
{
    larder.put(KEY.to_owned(), response, policy(), url(), Some(vec![1])).await.expect("no error")
}

async fn get(larder: &Larder) -> Option<Response<StoredBody>> {
    let found = StreamingCacheManager::get(larder, KEY).await.expect("no error");
    found.map(|(response, stored)| {
        assert!(shown(&stored).contains("max-age"), "the policy is there too");
        response
    })
}

async fn whole(body: StoredBody) -> Result<Bytes, StreamingError> {
    body.collect().await.map(http_body_util::Collected::to_bytes)
}

/// Returns a body of `parts`, which fails if one of them is none.
fn parts(
    parts: &[Option<&'static str>],
) -> impl http_body::Body<Data = Bytes, Error = StreamingError> + use<> {
    let frames = parts.iter().map(|part| match part {
        Some(text) => Ok(Frame::data(Bytes::from(*text))),
        None => Err(StreamingError::new("it broke off")),
    });
    StreamBody::new(stream::iter(frames.collect::<Vec<_>>()))
}

#[tokio::test]
async fn what_was_read_to_its_end_is_stored() {
    let larder = larder();
    let body = put(&larder, response(Full::new(Bytes::from(BODY)))).await.into_body();
    assert!(get(&larder).await.is_none(), "nobody has read it");
    assert_eq!(whole(body).await.expect("a body"), BODY);
    let stored = get(&larder).await.expect("an entry");
    assert_eq!((stored.status().as_u16(), stored.headers()["x-name"].as_bytes()), (203, &b"J\xfcrgen"[..]));
    assert_eq!(whole(stored.into_body()).await.expect("a body"), BODY);
}

#[tokio::test]
async fn each_chunk_is_there_before_the_next_has_come() {
    let larder = larder();
    let endless =
        stream::iter([Ok::<_, StreamingError>(Frame::data(Bytes::from("first")))]).chain(stream::pending());
    let mut body = put(&larder, response(StreamBody::new(endless))).await.into_body();
    let first = body.frame().await.expect("a frame").expect("a chunk");
    assert_eq!(first.into_data().expect("data"), "first");
    assert!(body.frame().now_or_never().is_none());
    drop(body);
    assert!(get(&larder).await.is_none());
}

#[tokio::test]
async fn many_chunks_are_stored_in_their_order() {
    let larder = larder();
    let numbers: Vec<String> = (0..1000).map(|number| format!("{number} ")).collect();
    let all = numbers.concat();
    let frames = numbers.into_iter().map(|text| Ok::<_, StreamingError>(Frame::data(Bytes::from(text))));
    let body = put(&larder, response(StreamBody::new(stream::iter(frames)))).await.into_body();
    assert_eq!(whole(body).await.expect("a body"), all);
    assert_eq!(whole(get(&larder).await.expect("an entry").into_body()).await.expect("a body"), all);
}

#[tokio::test]
async fn what_is_not_whole_is_not_stored_and_leaves_what_was_there() {
    let larder = larder();
    whole(put(&larder, response(parts(&[Some("before")]))).await.into_body()).await.expect("a body");
    let mut broken = put(&larder, response(parts(&[Some("a"), None]))).await.into_body();
    broken.frame().await.expect("a frame").expect("a chunk");
    broken.frame().await.expect("a frame").expect_err("it breaks off");
    let mut short = response(parts(&[Some("abc")]));
    short.headers_mut().insert("content-length", HeaderValue::from_static("4"));
    assert_eq!(whole(put(&larder, short).await.into_body()).await.expect("what there is"), "abc");
    drop(put(&larder, response(parts(&[Some("a")]))).await);
    assert_eq!(whole(get(&larder).await.expect("an entry").into_body()).await.expect("a body"), "before");
}

#[tokio::test]
async fn what_has_no_body_is_stored_unread() {
    let larder = larder();
    drop(put(&larder, response(Empty::new())).await);
    assert!(get(&larder).await.is_some());
}

#[tokio::test]
async fn a_response_to_head_has_no_body_whatever_it_announces() {
    let larder = larder();
    let mut response = response(parts(&[]));
    response.headers_mut().insert("content-length", HeaderValue::from_static("1000"));
    response.extensions_mut().insert(CachedRequestMethod(Method::HEAD));
    drop(put(&larder, response).await);
    let stored = get(&larder).await.expect("an entry");
    assert_eq!(whole(stored.into_body()).await.expect("no body"), "");
}

#[tokio::test]
async fn a_store_that_fails_keeps_nobody_from_the_body() {
    let larder = over(Arc::new(Broken));
    let body = put(&larder, response(parts(&[Some("a"), Some("b")]))).await.into_body();
    assert_eq!(whole(body).await.expect("a body"), "ab");
    assert!(get(&larder).await.is_none());
    let updated = larder.update_metadata(KEY, &http::HeaderMap::new(), policy(), None, None).await;
    assert!(!updated.expect("no error"));
    assert_eq!(larder.backend().failures(), 3);
}

#[tokio::test]
async fn a_validation_changes_the_head_of_what_it_validated() {
    let larder = larder();
    whole(put(&larder, response(parts(&[Some("content")]))).await.into_body()).await.expect("a body");
    let token = get(&larder).await.expect("an entry").extensions().get::<CacheEntryToken>().cloned();
    let headers = http::HeaderMap::from_iter([(http::header::ETAG, HeaderValue::from_static("\"new\""))]);
    for is_updated in [true, false] {
        let updated = larder.update_metadata(KEY, &headers, policy(), None, token.as_ref()).await;
        assert_eq!(updated.expect("no error"), is_updated, "it is of another revision the second time");
    }
    assert!(larder.update_metadata(KEY, &headers, policy(), None, None).await.expect("no error"));
    let stored = get(&larder).await.expect("an entry");
    assert_eq!(stored.headers(), &headers);
    assert_eq!(whole(stored.into_body()).await.expect("a body"), "content");
    assert!(!larder.update_metadata("another", &headers, policy(), None, None).await.expect("no error"));
}

#[tokio::test]
async fn what_is_not_cached_passes_through() {
    let larder = larder();
    let response = larder.convert_body(response(parts(&[Some("a"), Some("b")]))).await.expect("no error");
    let chunks: Vec<_> = Larder::body_to_bytes_stream(response.into_body())
        .map(|chunk| chunk.expect("a chunk"))
        .collect()
        .await;
    assert_eq!(chunks, ["a", "b"]);
    assert_eq!(whole(larder.empty_body()).await.expect("nothing"), "");
}

//! The client in place of reqwest's own.

use std::io;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use larder_client::CacheStatus;
use larder_client::reqwest::Client;
use larder_core::ErrorKind;

use crate::origin::{TestOrigin, answer, ok};
use crate::support::{alone, cache, client, client_of, get, options, read};

/// `hello, hello, hello`, by gzip.
const GZIP: &[u8] =
    b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xcbH\xcd\xc9\xc9\xd7Q\xc8@\xa2\x00\x9f\xa1\xca\t\x13\
    \x00\x00\x00";

async fn gzip_origin() -> TestOrigin {
    TestOrigin::start(|_| answer(200, &[("content-encoding", "gzip")], GZIP)).await
}

#[tokio::test]
async fn the_second_get_has_all_of_the_first_and_asks_nobody() {
    let origin = TestOrigin::start(|_| answer(200, &[("x-a", "1"), ("x-a", "2")], "hello")).await;
    let client = client();
    let url = origin.url("/page?q=1#part");

    let first = client.get(&url).send().await.expect("an answer");
    assert!(!first.from_cache() && first.cache_status().stored);
    assert_eq!(first.remote_addr(), Some(origin.address()));
    assert_eq!(first.url().as_str(), url);
    let (version, headers, created_at) = (first.version(), first.headers().clone(), first.created_at());
    assert_eq!(first.bytes().await.expect("a body"), "hello");

    let second = client.get(&url).send().await.expect("an answer");
    assert!(second.from_cache() && second.cache_status().hit && !second.is_expired());
    assert_eq!((second.status(), second.version()), (StatusCode::OK, version));
    assert_eq!((second.headers(), second.created_at()), (&headers, created_at));
    assert_eq!(second.headers().get_all("x-a").iter().count(), 2);
    assert_eq!(second.url().as_str(), url);
    assert_eq!((second.content_length(), second.remote_addr()), (Some(5), None));
    assert!(second.expires_at().is_some() && second.history().is_empty());
    assert_eq!(second.bytes().await.expect("a body"), "hello");
    assert_eq!(origin.count(), 1);
}

#[tokio::test]
async fn no_spelling_of_a_url_is_taken_for_a_redirect() {
    let origin = TestOrigin::start(|_| ok("hello")).await;
    let client = client();
    for path in ["", "/?", "//a", "/%7e", "/ä b", "/?q={ü}|'\"&r=%2f", "/a/../b;c", "/\\d", "/?#", "/[e]^`"]
    {
        for is_hit in [false, true] {
            assert_eq!(get(&client, &origin.url(path)).await, (is_hit, "hello".to_owned()), "{path}");
        }
        client.cache().backend().clear().await.expect("an empty cache");
    }
}

#[tokio::test]
async fn every_method_is_sent_as_reqwest_sends_it() {
    let origin = TestOrigin::start(|_| ok("")).await;
    let client = client();
    let url = origin.url("/");
    for (request, method) in [
        (client.get(&url), Method::GET),
        (client.head(&url).header("authorization", "another"), Method::HEAD),
        (client.post(&url), Method::POST),
        (client.put(&url), Method::PUT),
        (client.patch(&url), Method::PATCH),
        (client.delete(&url), Method::DELETE),
        (client.request(Method::OPTIONS, &url), Method::OPTIONS),
    ] {
        request.send().await.expect("an answer");
        assert_eq!(origin.last().method, method);
    }
}

#[tokio::test]
async fn unsafe_requests_reach_the_origin_with_their_content() {
    let origin = TestOrigin::start(|_| ok("done")).await;
    let client = client();
    for count in 1..=2 {
        let request = client.post(origin.url("/form")).query(&[("a", "b c")]).form(&[("d", 1)]);
        let response = request.send().await.expect("an answer");
        assert_eq!(response.cache_status().to_string(), "larder; fwd=method; detail=no-key");
        assert_eq!((origin.count(), origin.last().body), (count, Bytes::from("d=1")));
    }
    let seen = origin.last();
    assert_eq!((seen.path_and_query.as_str(), seen.method), ("/form?a=b+c", Method::POST));
    assert_eq!(seen.headers["content-type"], "application/x-www-form-urlencoded");

    client.put(origin.url("/")).json(&["x"]).send().await.expect("an answer");
    assert_eq!(
        (origin.last().field("content-type"), &*origin.last().body),
        ("application/json", &br#"["x"]"#[..])
    );
}

#[tokio::test]
async fn streamed_content_passes_through_and_its_response_is_not_stored() {
    let origin = TestOrigin::start(|_| ok("done")).await;
    let client = client_of(cache(options().allowed_methods([Method::POST])), |builder| builder);
    let chunks = || stream::iter(["a", "b", "c"].map(Ok::<_, io::Error>));
    for count in 1..=2 {
        let request = client.post(origin.url("/")).body(reqwest::Body::wrap_stream(chunks()));
        assert!(request.try_clone().is_none());
        assert_eq!(read(request.send().await.expect("an answer")).await, (false, "done".to_owned()));
        assert_eq!((origin.count(), origin.last().body), (count, Bytes::from("abc")));
        assert_eq!(origin.last().field("transfer-encoding"), "chunked");
    }
    for is_hit in [false, true] {
        let request = client.post(origin.url("/")).body("abc");
        let response = request.try_clone().expect("its content is bytes").send().await.expect("an answer");
        assert_eq!(read(response).await.0, is_hit);
    }
}

#[tokio::test]
async fn what_the_inner_client_decodes_is_stored_decoded() {
    let origin = gzip_origin().await;
    let client = client();
    for is_hit in [false, true] {
        let response = client.get(origin.url("/")).send().await.expect("an answer");
        assert!(!response.headers().contains_key(CONTENT_ENCODING));
        assert!(!response.headers().contains_key(CONTENT_LENGTH));
        assert_eq!(read(response).await, (is_hit, "hello, hello, hello".to_owned()));
    }
    assert!(origin.last().field("accept-encoding").contains("gzip"));
}

#[tokio::test]
async fn what_the_inner_client_leaves_alone_is_stored_as_it_came() {
    let origin = gzip_origin().await;
    let client = client_of(cache(options()), reqwest::ClientBuilder::no_gzip);
    for is_hit in [false, true] {
        let response = client.get(origin.url("/")).send().await.expect("an answer");
        assert_eq!(response.from_cache(), is_hit);
        assert_eq!(response.headers()[CONTENT_ENCODING], "gzip");
        assert_eq!(response.bytes().await.expect("a body"), GZIP);
    }
}

#[tokio::test]
async fn the_cookie_store_goes_on_working_beside_the_cache() {
    let origin = TestOrigin::start(|request| match request.path_and_query.as_str() {
        "/login" => answer(303, &[("set-cookie", "user=me"), ("location", "/home")], ""),
        _ => ok(request.field("cookie").to_owned()),
    })
    .await;
    let client = client_of(cache(options()), |builder| builder.cookie_store(true));
    let home = read(client.post(origin.url("/login")).send().await.expect("an answer")).await;
    assert_eq!(home, (false, "user=me".to_owned()));
    assert_eq!(get(&client, &origin.url("/page")).await, (false, "user=me".to_owned()));
    assert_eq!(get(&client, &origin.url("/page")).await, (true, "user=me".to_owned()));
}

#[tokio::test]
async fn each_user_gets_their_own() {
    let origin = TestOrigin::start(|request| ok(request.field("authorization").to_owned())).await;
    let client = client();
    for is_hit in [false, true] {
        for token in ["a", "b"] {
            let request = client.get(origin.url("/me")).bearer_auth(token);
            let answer = read(request.send().await.expect("an answer")).await;
            assert_eq!(answer, (is_hit, format!("Bearer {token}")));
        }
    }
    let with_password = origin.url("/me").replace("http://", "http://user:pw@");
    assert_eq!(get(&client, &with_password).await, (false, "Basic dXNlcjpwdw==".to_owned()));
}

#[tokio::test]
async fn default_headers_are_seen_by_the_cache() {
    let origin = TestOrigin::start(|request| ok(request.field("authorization").to_owned())).await;
    let cache = cache(options());
    for (token, is_hit) in [("a", false), ("b", false), ("a", true)] {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", HeaderValue::from_static(token));
        let builder = Client::builder(cache.clone()).reqwest(alone).default_headers(headers);
        let client = builder.build().expect("the options are good");
        assert_eq!(get(&client, &origin.url("/me")).await, (is_hit, token.to_owned()));
        let overridden = client.get(origin.url("/own")).header("authorization", "mine").send().await;
        assert_eq!(read(overridden.expect("an answer")).await.1, "mine");
    }
}

#[tokio::test]
async fn a_stored_get_answers_head() {
    let origin = TestOrigin::start(|_| ok("hello")).await;
    let client = client();
    get(&client, &origin.url("/")).await;
    let head = client.head(origin.url("/")).send().await.expect("an answer");
    assert!(head.from_cache());
    assert_eq!(head.headers()[CONTENT_LENGTH], "5");
    assert_eq!(head.bytes().await.expect("no body"), "");
    assert_eq!(origin.count(), 1);
}

#[tokio::test]
async fn a_response_without_a_body_is_stored_though_nobody_reads_it() {
    let origin = TestOrigin::start(|_| ok("")).await;
    let client = client();
    for (method, count) in [(Method::HEAD, 1), (Method::GET, 2)] {
        let request = || client.request(method.clone(), origin.url("/")).send();
        drop(request().await.expect("an answer"));
        // Whoever reads to the end finds it stored.
        request().await.expect("an answer").bytes().await.expect("no body");
        assert!(request().await.expect("an answer").cache_status().hit, "{method}");
        assert_eq!(origin.count(), count);
    }
}

#[tokio::test]
async fn ranges_and_conditions_of_the_caller_pass_the_cache_by() {
    let origin = TestOrigin::start(|request| match request.field("if-none-match") {
        "" => answer(206, &[("content-range", "bytes 0-0/5")], "h"),
        _ => answer(304, &[], ""),
    })
    .await;
    let client = client();
    for (name, value, status) in [("range", "bytes=0-0", 206), ("if-none-match", "\"a\"", 304)] {
        for _ in 0..2 {
            let response = client.get(origin.url("/")).header(name, value).send().await.expect("an answer");
            assert_eq!(response.status(), status);
            assert!(!response.from_cache());
        }
    }
    assert_eq!(origin.count(), 4);
}

#[tokio::test]
async fn a_body_is_read_as_text_json_chunks_or_a_stream() {
    let origin = TestOrigin::start(|request| match request.path_and_query.as_str() {
        "/latin" => answer(200, &[("content-type", "text/plain; charset=iso-8859-1")], &b"caf\xe9"[..]),
        "/unnamed" => ok(&b"caf\xe9"[..]),
        _ => ok(r#"{"a": 1}"#),
    })
    .await;
    let client = client();
    for _ in 0..2 {
        let response = async |path| client.get(origin.url(path)).send().await.expect("an answer");
        assert_eq!(response("/latin").await.text().await.expect("text"), "café");
        let text = response("/unnamed").await.text_with_charset("windows-1252").await;
        assert_eq!(text.expect("text"), "café");
        let json: serde_json::Value = response("/json").await.json().await.expect("JSON");
        assert_eq!(json["a"], 1);
        let error = response("/latin").await.json::<serde_json::Value>().await.expect_err("no JSON");
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        let mut chunked = response("/json").await;
        assert_eq!(chunked.chunk().await.expect("a chunk").expect("not the end"), r#"{"a": 1}"#);
        assert_eq!(chunked.chunk().await.expect("the end"), None);
        let streamed: Vec<Bytes> =
            response("/json").await.bytes_stream().try_collect().await.expect("a body");
        assert_eq!(streamed.concat(), br#"{"a": 1}"#);
        assert!(response("/json").await.bytes_stream().boxed().next().await.is_some());
    }
}

#[tokio::test]
async fn a_response_becomes_one_of_reqwest_or_of_http() {
    let origin = TestOrigin::start(|_| answer(200, &[("set-cookie", "a=b")], "hello")).await;
    let client = client();
    for is_hit in [false, true] {
        let response = client.get(origin.url("/#part")).send().await.expect("an answer");
        let response = reqwest::Response::from(response);
        assert_eq!(response.url().as_str(), origin.url("/#part"));
        assert_eq!(response.remote_addr().is_none(), is_hit);
        assert_eq!(response.cookies().next().expect("a cookie").value(), "b");
        assert_eq!(response.extensions().get::<CacheStatus>().expect("it is there").hit, is_hit);
        assert_eq!(response.text().await.expect("a body"), "hello");
    }
    let response = client.get(origin.url("/")).send().await.expect("an answer");
    let response: http::Response<larder_core::Body> = response.into();
    assert_eq!(response.into_body().bytes().await.expect("a body"), "hello");
}

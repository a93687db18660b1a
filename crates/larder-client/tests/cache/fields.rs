//! Fields that nobody would send in earnest, and conditions in every form.

use http::{HeaderName, HeaderValue};
use larder_client::CacheOptions;

use crate::support::{ScriptedOrigin, World, get_having, response};

const FRESH: (&str, &str) = ("cache-control", "max-age=600");

#[tokio::test]
async fn nothing_is_more_reusable_because_connection_names_what_restricts_it() {
    for (name, value) in [
        ("cdn-cache-control", "no-cache, max-age=60"),
        ("cdn-cache-control", "no-store"),
        ("vary", "*"),
        ("age", "1000"),
    ] {
        let world = World::with_options(CacheOptions::standard().shared(), move |_| {
            response(200, &[FRESH, ("connection", name), (name, value)], "a")
        });
        for _ in 0..2 {
            assert!(!world.get("/a").await.from_cache, "{name}: {value}");
        }
        assert_eq!(world.origin.count(), 2, "{name}: {value}");
    }
}

#[tokio::test]
async fn fields_that_connection_names_are_not_stored() {
    let world = World::with_options(CacheOptions::standard(), |_| {
        response(200, &[FRESH, ("connection", "x-hop, etag"), ("x-hop", "1"), ("etag", "\"1\"")], "a")
    });
    world.get("/a").await;
    let hit = world.get("/a").await;
    assert!(hit.from_cache);
    assert_eq!((hit.headers.get("x-hop"), &hit.headers["etag"]), (None, &HeaderValue::from_static("\"1\"")));
}

#[tokio::test]
async fn more_fields_than_fit_break_nothing() {
    // A map of fields holds no more than 24 576 names.
    for count in [9_000, 24_570, 24_575] {
        let origin = ScriptedOrigin::new(move |_| async move {
            let mut answer = response(200, &[FRESH], "a");
            for number in 0..count {
                let name = HeaderName::from_bytes(format!("x{number}").as_bytes())?;
                answer.headers_mut().append(name, HeaderValue::from_static("1"));
            }
            Ok(answer)
        });
        let world = World::with(CacheOptions::standard(), origin, |builder| builder.cache_status_field(true));
        for round in 0..2 {
            let answer = world.get("/a").await;
            assert_eq!((answer.status.as_u16(), &*answer.body), (200, &b"a"[..]));
            assert_eq!(answer.from_cache, round > 0 && count < 10_000, "{count}");
            let head = world.send_whole(get_having("/a", &[("range", "bytes=0-0")])).await;
            assert_eq!(head.body, "a");
        }
    }
}

#[tokio::test]
async fn conditions_and_ranges_in_every_form_are_answered_from_what_is_stored() {
    const DATE: &str = "Tue, 14 Nov 2023 22:13:20 GMT";
    const MODIFIED: &str = "Mon, 01 Jan 2001 00:00:00 GMT";
    let world = World::with_options(CacheOptions::standard(), |_| {
        let fields = [FRESH, ("etag", "\"1\""), ("last-modified", MODIFIED), ("date", DATE)];
        response(200, &fields, "0123456789")
    });
    world.get("/a").await;
    let whole = (200, "0123456789");
    for (fields, expected) in [
        (&[("range", "bytes=2-3")][..], (206, "23")),
        (&[("range", "bytes=-0")], (416, "")),
        (&[("range", "bytes=10-")], (416, "")),
        (&[("range", "bytes=5-99")], (206, "56789")),
        (&[("range", "bytes=0-1,3-4")], whole),
        (&[("range", "bytes=3-2")], whole),
        (&[("range", "bytes=0-1"), ("if-range", "\"1\"")], (206, "01")),
        (&[("range", "bytes=0-1"), ("if-range", "W/\"1\"")], whole),
        (&[("range", "bytes=0-1"), ("if-range", MODIFIED)], (206, "01")),
        (&[("range", "bytes=0-1"), ("if-range", "Mon, 01 Jan 2001 00:00:01 GMT")], whole),
        (&[("range", "bytes=0-1"), ("if-none-match", "\"1\"")], (304, "")),
        (&[("if-none-match", "W/\"1\"")], (304, "")),
        (&[("if-none-match", "\"0\", \"1\"")], (304, "")),
        (&[("if-none-match", "\"a,b\", \"1\"")], (304, "")),
        (&[("if-none-match", "*")], (304, "")),
        (&[("if-none-match", "1")], whole),
        (&[("if-none-match", "\"2\""), ("if-modified-since", DATE)], whole),
        (&[("if-modified-since", MODIFIED)], (304, "")),
        (&[("if-modified-since", "Monday, 01-Jan-01 00:00:00 GMT")], (304, "")),
        (&[("if-modified-since", "Mon Jan  1 00:00:00 2001")], (304, "")),
        (&[("if-modified-since", "Sun, 31 Dec 2000 23:59:59 GMT")], whole),
        (&[("if-modified-since", "garbage")], whole),
    ] {
        let answer = world.send_whole(get_having("/a", fields)).await;
        assert_eq!(
            (answer.status.as_u16(), &*answer.body),
            (expected.0, expected.1.as_bytes()),
            "{fields:?}"
        );
        assert!(answer.from_cache, "{fields:?}");
    }
    assert_eq!(world.origin.count(), 1);
}

//! Which of several stored responses is the answer, and how many there are.

use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use http::{Method, Request};
use larder_client::{CacheOptions, RequestBody};

use crate::support::{World, get_having, request, response, with_fields};

const WEEK: (&str, &str) = ("cache-control", "max-age=604800");

fn with(a: &str, b: &str) -> Request<RequestBody> {
    get_having("/x", &[("a", a), ("b", b)])
}

/// An origin that says in turn what its responses vary on, and answers which of them it was.
fn varying(options: CacheOptions, vary: &'static [&'static str]) -> World {
    let asked = AtomicU16::new(0);
    World::with_options(options, move |_| {
        let number = asked.fetch_add(1, Ordering::SeqCst);
        let vary = vary[usize::from(number).min(vary.len() - 1)];
        response(200, &[WEEK, ("vary", vary)], number.to_string())
    })
}

#[tokio::test]
async fn the_most_recent_of_those_that_match_is_the_answer() {
    // RFC 9111, section 4: whether it is the first that was stored or beside it.
    for vary in [&["a", "b"][..], &["a", "a, b", "b"]] {
        let world = varying(CacheOptions::standard(), vary);
        for number in 0..vary.len() {
            let sent = if number == 0 { with("1", "1") } else { with(&(number + 1).to_string(), "1") };
            assert_eq!(world.send_whole(sent).await.body, number.to_string());
            world.time.advance(Duration::from_secs(5));
        }
        for _ in 0..2 {
            let answer = world.send_whole(with("1", "1")).await;
            assert_eq!((&*answer.body, answer.from_cache), ((vary.len() - 1).to_string().as_bytes(), true));
        }
        assert_eq!(world.send_whole(with("1", "2")).await.body, "0", "only the first matches");
    }
}

#[tokio::test]
async fn what_varies_on_more_than_anybody_needs_is_not_stored() {
    for (names, is_stored) in [(64, true), (65, false), (2000, false)] {
        let vary: Vec<String> = (0..names).map(|number| format!("x-{number}")).collect();
        let vary = vary.join(", ");
        let world = World::with_options(CacheOptions::standard(), move |_| {
            response(200, &[WEEK, ("vary", &vary)], "a")
        });
        for _ in 0..2 {
            world.send_whole(with("1", "1")).await;
        }
        assert_eq!(world.origin.count(), if is_stored { 1 } else { 2 }, "{names} names");
        assert_eq!(world.stored().await, u64::from(is_stored), "{names} names");
    }
}

#[tokio::test]
async fn what_nothing_leads_to_any_more_is_gone() {
    // The fourth does not vary: it is for all, and whoever came before never gets another one's again.
    let world = varying(CacheOptions::standard().shared(), &["a", "a", "a", ""]);
    for a in ["1", "2", "3"] {
        world.send_whole(with(a, "1")).await;
    }
    assert_eq!(world.stored().await, 3);
    world.time.advance(Duration::from_secs(5));
    world.send_whole(with("4", "1")).await;
    assert_eq!(world.stored().await, 1);
    assert_eq!(world.send_whole(with("1", "1")).await.body, "3");
}

#[tokio::test]
async fn what_a_head_makes_out_of_date_takes_its_variants_along() {
    let world = World::with_options(CacheOptions::standard(), |request| {
        let tag = if request.method() == Method::HEAD { "\"2\"" } else { "\"1\"" };
        let fields = [WEEK, ("vary", "a"), ("etag", tag)];
        response(200, &fields, if request.method() == Method::HEAD { "" } else { "a" })
    });
    for a in ["1", "2", "3"] {
        world.send_whole(with(a, "1")).await;
    }
    assert_eq!(world.stored().await, 3);
    let head = [("a", "1"), ("cache-control", "no-cache")];
    world.send_whole(with_fields(request(Method::HEAD, "/x"), &head)).await;
    assert!(world.stored().await <= 1, "nothing stays but the response to HEAD");
    for a in ["1", "2", "3"] {
        assert!(!world.send_whole(with(a, "1")).await.from_cache, "{a}");
    }
}

#[tokio::test]
async fn variants_are_bounded_however_the_names_change() {
    let world = {
        let asked = AtomicU16::new(0);
        World::with_options(CacheOptions::standard().max_variants(4), move |_| {
            let vary = format!("a, x-{}", asked.fetch_add(1, Ordering::SeqCst));
            response(200, &[WEEK, ("vary", &vary)], "a")
        })
    };
    for number in 0..50 {
        world.send_whole(with(&number.to_string(), "1")).await;
        assert!(world.stored().await <= 4, "{number}");
    }
}

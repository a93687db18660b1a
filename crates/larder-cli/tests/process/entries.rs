//! Listing, showing, counting and deleting entries.

use std::fs::{File, FileTimes};
use std::time::{Duration, SystemTime};

use http::{HeaderValue, Method, StatusCode};
use larder::{Aliases, Body, CachedResponse, Hop, Timestamp};
use serde_json::json;

use crate::support::{Place, head, key, now, page};

const ONE: &str = "https://example.org/one";
const TWO: &str = "https://example.org/two?q=1";
const OTHER: &str = "https://other.test/";

fn three_pages() -> Place {
    let place = Place::new();
    place.fill([page(ONE, "one"), page(TWO, "two, longer"), page(OTHER, "")]);
    place
}

#[test]
fn ls_names_every_url_on_a_line_of_its_own() {
    let ran = three_pages().run(&["ls"]).succeeded();
    let mut urls = ran.lines();
    urls.sort_unstable();
    assert_eq!(urls, [ONE, TWO, OTHER]);
}

#[test]
fn ls_takes_a_glob_over_whole_urls() {
    let place = three_pages();
    for (glob, expected) in [
        ("https://example.org/*", 2),
        ("*example*", 2),
        ("*two?q=1", 1),
        ("https://example.org/tw?", 0),
        ("*", 3),
        ("example.org", 0),
        (OTHER, 1),
    ] {
        assert_eq!(place.run(&["ls", glob]).succeeded().lines().len(), expected, "{glob}");
    }
}

#[test]
fn ls_in_json_is_one_object_a_line() {
    let place = Place::new();
    let mut expiring = head(ONE);
    expiring.expires_at = Some(Timestamp::from_millis(1_700_000_060_000));
    expiring.delete_at = Some(Timestamp::from_millis(32_503_680_000_000));
    place.fill([(expiring, Body::from("one"))]);
    assert_eq!(
        place.run(&["ls", "--json"]).succeeded().json(),
        [json!({
            "url": ONE,
            "key": key(&Method::GET, ONE).as_str(),
            "method": "GET",
            "status": 200,
            "body_bytes": 3,
            "created_at": "2023-11-14T22:13:20Z",
            "received_at": "2023-11-14T22:13:20Z",
            "expires_at": "2023-11-14T22:14:20Z",
            "delete_at": "3000-01-01T00:00:00Z",
            "expired": true,
            "redirects": 0,
        })]
    );
    assert_eq!(three_pages().run(&["ls", "--json"]).succeeded().json().len(), 3);
}

#[test]
fn ls_long_gives_a_pipe_exact_sizes_and_no_head() {
    let place = Place::new();
    place.fill([(head(ONE), Body::from(vec![0; 20_000]))]);
    let ran = place.run(&["ls", "--long"]).succeeded();
    let words: Vec<_> = ran.stdout.split_whitespace().collect();
    assert_eq!(words, ["GET", "200", "20000", "2023-11-14T22:13:20Z", "never", ONE]);
}

#[test]
fn show_tells_everything_of_an_entry_by_url_and_by_key() {
    let place = three_pages();
    let key = key(&Method::GET, TWO);
    let path = place.path_of(&key);
    for name in [TWO, "HTTPS://EXAMPLE.org:443/x/../two?q=1#part", key.as_str()] {
        let shown = place.run(&["show", name]).succeeded();
        for expected in [TWO, key.as_str(), &path.display().to_string(), "200 OK", "11 bytes", "never"] {
            assert!(shown.stdout.contains(expected), "{expected} is not in {shown:?}");
        }
    }
    assert!(path.is_file(), "the file is where it was said to be");
}

#[test]
fn show_in_json_has_every_field_in_order() {
    let place = Place::new();
    let mut head = head(ONE);
    head.status = StatusCode::NOT_FOUND;
    head.reason = Some("Nothing Here".into());
    for (name, value) in [("set-cookie", "a=1"), ("set-cookie", "b=2")] {
        head.headers.append(name, HeaderValue::from_static(value));
    }
    head.headers.append("x-latin", HeaderValue::from_bytes(b"Gr\xfc\xdfe").expect("a value"));
    head.metadata.insert("from".into(), "a test".into());
    let mut hop = Hop::new(Method::GET, OTHER.parse().expect("a URL"), StatusCode::FOUND);
    hop.headers.append("location", HeaderValue::from_static(ONE));
    head.history.push(hop);
    place.fill([(head, Body::from("one"))]);

    let shown = place.run(&["show", "--json", ONE]).succeeded().json().remove(0);
    assert_eq!(shown["status"], 404);
    assert_eq!(shown["reason"], "Nothing Here");
    assert_eq!(shown["headers"], json!([["set-cookie", "a=1"], ["set-cookie", "b=2"], ["x-latin", "Grüße"]]));
    assert_eq!(shown["metadata"], json!({ "from": "a test" }));
    assert_eq!(
        shown["history"],
        json!([{ "method": "GET", "url": OTHER, "status": 302, "headers": [["location", ONE]] }])
    );
    assert_eq!(shown["redirects"], 1);
}

#[test]
fn show_follows_a_redirect_and_finds_the_entries_of_other_requests() {
    let place = three_pages();
    let mut probe = head("https://example.org/probe");
    probe.method = Method::HEAD;
    place.fill([(probe, Body::empty())]);
    place.with_cache(async |cache, _| {
        let aliases = Aliases::new(vec![key(&Method::GET, "https://example.org/")], None);
        let entry = CachedResponse::new(head(ONE), "one");
        cache.save_response(&key(&Method::GET, ONE), entry, &aliases).await.expect("saved");
    });
    let shown = place.run(&["show", "--json", "https://example.org/"]).succeeded().json();
    assert_eq!(shown[0]["url"], ONE);
    let shown = place.run(&["show", "--json", "https://example.org/probe"]).succeeded().json();
    assert_eq!(shown[0]["method"], "HEAD");
}

#[test]
fn stats_count_entries_bytes_and_redirects_by_host() {
    let place = three_pages();
    let mut expired = head("https://example.org/old");
    expired.expires_at = Some(Timestamp::from_millis(1));
    place.fill([(expired, Body::from("12345"))]);
    let file_bytes = place.file_bytes();
    assert_eq!(
        place.run(&["stats", "--json"]).succeeded().json(),
        [json!({
            "directory": place.cache(),
            "entries": 4,
            "body_bytes": 19,
            "file_bytes": file_bytes,
            "expired": 1,
            "damaged": 0,
            "redirects": 0,
            "hosts": [
                { "host": "example.org", "entries": 3, "body_bytes": 19 },
                { "host": "other.test", "entries": 1, "body_bytes": 0 },
            ],
        })]
    );
    let text = place.run(&["stats"]).succeeded().stdout;
    for part in
        ["Entries    4\n", &format!("Files      {file_bytes}\n"), "Expired    1 (25 %)\n", "example.org"]
    {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn rm_deletes_every_entry_of_a_url_and_what_leads_to_it() {
    let place = three_pages();
    let mut probe = head(ONE);
    probe.method = Method::HEAD;
    place.fill([(probe, Body::empty())]);
    place.with_cache(async |cache, _| {
        let aliases = Aliases::new(vec![key(&Method::GET, "https://short.test/")], None);
        let entry = CachedResponse::new(head(ONE), "one");
        cache.save_response(&key(&Method::GET, ONE), entry, &aliases).await.expect("saved");
    });
    assert_eq!(place.run(&["rm", ONE]).succeeded().stdout, "2 entries deleted\n");
    place.run(&["show", ONE]).failed(3, "is not in the cache");
    place.run(&["show", "https://short.test/"]).failed(3, "is not in the cache");
    assert_eq!(place.run(&["ls"]).succeeded().lines().len(), 2);
}

#[test]
fn rm_takes_keys_redirecting_urls_and_globs() {
    let place = three_pages();
    place.with_cache(async |cache, _| {
        let aliases = Aliases::new(vec![key(&Method::GET, "https://short.test/")], None);
        let entry = CachedResponse::new(head(ONE), "one");
        cache.save_response(&key(&Method::GET, ONE), entry, &aliases).await.expect("saved");
    });
    let ran = place.run(&["rm", "https://short.test/", key(&Method::GET, OTHER).as_str()]).succeeded();
    assert_eq!(ran.stdout, "2 entries deleted\n");
    assert_eq!(place.run(&["rm", "--glob", "*.test/*"]).succeeded().stdout, "0 entries deleted\n");
    assert_eq!(place.run(&["rm", "--glob", "*two*"]).succeeded().stdout, "1 entry deleted\n");
    assert_eq!(place.run(&["ls"]).succeeded().stdout, "");
}

#[test]
fn rm_deletes_what_is_there_and_names_what_is_not() {
    let place = three_pages();
    let ran =
        place.run(&["rm", ONE, "https://absent.test/"]).failed(3, "https://absent.test/ is not in the cache");
    assert_eq!(ran.stdout, "1 entry deleted\n");
}

#[test]
fn prune_deletes_what_is_not_kept_any_longer_and_with_all_what_has_expired() {
    let place = three_pages();
    let mut gone = head("https://example.org/gone");
    gone.expires_at = Some(Timestamp::from_millis(1));
    let mut kept = head("https://example.org/kept");
    kept.expires_at = Some(Timestamp::from_millis(1));
    kept.delete_at = Some(Timestamp::MAX);
    let mut fresh = head("https://example.org/fresh");
    fresh.expires_at = Some(now().saturating_add(Duration::from_hours(1)));
    place.fill([(gone, Body::empty()), (kept, Body::empty()), (fresh, Body::empty())]);
    assert_eq!(place.run(&["prune"]).succeeded().stdout, "1 expired entry deleted\n");
    assert_eq!(place.run(&["prune", "--all"]).succeeded().stdout, "1 expired entry deleted\n");
    assert_eq!(place.run(&["ls"]).succeeded().lines().len(), 4);
}

/// A place with entries of the names, of a KiB and some each, which were used in this order.
fn used_in_order(names: &[&str]) -> Place {
    let place = Place::new();
    for (minute, name) in (0..).zip(names) {
        let url = format!("https://example.org/{name}");
        place.fill([(head(&url), Body::from(vec![7; 1024]))]);
        let used = SystemTime::now() - Duration::from_hours(2) + Duration::from_mins(minute);
        let path = place.path_of(&key(&Method::GET, &url));
        let file = File::options().write(true).open(path).expect("there");
        file.set_times(FileTimes::new().set_accessed(used)).expect("set");
    }
    place
}

#[test]
fn prune_to_a_limit_keeps_what_was_used_last() {
    let place = used_in_order(&["a", "b", "c", "d", "e"]);
    let each = place.file_bytes() / 5;
    let ran = place.run(&["prune", "--max-entries", "3"]).succeeded();
    assert_eq!(
        ran.stdout,
        format!("2 entries evicted ({} bytes), 3 entries left ({} bytes)\n", 2 * each, 3 * each)
    );
    let limit = (2 * each + 10).to_string();
    let ran = place.run(&["prune", "--max-total-bytes", &limit]).succeeded();
    assert_eq!(ran.stdout, format!("1 entry evicted ({each} bytes), 2 entries left ({} bytes)\n", 2 * each));
    let urls = place.run(&["ls"]).succeeded();
    let mut urls = urls.lines();
    urls.sort_unstable();
    assert_eq!(urls, ["https://example.org/d", "https://example.org/e"]);
}

#[test]
fn prune_to_a_limit_that_holds_evicts_nothing() {
    let place = used_in_order(&["a", "b"]);
    let bytes = place.file_bytes();
    let ran = place.run(&["prune", "--max-total-bytes", "64MiB", "--max-entries", "2"]).succeeded();
    assert_eq!(ran.stdout, format!("0 entries evicted (0 bytes), 2 entries left ({bytes} bytes)\n"));
    let ran = place.run(&["prune", "--max-total-bytes", "much"]);
    assert!(ran.code == Some(2) && ran.stderr.contains("it is no size; one is 64MiB"), "{ran:?}");
}

#[test]
fn prune_to_a_limit_lets_what_has_expired_go_first_if_it_is_told_to() {
    let filled = || {
        let place = used_in_order(&["old", "new"]);
        let mut expired = head("https://example.org/expired");
        expired.expires_at = Some(Timestamp::from_millis(1));
        place.fill([(expired, Body::empty())]);
        place
    };
    let lines = |place: &Place, arguments: &[&str]| {
        let ran = place.run(arguments).succeeded();
        ran.lines()
            .iter()
            .map(|line| line.split(" (").next().unwrap_or_default().to_owned())
            .collect::<Vec<_>>()
    };
    let with = lines(&filled(), &["prune", "--expired", "--max-entries", "2"]);
    assert_eq!(with, ["1 expired entry deleted", "0 entries evicted"]);
    let place = filled();
    assert_eq!(lines(&place, &["prune", "--max-entries", "2"]), ["1 entry evicted"]);
    place.run(&["show", "https://example.org/old"]).failed(3, "is not in the cache");
}

#[test]
fn the_redirects_to_what_is_evicted_go_with_it() {
    let place = used_in_order(&["a", "b"]);
    place.with_cache(async |cache, _| {
        let aliases = Aliases::new(vec![key(&Method::GET, "https://short.test/")], None);
        let target = key(&Method::GET, "https://example.org/a");
        cache.save_aliases(&target, &aliases).await.expect("saved");
    });
    place.run(&["prune", "--max-entries", "0"]).succeeded();
    assert_eq!(place.run(&["stats", "--json"]).succeeded().json()[0]["redirects"], 0);
}

#[test]
fn clear_deletes_everything_if_it_is_told_to() {
    let place = three_pages();
    place.run(&["clear"]).failed(2, "--yes");
    assert_eq!(place.run(&["ls"]).succeeded().lines().len(), 3);
    assert_eq!(place.run(&["clear", "--yes"]).succeeded().stdout, "3 entries deleted\n");
    assert_eq!(place.run(&["ls"]).succeeded().stdout, "");
    let left = std::fs::read_dir(place.cache().join("tmp")).expect("there").count();
    assert_eq!(left, 0, "nothing is left to be removed in the background");
}

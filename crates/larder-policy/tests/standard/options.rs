//! Which options of the standard mode make a policy.

use http::header::ACCEPT;
use http::{Method, StatusCode};
use larder_core::ErrorKind;
use larder_policy::{CacheOptions, Expiry};

use super::{private, shared, stored};
use crate::support::{NOW, Sent, after, policy, secs};

#[test]
fn the_standard_options_are_private_and_the_default() {
    assert!(!private().is_shared());
    assert!(shared().is_shared());
    assert_eq!(format!("{:?}", CacheOptions::default()), format!("{:?}", CacheOptions::standard()));
}

#[test]
fn what_contradicts_the_standard_is_refused() {
    for options in [
        CacheOptions::standard().cache_control(false),
        CacheOptions::standard().allowed_methods([]),
        CacheOptions::standard().allowed_methods([Method::CONNECT]),
        CacheOptions::standard().allowed_codes([StatusCode::NOT_MODIFIED]),
        CacheOptions::standard().stale_if_error(secs(0)),
        CacheOptions::standard().keep_expired(secs(5)).stale_if_error(secs(6)),
        CacheOptions::standard().urls_expire_after([("site.com", secs(0))]),
        CacheOptions::standard().include_headers([ACCEPT]).include_all_headers(),
    ] {
        let shown = format!("{options:?}");
        assert_eq!(options.build().expect_err(&shown).kind(), ErrorKind::Configuration, "{shown}");
    }
}

#[test]
fn statuses_may_be_narrowed() {
    let only_200 = policy(CacheOptions::standard().allowed_codes([StatusCode::OK]));
    let get = Sent::get(&["range: bytes=0-1"]);
    let fresh = ["cache-control: max-age=60", "content-range: bytes 0-1/5", "etag: \"1\""];
    for (status, expected) in [(200, true), (206, false), (404, false)] {
        assert_eq!(get.storable(&only_200, &get.head(status, &fresh)).is_ok(), expected, "{status}");
    }
}

#[test]
fn what_has_expired_is_kept_until_its_delete_time() {
    let response = ["cache-control: max-age=60", "etag: \"1\""];
    for (options, expected) in [
        (CacheOptions::standard(), 60 + 30 * 86_400),
        (CacheOptions::standard().keep_expired(secs(0)), 60),
        (CacheOptions::standard().keep_expired(secs(40)), 100),
        (CacheOptions::standard().keep_expired(secs(40)).stale_if_error(secs(40)), 100),
    ] {
        let shown = format!("{options:?}");
        let head = stored(&policy(options), &response);
        assert_eq!((head.expires_at, head.delete_at), (Some(after(60)), Some(after(expected))), "{shown}");
        assert_eq!((head.created_at, head.received_at), (NOW, NOW));
    }
    let keeping = policy(CacheOptions::standard().keep_expired(secs(40)));
    let head = stored(&keeping, &["cache-control: max-age=60, stale-if-error=90"]);
    assert_eq!(head.delete_at, Some(after(150)), "as long as it may stand in");
}

#[test]
fn a_url_that_is_not_to_be_stored_is_not_whatever_the_response_says() {
    let never = policy(CacheOptions::standard().urls_expire_after([("site.com", Expiry::DoNotStore)]));
    let get = Sent::get(&[]);
    assert!(get.storable(&never, &get.head(200, &["cache-control: max-age=60"])).is_err());
    assert!(never.keys(&get.request(), &get.options).is_err());
}

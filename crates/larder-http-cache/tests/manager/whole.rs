//! `CacheManager`: put, get and delete.

use std::collections::HashMap;

use futures_util::TryStreamExt;
use http::{Method, StatusCode, Version};
use http_cache::{CacheManager, HttpResponse};
use larder_core::Aliases;

use crate::support::{BODY, KEY, larder, policy, response, shown};

#[track_caller]
fn assert_same(one: HttpResponse, other: HttpResponse) {
    assert_eq!((one.body, one.status, one.version), (other.body, other.status, other.version));
    assert_eq!((one.url, one.metadata), (other.url, other.metadata));
    let fields = HashMap::<String, Vec<String>>::from;
    assert_eq!(fields(one.headers), fields(other.headers));
}

#[tokio::test]
async fn what_is_read_is_what_was_stored() {
    let larder = larder();
    let policy = policy();
    let returned = larder.put(KEY.to_owned(), response(), policy.clone()).await.expect("no error");
    assert_same(returned, response());
    let (stored, stored_policy) = larder.get(KEY).await.expect("no error").expect("an entry");
    assert_same(stored, response());
    assert_eq!(shown(&stored_policy), shown(&policy));
    assert_eq!(larder.backend().failures(), 0);
}

#[tokio::test]
async fn what_is_deleted_is_gone_and_only_that() {
    let larder = larder();
    for key in [KEY, "another"] {
        larder.put(key.to_owned(), response(), policy()).await.expect("no error");
    }
    for _ in 0..2 {
        larder.delete(KEY).await.expect("no error");
        assert!(larder.get(KEY).await.expect("no error").is_none());
    }
    assert!(larder.get("another").await.expect("no error").is_some());
}

#[tokio::test]
async fn the_last_put_wins() {
    let larder = larder();
    for body in ["one", "two"] {
        let response = HttpResponse { body: body.into(), ..response() };
        larder.put(KEY.to_owned(), response, policy()).await.expect("no error");
    }
    assert_eq!(larder.get(KEY).await.expect("no error").expect("an entry").0.body, b"two");
    assert_eq!(larder.backend().size().await.expect("a count"), 1);
}

#[tokio::test]
async fn the_head_has_the_facts_and_no_credentials_of_the_url() {
    let larder = larder();
    larder.put(KEY.to_owned(), response(), policy()).await.expect("no error");
    let stored = larder.backend().values().try_next().await.expect("no error").expect("an entry");
    let head = stored.head;
    assert_eq!((head.method, head.status), (Method::GET, StatusCode::PARTIAL_CONTENT));
    assert_eq!((head.version, head.url.to_string()), (Version::HTTP_2, "http://example.org/a?b".to_owned()));
    assert_eq!(head.headers.get_all("set-cookie").iter().collect::<Vec<_>>(), ["a=1", "b=2"]);
    assert_eq!(stored.body.bytes().await.expect("a body"), BODY);
}

#[tokio::test]
async fn an_entry_whose_policy_cannot_be_read_is_a_miss() {
    let larder = larder();
    let store = larder.backend();
    for damage in ["", "{}", "{\"key\":\"GET:http://me:secret@example.org/a?b\"}", "\0"] {
        larder.put(KEY.to_owned(), response(), policy()).await.expect("no error");
        let key = store.keys().try_next().await.expect("no error").expect("a key");
        let mut stored = store.values().try_next().await.expect("no error").expect("an entry");
        for text in stored.head.metadata.values_mut() {
            damage.clone_into(text);
        }
        store.save_response(&key, stored, &Aliases::none()).await.expect("stored");
        assert!(larder.get(KEY).await.expect("no error").is_none(), "{damage:?}");
    }
}

#[tokio::test]
async fn an_entry_of_another_key_is_a_miss() {
    let larder = larder();
    let store = larder.backend();
    larder.put("one".to_owned(), response(), policy()).await.expect("no error");
    let stored = store.values().try_next().await.expect("no error").expect("an entry");
    larder.delete("one").await.expect("no error");
    larder.put("two".to_owned(), response(), policy()).await.expect("no error");
    let key = store.keys().try_next().await.expect("no error").expect("a key");
    store.save_response(&key, stored, &Aliases::none()).await.expect("stored");
    assert!(larder.get("two").await.expect("no error").is_none(), "it says that it is another's");
}

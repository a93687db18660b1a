//! The wiring of the memory backend: its two parts are put together. `larder-memory` runs the suite over them.
#![cfg(feature = "memory")]

use http::{Method, StatusCode, Uri};
use larder::{
    Aliases, Body, CacheKey, CachedResponse, Lookup, MemoryBackend, ResponseHead, Result, Timestamp,
};

#[tokio::test]
async fn a_response_is_found_by_its_key_and_by_its_alias() -> Result<()> {
    let now = Timestamp::from_millis(1_700_000_000_000);
    let (key, alias) = (CacheKey::new("one")?, CacheKey::new("alias")?);
    let cache = MemoryBackend::new().open();
    let head = ResponseHead::new(Method::GET, Uri::from_static("http://h/"), StatusCode::OK, now);
    let response = CachedResponse::new(head, Body::from("body"));
    cache.save_response(&key, response, &Aliases::new(vec![alias.clone()], None)).await?;

    assert!(matches!(cache.get_response(&key, now).await, Lookup::Hit(_)));
    assert!(
        matches!(cache.get_response(&alias, now).await, Lookup::AliasHit { target, .. } if target == key)
    );
    assert!(matches!(MemoryBackend::new().open().get_response(&key, now).await, Lookup::Miss));
    assert_eq!(cache.failures(), 0);
    Ok(())
}

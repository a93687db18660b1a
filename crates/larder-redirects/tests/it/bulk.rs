//! Any number of keys in one call, and listings in bounded memory.

use futures_util::{StreamExt, TryStreamExt};
use larder_core::{Alias, RedirectIndex, Timestamp};

use crate::place::{Outcome, Place, key, keys, listed};

#[tokio::test]
async fn a_hundred_thousand_keys_go_in_one_call() -> Outcome {
    let place = Place::new();
    let index = place.open().await?;
    let mut all = keys(100_000);
    index.write(&all, &key("target"), None).await?;
    assert_eq!(index.size().await?, 100_000);
    all.sort();
    let found: Vec<_> = index.keys().try_collect().await?;
    assert_eq!(found.len(), all.len());
    assert_eq!(listed(&index).await?, all);
    assert_eq!(index.bulk_delete(&all[..60_000]).await?, 60_000);
    assert_eq!(index.bulk_delete(&all).await?, 40_000);
    assert_eq!(index.size().await?, 0);
    Ok(())
}

#[tokio::test]
async fn a_hundred_thousand_targets_and_expiries_go_in_one_call() -> Outcome {
    let place = Place::new();
    let index = place.open().await?;
    let all = keys(100_000);
    index.write(&all[..50_000], &all[7], Some(Timestamp::from_millis(10))).await?;
    index.write(&all[50_000..], &all[99_999], Some(Timestamp::from_millis(20))).await?;
    assert_eq!(index.delete_expired(Timestamp::from_millis(10)).await?, 50_000);
    assert_eq!(index.delete_targets(&all).await?, 50_000);
    index.write(&all, &key("target"), None).await?;
    assert_eq!(index.delete_expired(Timestamp::MAX).await?, 0, "no expiry is never");
    index.clear().await?;
    assert_eq!(index.size().await?, 0);
    Ok(())
}

#[tokio::test]
async fn listings_hold_each_alias_once_whatever_the_number_of_pages() -> Outcome {
    let place = Place::new();
    let index = place.open().await?;
    for count in [0, 1, 511, 512, 513, 1024, 1025, 1536] {
        let mut all = keys(count);
        all.sort();
        index.clear().await?;
        index.write(&all, &key("target"), None).await?;
        assert_eq!(index.keys().try_collect::<Vec<_>>().await?, all, "{count}");
        let values: Vec<_> = index.values().try_collect().await?;
        assert_eq!(values.len(), count);
        assert!(values.iter().all(|(_, alias)| *alias == Alias::new(key("target"), None)));
    }
    Ok(())
}

#[tokio::test]
async fn a_listing_outlives_what_is_written_and_deleted_meanwhile() -> Outcome {
    let place = Place::new();
    let index = place.open().await?;
    let all = keys(4000);
    index.write(&all[..2000], &key("target"), None).await?;
    let mut listing = index.keys();
    let mut seen = vec![listing.next().await.expect("a first key")?];
    index.write(&all[2000..], &key("target"), None).await?;
    index.bulk_delete(&all[..1000]).await?;
    while let Some(found) = listing.next().await {
        seen.push(found?);
    }
    for stayed in &all[1000..2000] {
        assert_eq!(seen.iter().filter(|found| *found == stayed).count(), 1);
    }
    Ok(())
}

#[tokio::test]
async fn listings_that_nobody_polls_hold_no_connection() -> Outcome {
    let place = Place::new();
    let index = place.open().await?;
    index.write(&keys(2000), &key("target"), None).await?;
    let mut listings: Vec<_> = (0..50).map(|_| index.values()).collect();
    for listing in &mut listings {
        listing.next().await.expect("a first alias")?;
    }
    assert_eq!(index.size().await?, 2000);
    Ok(())
}

#[tokio::test]
async fn duplicates_and_no_keys_at_all_are_as_good_as_any() -> Outcome {
    let place = Place::new();
    let index = place.open().await?;
    let twice = [key("a"), key("b"), key("a")];
    index.write(&twice, &key("one"), None).await?;
    index.write(&twice[..1], &key("two"), Some(Timestamp::from_millis(-5))).await?;
    assert_eq!(index.read(&key("a")).await?, Some(Alias::new(key("two"), Some(Timestamp::from_millis(-5)))));
    index.write(&[], &key("three"), None).await?;
    assert_eq!(index.bulk_delete(&[]).await?, 0);
    assert_eq!(index.delete_targets(&[]).await?, 0);
    assert_eq!(index.bulk_delete(&twice).await?, 2);
    Ok(())
}

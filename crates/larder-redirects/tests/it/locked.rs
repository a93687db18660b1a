//! A lock that somebody else holds is waited for, but not long.

use std::fs::File;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use larder_core::{ErrorKind, RedirectIndex};

use crate::place::{Outcome, Place, key, keys, works};

const TIMEOUT: Duration = Duration::from_millis(100);
/// Far more than two timeouts, for a machine under load, and far less than the timeouts of all operations together.
const PROMPTLY: Duration = Duration::from_secs(10);

async fn open(place: &Place) -> larder_core::Result<larder_redirects::SqliteRedirects> {
    larder_redirects::SqliteRedirects::builder(place.path()).busy_timeout(TIMEOUT).open().await
}

#[tokio::test]
async fn a_write_to_a_locked_database_is_unavailable_and_a_read_works() -> Outcome {
    let place = Place::new();
    let index = open(&place).await?;
    index.write(&[key("a")], &key("target"), None).await?;
    let raw = place.raw()?;
    raw.execute_batch("BEGIN IMMEDIATE")?;
    let begun = Instant::now();
    let error = index.write(&[key("b")], &key("target"), None).await.expect_err("locked");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(begun.elapsed() >= TIMEOUT);
    assert!(index.contains(&key("a")).await?);
    assert!(begun.elapsed() < PROMPTLY);
    raw.execute_batch("ROLLBACK")?;
    works(&index).await?;
    assert!(!place.beside(".corrupt").exists());
    Ok(())
}

#[tokio::test]
async fn a_thousand_writes_to_a_locked_database_do_not_wait_one_after_another() -> Outcome {
    let place = Place::new();
    let index = open(&place).await?;
    let raw = place.raw()?;
    raw.execute_batch("BEGIN IMMEDIATE")?;
    let begun = Instant::now();
    let (keys, target) = (keys(1000), key("target"));
    let writes = keys.iter().map(|key| index.write(std::slice::from_ref(key), &target, None));
    for result in join_all(writes).await {
        assert_eq!(result.expect_err("locked").kind(), ErrorKind::Unavailable);
    }
    assert!(begun.elapsed() < PROMPTLY, "{:?}", begun.elapsed());
    raw.execute_batch("ROLLBACK")?;
    works(&index).await?;
    Ok(())
}

#[tokio::test]
async fn a_database_that_is_locked_for_good_is_unavailable_at_once_when_it_is_opened() -> Outcome {
    let place = Place::new();
    open(&place).await?.close().await?;
    let raw = place.raw()?;
    raw.execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE")?;
    let begun = Instant::now();
    assert_eq!(open(&place).await.expect_err("locked").kind(), ErrorKind::Unavailable);
    assert!(begun.elapsed() < PROMPTLY);
    drop(raw);
    works(&open(&place).await?).await?;
    Ok(())
}

#[tokio::test]
async fn a_lock_file_that_is_held_is_unavailable_at_once() -> Outcome {
    let place = Place::new();
    let index = open(&place).await?;
    let lock = File::open(place.beside(".lock"))?;
    lock.lock()?;
    let begun = Instant::now();
    assert_eq!(open(&place).await.expect_err("held").kind(), ErrorKind::Unavailable);
    index.close().await?;
    assert!(begun.elapsed() < PROMPTLY);
    drop(lock);
    works(&open(&place).await?).await?;
    Ok(())
}

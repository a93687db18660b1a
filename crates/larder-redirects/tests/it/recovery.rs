//! A database that is corrupt or has vanished costs its aliases, and nothing else.

use std::fs;

use larder_core::RedirectIndex;

use crate::place::{Outcome, Place, key, keys, listed, works};

/// Overwrites every page but the first, which tells of the schema, after moving the log into the database.
fn damage_pages(place: &Place) -> Outcome {
    place.raw()?.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    let mut bytes = fs::read(place.path())?;
    assert!(bytes.len() > 8 * 4096, "there must be something to damage");
    bytes[4096..].fill(0xa5);
    fs::write(place.path(), bytes)?;
    Ok(())
}

#[tokio::test]
async fn what_is_no_database_is_set_aside_when_the_index_is_opened() -> Outcome {
    for garbage in [b"x".repeat(8192), b"SQLite format 3\0".repeat(512), vec![0; 100]] {
        let place = Place::new();
        fs::write(place.path(), &garbage)?;
        works(&place.open().await?).await?;
        assert_eq!(fs::read(place.beside(".corrupt"))?, garbage);
    }
    Ok(())
}

#[tokio::test]
async fn only_the_latest_corrupt_database_is_kept() -> Outcome {
    let place = Place::new();
    for garbage in ["first ".repeat(1000), "second ".repeat(1000)] {
        fs::write(place.path(), &garbage)?;
        place.open().await?.close().await?;
        assert_eq!(fs::read_to_string(place.beside(".corrupt"))?, garbage);
    }
    assert_eq!(place.names(), ["redirects.sqlite", "redirects.sqlite.corrupt", "redirects.sqlite.lock"]);
    Ok(())
}

#[tokio::test]
async fn corruption_that_a_read_meets_is_a_miss_and_the_next_write_works() -> Outcome {
    let place = Place::new();
    let (index, other) = (place.open().await?, place.open().await?);
    let keys = keys(2000);
    index.write(&keys, &key("target"), None).await?;
    damage_pages(&place)?;
    assert_eq!(index.read(&keys[1000]).await?, None);
    assert!(place.beside(".corrupt").exists());
    index.write(&keys[..1], &key("new"), None).await?;
    assert_eq!(other.read(&keys[0]).await?.expect("shared").target, key("new"));
    assert_eq!(index.size().await?, 1);
    Ok(())
}

#[tokio::test]
async fn corruption_that_another_operation_meets_heals_in_it() -> Outcome {
    let place = Place::new();
    let keys = keys(2000);
    for operation in 0..6 {
        let writer = place.open().await?;
        writer.write(&keys, &key("target"), None).await?;
        writer.close().await?;
        let index = place.open().await?;
        damage_pages(&place)?;
        match operation {
            0 => index.write(&keys, &key("target"), None).await?,
            1 => assert_eq!(index.bulk_delete(&keys).await?, 0),
            2 => assert_eq!(index.delete_targets(&[key("target")]).await?, 0),
            3 => assert_eq!(listed(&index).await?, []),
            4 => assert_eq!(index.size().await?, 0),
            _ => index.clear().await?,
        }
        works(&index).await?;
        index.clear().await?;
        index.close().await?;
    }
    Ok(())
}

#[tokio::test]
async fn any_truncation_is_a_miss_or_the_right_alias_and_heals() -> Outcome {
    let place = Place::new();
    let keys = keys(40);
    let index = place.open().await?;
    index.write(&keys, &key("target"), None).await?;
    index.close().await?;
    let whole = fs::read(place.path())?;
    for length in (0..whole.len()).step_by(509) {
        fs::write(place.path(), &whole[..length])?;
        let index = place.open().await?;
        for key_read in &keys {
            let alias = index.read(key_read).await?;
            assert!(alias.is_none_or(|alias| alias.target == key("target")), "cut to {length}");
        }
        index.write(&keys, &key("target"), None).await?;
        assert_eq!(listed(&index).await?.len(), keys.len(), "cut to {length}");
        index.close().await?;
    }
    Ok(())
}

#[tokio::test]
async fn any_flipped_byte_is_no_error_and_heals() -> Outcome {
    let place = Place::new();
    let keys = keys(40);
    let index = place.open().await?;
    index.write(&keys, &key("target"), None).await?;
    index.close().await?;
    let whole = fs::read(place.path())?;
    // These make a version of it that is newer, so that it is refused.
    let refused = |at: usize| (61..64).contains(&at);
    for at in (0..112).chain((112..whole.len()).step_by(211)).filter(|at| !refused(*at)) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0xff;
        fs::write(place.path(), bytes)?;
        let index = place.open().await?;
        for key_read in &keys {
            index.read(key_read).await.map_err(|error| format!("byte {at}: {error}"))?;
        }
        listed(&index).await.map_err(|error| format!("byte {at}: {error}"))?;
        index.write(&keys, &key("target"), None).await.map_err(|error| format!("byte {at}: {error}"))?;
        index.clear().await.map_err(|error| format!("byte {at}: {error}"))?;
        works(&index).await.map_err(|error| format!("byte {at}: {error}"))?;
        index.close().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_database_that_vanished_is_made_anew_and_shared() -> Outcome {
    let place = Place::new();
    let (one, two) = (place.open().await?, place.open().await?);
    one.write(&[key("a")], &key("target"), None).await?;
    assert!(two.contains(&key("a")).await?);
    place.remove();
    assert_eq!(two.read(&key("a")).await?, None);
    one.write(&[key("b")], &key("target"), None).await?;
    assert!(two.contains(&key("b")).await?);
    assert_eq!(listed(&two).await?, [key("b")]);
    Ok(())
}

#[tokio::test]
async fn a_directory_that_vanished_is_made_anew() -> Outcome {
    let outer = tempfile::tempdir()?;
    let directory = outer.path().join("cache");
    let index = larder_redirects::SqliteRedirects::builder(directory.join("redirects.sqlite")).open().await?;
    index.write(&[key("a")], &key("target"), None).await?;
    fs::remove_dir_all(&directory)?;
    assert_eq!(index.read(&key("a")).await?, None);
    works(&index).await?;
    assert!(directory.join("redirects.sqlite").is_file());
    Ok(())
}

#[tokio::test]
async fn a_database_that_was_replaced_by_another_is_read_from_then_on() -> Outcome {
    let (place, other) = (Place::new(), Place::new());
    let index = other.open().await?;
    index.write(&[key("b")], &key("target"), None).await?;
    index.close().await?;

    let index = place.open().await?;
    index.write(&[key("a")], &key("target"), None).await?;
    place.remove();
    fs::rename(other.path(), place.path())?;
    assert_eq!(listed(&index).await?, [key("b")]);
    works(&index).await?;
    Ok(())
}

#[tokio::test]
async fn a_log_whose_database_is_gone_brings_nothing_back() -> Outcome {
    let place = Place::new();
    let index = place.open().await?;
    index.write(&[key("a")], &key("target"), None).await?;
    drop(index);
    assert!(fs::metadata(place.beside("-wal"))?.len() > 0, "a dropped index leaves its log");
    fs::remove_file(place.path())?;
    assert_eq!(listed(&place.open().await?).await?, []);
    Ok(())
}

#[tokio::test]
async fn closing_an_index_whose_database_was_replaced_leaves_the_new_log_alone() -> Outcome {
    let place = Place::new();
    let old = place.open().await?;
    old.write(&[key("a")], &key("target"), None).await?;
    place.remove();
    let new = place.open().await?;
    new.write(&[key("b")], &key("target"), None).await?;
    old.close().await?;
    drop(new);
    assert_eq!(listed(&place.open().await?).await?, [key("b")]);
    Ok(())
}

#[tokio::test]
async fn a_log_that_was_overwritten_is_no_error() -> Outcome {
    let place = Place::new();
    let index = place.open().await?;
    index.write(&keys(100), &key("target"), None).await?;
    drop(index);
    let length = usize::try_from(fs::metadata(place.beside("-wal"))?.len())?;
    fs::write(place.beside("-wal"), vec![0x5a; length])?;
    let index = place.open().await?;
    listed(&index).await?;
    works(&index).await?;
    Ok(())
}

#[tokio::test]
async fn a_row_that_is_no_alias_is_as_good_as_absent() -> Outcome {
    let place = Place::new();
    let index = place.open().await?;
    index.write(&[key("good")], &key("target"), None).await?;
    let raw = place.raw()?;
    for row in [
        "'bad-value', '../etc/passwd', NULL",
        "'bad-expiry', 'target', 'tomorrow'",
        "'blob-value', x'ff', NULL",
        "'not-utf-8', CAST(x'ff80' AS TEXT), NULL",
        "CAST(x'ff80' AS TEXT), 'target', NULL",
        "CAST(x'' AS TEXT), 'target', NULL",
        "x'00ff', 'target', NULL",
        "'a/b', 'target', NULL",
        "7.5, 'target', 7.5",
    ] {
        raw.execute(&format!("INSERT INTO redirects VALUES ({row})"), [])?;
    }
    for name in ["bad-value", "bad-expiry", "blob-value", "not-utf-8"] {
        assert_eq!(index.read(&key(name)).await?, None, "{name}");
        assert!(!index.contains(&key(name)).await?, "{name}");
    }
    assert_eq!(listed(&index).await?, [key("good")]);
    index.clear().await?;
    assert_eq!(index.size().await?, 0);
    Ok(())
}

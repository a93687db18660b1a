//! Databases of newer versions are refused as they are; what is not ours or not whole is set aside.

use std::fs;

use larder_core::{ErrorKind, RedirectIndex};

use crate::place::{Outcome, Place, key, works};

/// What a version after this one may do, so that this one's statements fail.
const NEXT_VERSION: &str = "ALTER TABLE redirects RENAME TO redirects_2; PRAGMA user_version = 2";

#[tokio::test]
async fn a_newer_database_is_refused_and_left_as_it_is() -> Outcome {
    let place = Place::new();
    place.open().await?.close().await?;
    place.raw()?.execute_batch(NEXT_VERSION)?;
    let before = fs::read(place.path())?;
    let error = place.open().await.expect_err("newer");
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(
        error.to_string(),
        format!(
            "open: the redirect index failed: its schema has version 2, and this build knows versions up to 1 \
             (path: {})",
            place.path().display()
        )
    );
    assert_eq!(fs::read(place.path())?, before);
    assert!(!place.beside(".corrupt").exists());
    Ok(())
}

#[tokio::test]
async fn a_database_that_becomes_newer_while_it_is_open_is_left_as_it_is() -> Outcome {
    let place = Place::new();
    let index = place.open().await?;
    index.write(&[key("a")], &key("target"), None).await?;
    place.raw()?.execute_batch(NEXT_VERSION)?;
    for _ in 0..2 {
        assert_eq!(index.read(&key("a")).await.expect_err("newer").kind(), ErrorKind::Unsupported);
        assert_eq!(index.clear().await.expect_err("newer").kind(), ErrorKind::Unsupported);
    }
    assert!(!place.beside(".corrupt").exists());
    let rows: i64 = place.raw()?.query_row("SELECT count(*) FROM redirects_2", [], |row| row.get(0))?;
    assert_eq!(rows, 1);
    Ok(())
}

#[tokio::test]
async fn a_database_of_another_program_is_set_aside_as_it_is() -> Outcome {
    let place = Place::new();
    place.raw()?.execute_batch("CREATE TABLE redirects (key, value); INSERT INTO redirects VALUES (1, 2)")?;
    let before = fs::read(place.path())?;
    let index = place.open().await?;
    works(&index).await?;
    index.close().await?;
    assert_eq!(fs::read(place.beside(".corrupt"))?, before);
    assert_eq!(place.names(), ["redirects.sqlite", "redirects.sqlite.corrupt", "redirects.sqlite.lock"]);
    Ok(())
}

#[tokio::test]
async fn any_flipped_bit_of_the_application_id_sets_the_database_aside() -> Outcome {
    let place = Place::new();
    place.open().await?.close().await?;
    let whole = fs::read(place.path())?;
    for bit in 0..32 {
        let mut bytes = whole.clone();
        bytes[68 + bit / 8] ^= 1 << (bit % 8);
        fs::write(place.path(), &bytes)?;
        let index = place.open().await.map_err(|error| format!("bit {bit}: {error}"))?;
        works(&index).await?;
        index.close().await?;
        assert!(fs::read(place.beside(".corrupt"))? == bytes, "bit {bit}");
    }
    Ok(())
}

#[tokio::test]
async fn a_newer_version_with_another_application_id_is_not_a_newer_one_of_ours() -> Outcome {
    let place = Place::new();
    place.raw()?.execute_batch("CREATE TABLE t (x); PRAGMA application_id = 77; PRAGMA user_version = 9")?;
    works(&place.open().await?).await?;
    assert!(place.beside(".corrupt").exists());
    Ok(())
}

#[tokio::test]
async fn an_empty_file_becomes_an_index() -> Outcome {
    let place = Place::new();
    fs::write(place.path(), b"")?;
    works(&place.open().await?).await?;
    let id: i64 = place.raw()?.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    assert_eq!(id.to_be_bytes()[4..], *b"lrdr");
    assert!(!place.beside(".corrupt").exists());
    Ok(())
}

#[tokio::test]
async fn a_table_that_was_dropped_is_made_anew() -> Outcome {
    let place = Place::new();
    let index = place.open().await?;
    index.write(&[key("a")], &key("target"), None).await?;
    place.raw()?.execute_batch("DROP TABLE redirects")?;
    assert_eq!(index.read(&key("a")).await?, None);
    works(&index).await?;
    assert!(place.beside(".corrupt").exists());
    Ok(())
}

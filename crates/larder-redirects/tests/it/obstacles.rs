//! What is not a regular file is set aside, never opened or followed.

use std::fs;
use std::os::unix::fs::{FileTypeExt, symlink};
use std::path::Path;

use larder_core::RedirectIndex;
use larder_redirects::SqliteRedirects;
use rustix::fs::{CWD, FileType, Mode, mknodat};

use crate::place::{Outcome, Place, key, works};

fn make_pipe(path: &Path) -> Outcome {
    Ok(mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)?)
}

#[tokio::test]
async fn a_link_in_the_place_of_the_database_is_not_followed() -> Outcome {
    let (place, outside) = (Place::new(), Place::new());
    let other = outside.open().await?;
    other.write(&[key("a")], &key("target"), None).await?;
    other.close().await?;
    let before = fs::read(outside.path())?;

    symlink(outside.path(), place.path())?;
    let index = place.open().await?;
    assert_eq!(index.read(&key("a")).await?, None);
    works(&index).await?;
    assert!(fs::symlink_metadata(place.beside(".corrupt"))?.is_symlink());

    // And while the index is open.
    place.remove();
    symlink(outside.path(), place.path())?;
    assert_eq!(index.read(&key("a")).await?, None);
    works(&index).await?;
    assert_eq!(fs::read(outside.path())?, before);
    assert_eq!(outside.names(), ["redirects.sqlite", "redirects.sqlite.lock"]);
    Ok(())
}

#[tokio::test]
async fn a_link_to_nothing_is_not_followed_either() -> Outcome {
    let (place, outside) = (Place::new(), Place::new());
    symlink(outside.path(), place.path())?;
    works(&place.open().await?).await?;
    assert!(outside.names().is_empty());
    Ok(())
}

#[tokio::test]
async fn a_pipe_in_the_place_of_the_database_does_not_hang() -> Outcome {
    let place = Place::new();
    make_pipe(&place.path())?;
    let index = place.open().await?;
    works(&index).await?;
    assert!(fs::symlink_metadata(place.beside(".corrupt"))?.file_type().is_fifo());

    place.remove();
    make_pipe(&place.path())?;
    works(&index).await?;
    Ok(())
}

#[tokio::test]
async fn a_directory_in_the_place_of_the_database_is_set_aside_with_what_is_in_it() -> Outcome {
    let place = Place::new();
    for aside in [".corrupt", ".corrupt-2", ".corrupt-3"] {
        fs::create_dir(place.path())?;
        fs::write(place.path().join("file"), aside)?;
        let index = place.open().await?;
        works(&index).await?;
        index.close().await?;
        assert_eq!(fs::read_to_string(place.beside(aside).join("file"))?, aside);
        place.remove();
    }
    Ok(())
}

#[tokio::test]
async fn an_obstacle_in_the_place_of_a_log_is_set_aside() -> Outcome {
    let outside = Place::new();
    for suffix in ["-wal", "-shm", "-journal"] {
        for kind in ["link", "pipe", "directory"] {
            let place = Place::new();
            place.open().await?.close().await?;
            match kind {
                "link" => symlink(outside.path(), place.beside(suffix))?,
                "pipe" => make_pipe(&place.beside(suffix))?,
                _ => fs::create_dir(place.beside(suffix))?,
            }
            works(&place.open().await.map_err(|error| format!("{kind} at {suffix}: {error}"))?).await?;
            assert!(fs::symlink_metadata(place.beside(&format!(".corrupt{suffix}"))).is_ok());
        }
    }
    assert!(outside.names().is_empty());
    Ok(())
}

#[tokio::test]
async fn a_link_in_the_place_of_the_lock_is_an_error_and_not_followed() -> Outcome {
    let (place, outside) = (Place::new(), Place::new());
    symlink(outside.path(), place.beside(".lock"))?;
    place.open().await.expect_err("a link");
    assert!(outside.names().is_empty());
    Ok(())
}

#[tokio::test]
async fn a_cache_directory_may_be_reached_through_a_link() -> Outcome {
    let place = Place::new();
    let link = place.directory().join("link");
    symlink(place.directory(), &link)?;
    let index = SqliteRedirects::builder(link.join("redirects.sqlite")).open().await?;
    works(&index).await?;
    assert_eq!(index.path(), place.directory().canonicalize()?.join("redirects.sqlite"));
    Ok(())
}

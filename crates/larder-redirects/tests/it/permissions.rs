//! Every file is its owner's alone, whatever the umask.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use larder_core::RedirectIndex;
use larder_redirects::SqliteRedirects;
use rustix::fs::Mode;

use crate::place::{Outcome, Place, child, child_arguments, key, works};

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).map_or(0, |metadata| metadata.permissions().mode() & 0o7777)
}

#[test]
fn files_are_private_whatever_the_umask() -> Outcome {
    for umask in [0o000, 0o022, 0o777] {
        let place = Place::new();
        let path = place.directory().join("cache").join("redirects.sqlite");
        let status = child("permissions::child_makes_files", &path, &umask.to_string()).status()?;
        assert!(status.success(), "umask {umask:o}");
    }
    Ok(())
}

/// The umask belongs to the process, so that it is set in one of its own.
#[tokio::test]
#[ignore = "run in a child process by another test"]
async fn child_makes_files() -> Outcome {
    let Some((path, umask)) = child_arguments() else { return Ok(()) };
    let directory = path.parent().expect("a directory");
    let umask = Mode::from_raw_mode(umask.parse()?);
    // A umask that takes the owner's rights would keep anybody but root from using a new directory.
    if umask.contains(Mode::RWXU) {
        fs::create_dir(directory)?;
    }
    rustix::process::umask(umask);
    let index = SqliteRedirects::builder(&path).open().await?;
    index.write(&[key("a")], &key("target"), None).await?;
    index.close().await?;
    fs::write(&path, "garbage".repeat(1000))?;
    works(&SqliteRedirects::builder(&path).open().await?).await?;
    let mut seen = 0;
    for entry in fs::read_dir(directory)? {
        let entry = entry?.path();
        assert_eq!(mode(&entry), 0o600, "{}", entry.display());
        seen += 1;
    }
    assert!(seen >= 5, "database, log, shared memory, lock, and what was set aside");
    if !umask.contains(Mode::RWXU) {
        assert_eq!(mode(directory), 0o700);
    }
    Ok(())
}

#[tokio::test]
async fn files_that_others_may_read_are_restricted() -> Outcome {
    let place = Place::new();
    let index = place.open().await?;
    index.write(&[key("a")], &key("target"), None).await?;
    drop(index);
    for suffix in ["", "-wal", "-shm", ".lock"] {
        fs::set_permissions(place.beside(suffix), fs::Permissions::from_mode(0o666))?;
    }
    let index = place.open().await?;
    assert!(index.contains(&key("a")).await?);
    for suffix in ["", "-wal", "-shm", ".lock"] {
        assert_eq!(mode(&place.beside(suffix)), 0o600, "{suffix}");
    }
    Ok(())
}

//! Modes whatever the umask. The umask is the whole process's, so that this is a test program of its own.

mod support;

use std::os::unix::fs::PermissionsExt;

use larder_core::ResponseStore;
use larder_file::FanOut;
use rustix::fs::Mode;
use support::{Place, key, read, response};

#[tokio::test]
async fn files_and_directories_are_private_whatever_the_umask() {
    let before = rustix::process::umask(Mode::empty());
    for (umask, portable) in
        [0o000, 0o027, 0o277, 0o777].into_iter().flat_map(|umask| [(umask, false), (umask, true)])
    {
        rustix::process::umask(Mode::empty());
        let dir = tempfile::tempdir().expect("a directory");
        rustix::process::umask(Mode::from_raw_mode(umask));
        let store =
            support::open(dir.path(), |builder| builder.portable(portable).fan_out(FanOut::Wide)).await;
        let place = Place { dir, store };
        for body in ["written", "replaced"] {
            place.store.write(&key("a"), response(body)).await.expect("written");
            assert_eq!(read(&place.store, &key("a")).await.expect("there"), body);
        }
        place.store.clear().await.expect("cleared");
        place.store.write(&key("a"), response("again")).await.expect("written");
        place.store.close().await.expect("closed");
        let mut ahead = vec![place.path()];
        while let Some(path) = ahead.pop() {
            let metadata = std::fs::symlink_metadata(&path).expect("there");
            let expected = if metadata.is_dir() { 0o700 } else { 0o600 };
            assert_eq!(
                metadata.permissions().mode() & 0o777,
                expected,
                "umask {umask:o}: {}",
                path.display()
            );
            if metadata.is_dir() {
                ahead.extend(path.read_dir().expect("ours").map(|entry| entry.expect("one").path()));
            }
        }
    }
    rustix::process::umask(before);
}

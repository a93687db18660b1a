//! What is in memory is read without a hop; what is not, or cannot be told, is read on a blocking thread.

use std::fs::File;
use std::io::ErrorKind as Io;
use std::path::Path;
use std::sync::{Arc, Mutex};

use crate::support::{Place, key, noise, response};
use bytes::Bytes;
use larder_core::ResponseStore;
use larder_file::{Fault, FaultPlan, Op};
use rustix::fs::{Advice, fadvise};

/// Notes the operations of a store, and fails those that may not wait if it is told to.
#[derive(Clone, Default)]
struct Noted {
    ops: Arc<Mutex<Vec<Op>>>,
    refused: Arc<Mutex<Vec<(Op, Io)>>>,
}

impl Noted {
    fn plan(&self) -> FaultPlan {
        let noted = self.clone();
        FaultPlan::new(move |call| {
            noted.ops.lock().expect("no panic").push(call.op);
            let refused = noted.refused.lock().expect("no panic");
            refused.iter().find(|(op, _)| *op == call.op).map(|(_, kind)| Fault::Error(*kind))
        })
    }

    fn refuse(&self, op: Op, kind: Io) {
        self.refused.lock().expect("no panic").push((op, kind));
    }

    /// Returns the operations since the last time.
    fn take(&self) -> Vec<Op> {
        std::mem::take(&mut self.ops.lock().expect("no panic"))
    }
}

/// Returns a store where the build is: on a disk, which the directory for temporary files need not be.
async fn place(noted: &Noted) -> Place {
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    Place::open_in(dir, |builder| builder.faults(noted.plan())).await
}

/// Asks the system to take a file out of its memory; it keeps what somebody is just looking at.
fn forget(path: &Path) {
    let file = File::open(path).expect("there");
    file.sync_all().expect("only clean pages can be dropped");
    fadvise(&file, 0, None, Advice::DontNeed).expect("advised");
}

async fn bytes_of(place: &Place, name: &str) -> Bytes {
    let mut found = place.store.read(&key(name)).await.expect("read").expect("there");
    found.bytes().await.expect("whole")
}

const SMALL: usize = 10_000;
/// Longer than what is buffered by default.
const STREAMED: usize = 3 * 1024 * 1024 + 5;

#[tokio::test]
async fn a_warm_entry_is_opened_and_read_without_a_hop() {
    let noted = Noted::default();
    let place = place(&noted).await;
    place.store.write(&key("a"), response(noise(SMALL))).await.expect("written");
    place.store.write(&key("b"), response(noise(STREAMED))).await.expect("written");
    noted.take();
    assert_eq!(bytes_of(&place, "a").await, noise(SMALL));
    assert_eq!(noted.take(), [Op::OpenCached, Op::Stat, Op::ReadCached]);
    assert!(place.store.read_head(&key("a")).await.expect("read").is_some());
    assert_eq!(noted.take(), [Op::OpenCached, Op::Stat, Op::ReadCached]);
    assert_eq!(bytes_of(&place, "b").await, noise(STREAMED));
    let ops = noted.take();
    assert!(!ops.contains(&Op::OpenFile) && !ops.contains(&Op::Read), "{ops:?}");
    assert!(place.store.contains(&key("a")).await.expect("asked"));
    assert_eq!(noted.take(), [Op::Stat]);
}

#[tokio::test]
async fn a_name_that_was_never_there_is_looked_up_without_a_hop() {
    let noted = Noted::default();
    let place = place(&noted).await;
    place.store.write(&key("a"), response("x")).await.expect("written");
    noted.take();
    assert!(place.store.read(&key("none")).await.expect("read").is_none());
    let first = noted.take();
    assert!(first == [Op::OpenCached, Op::Stat] || first == [Op::OpenCached], "{first:?}");
    assert!(place.store.read_head(&key("other")).await.expect("read").is_none());
    let second = noted.take();
    assert!(second == [Op::OpenCached, Op::Stat] || second == [Op::OpenCached], "{second:?}");
}

#[tokio::test]
async fn an_entry_that_is_not_in_memory_is_read_from_the_disk() {
    let noted = Noted::default();
    let place = place(&noted).await;
    for (name, len) in [("a", SMALL), ("b", STREAMED)] {
        place.store.write(&key(name), response(noise(len))).await.expect("written");
        let mut is_read_from_disk = false;
        for _ in 0..100 {
            forget(&place.entry(&key(name)));
            noted.take();
            assert_eq!(bytes_of(&place, name).await, noise(len));
            let ops = noted.take();
            assert!(ops.contains(&Op::ReadCached), "{name}: {ops:?}");
            is_read_from_disk |= ops.contains(&Op::Read);
        }
        assert!(is_read_from_disk, "{name}: the system kept it in memory a hundred times");
    }
}

#[tokio::test]
async fn a_system_that_cannot_tell_is_asked_on_a_blocking_thread() {
    for (op, kind) in [
        (Op::OpenCached, Io::WouldBlock),
        (Op::OpenCached, Io::Unsupported),
        (Op::ReadCached, Io::WouldBlock),
        (Op::ReadCached, Io::Unsupported),
    ] {
        let noted = Noted::default();
        let place = place(&noted).await;
        noted.refuse(op, kind);
        for (name, len) in [("a", SMALL), ("b", STREAMED)] {
            place.store.write(&key(name), response(noise(len))).await.expect("written");
            assert_eq!(bytes_of(&place, name).await, noise(len), "{op:?} {kind}");
            assert!(place.store.read_head(&key(name)).await.expect("read").is_some(), "{op:?} {kind}");
            assert!(noted.take().contains(&Op::Read), "{op:?} {kind}");
        }
        assert!(place.store.read(&key("none")).await.expect("read").is_none(), "{op:?} {kind}");
    }
}

#[tokio::test]
async fn a_stream_whose_rest_leaves_the_memory_goes_on_from_the_disk() {
    let noted = Noted::default();
    let place = place(&noted).await;
    place.store.write(&key("b"), response(noise(STREAMED))).await.expect("written");
    let mut found = place.store.read(&key("b")).await.expect("read").expect("there");
    let mut all = found.body.chunk().await.expect("read").expect("there is more").to_vec();
    assert!(!noted.take().contains(&Op::Read), "the beginning is in memory");
    noted.refuse(Op::ReadCached, Io::WouldBlock);
    while let Some(chunk) = found.body.chunk().await.expect("read") {
        all.extend_from_slice(&chunk);
    }
    assert_eq!(Bytes::from(all), noise(STREAMED));
    assert!(noted.take().contains(&Op::Read));
}

/// Returns whether a task that was spawned before `work` has had its turn when that is done, on one thread.
async fn leaves_turns(work: impl Future<Output = ()>) -> bool {
    let other = tokio::spawn(async {});
    work.await;
    other.is_finished()
}

#[tokio::test(flavor = "current_thread")]
async fn a_task_that_finds_everything_in_memory_leaves_turns_to_others() {
    let place = Place::new().await;
    place.store.write(&key("a"), response(noise(SMALL))).await.expect("written");
    place.store.write(&key("b"), response(noise(40 * STREAMED))).await.expect("written");
    let few = async {
        assert!(place.store.read(&key("a")).await.expect("read").is_some());
    };
    assert!(!leaves_turns(few).await, "one read does not yield");
    let many = async {
        for _ in 0..1_000 {
            assert!(place.store.read(&key("a")).await.expect("read").is_some());
        }
    };
    assert!(leaves_turns(many).await);
    let stream = async {
        let mut found = place.store.read(&key("b")).await.expect("read").expect("there");
        while found.body.chunk().await.expect("read").is_some() {}
    };
    assert!(leaves_turns(stream).await);
}

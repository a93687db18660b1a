//! Opening, closing, dropping, and runtimes that come and go.

use std::cell::RefCell;
use std::ffi::OsString;
use std::time::Duration;

use futures_util::{FutureExt, TryStreamExt};
use larder_core::{Durability, ErrorKind, RedirectIndex};
use larder_redirects::{SqliteRedirects, SqliteRedirectsBuilder};
use tokio::runtime::{Builder, Runtime};

use crate::place::{Outcome, Place, key, listed, works};

fn runtime() -> Runtime {
    Builder::new_current_thread().build().expect("a runtime")
}

#[tokio::test]
async fn a_closed_index_says_so_and_closing_again_does_nothing() -> Outcome {
    let place = Place::new();
    let index = place.open().await?;
    index.write(&[key("a")], &key("target"), None).await?;
    index.close().await?;
    index.close().await?;
    let error = index.read(&key("a")).await.expect_err("closed");
    assert_eq!(error.kind(), ErrorKind::Closed);
    assert_eq!((error.operation(), error.context("key")), (Some("read"), Some("a")));
    assert_eq!(index.clear().await.expect_err("closed").kind(), ErrorKind::Closed);
    assert_eq!(index.keys().try_collect::<Vec<_>>().await.expect_err("closed").kind(), ErrorKind::Closed);
    Ok(())
}

#[tokio::test]
async fn the_last_index_to_close_leaves_no_log() -> Outcome {
    let place = Place::new();
    let (one, two) = (place.open().await?, place.open().await?);
    one.write(&[key("a")], &key("target"), None).await?;
    assert!(two.contains(&key("a")).await?);
    one.close().await?;
    assert!(place.beside("-wal").exists());
    two.close().await?;
    assert_eq!(place.names(), ["redirects.sqlite", "redirects.sqlite.lock"]);
    assert_eq!(listed(&place.open().await?).await?, [key("a")]);
    Ok(())
}

#[tokio::test]
async fn closing_waits_for_what_is_under_way() -> Outcome {
    let place = Place::new();
    let index = place.open().await?;
    let (from, target) = ([key("a")], key("target"));
    let (written, closed) = tokio::join!(index.write(&from, &target, None), index.close());
    written?;
    closed?;
    assert_eq!(listed(&place.open().await?).await?, [key("a")]);
    Ok(())
}

#[tokio::test]
async fn a_dropped_write_is_done_whole_or_not_at_all() -> Outcome {
    let place = Place::new();
    let index = place.open().await?;
    let from: Vec<_> = (0..100).map(key).collect();
    let target = key("target");
    for _ in 0..20 {
        // Polled once, and dropped.
        let _ = index.write(&from, &target, None).now_or_never();
    }
    // Writers queue in order, so that those which were begun are done by now.
    works(&index).await?;
    assert!(matches!(index.size().await?, 0 | 100));
    Ok(())
}

#[test]
fn without_a_runtime_opening_is_an_error() {
    let place = Place::new();
    let error = futures_executor::block_on(place.open()).expect_err("no runtime");
    assert_eq!(error.kind(), ErrorKind::Configuration);
}

#[test]
fn an_index_works_in_any_executor_while_a_runtime_lives() -> Outcome {
    let place = Place::new();
    let first = runtime();
    let index = first.block_on(place.open())?;
    futures_executor::block_on(works(&index))?;
    drop(first);
    runtime().block_on(works(&index))?;
    let error = futures_executor::block_on(works(&index)).expect_err("no runtime lives");
    assert_eq!(error.kind(), ErrorKind::Closed);
    futures_executor::block_on(index.close()).expect_err("no runtime lives");
    Ok(())
}

#[test]
fn an_index_is_dropped_anywhere() -> Outcome {
    let place = Place::new();
    let first = runtime();
    let index = first.block_on(place.open())?;
    first.block_on(works(&index))?;
    let listing = index.keys();
    drop(first);
    drop(index);
    drop(listing);
    runtime().block_on(async { works(&place.open().await?).await })?;
    Ok(())
}

#[test]
fn an_index_is_dropped_at_the_end_of_a_thread_and_closes_its_connections() {
    thread_local! {
        static INDEX: RefCell<Option<SqliteRedirects>> = const { RefCell::new(None) };
    }
    let place = Place::new();
    let path = place.path();
    std::thread::spawn(move || {
        // Its place is made before anything of the runtime's is, so that it is dropped after all of that.
        INDEX.set(None);
        let runtime = runtime();
        let index = runtime.block_on(SqliteRedirects::builder(path).open()).expect("opened");
        runtime.block_on(works(&index)).expect("it works");
        INDEX.set(Some(index));
    })
    .join()
    .expect("no panic");
    assert_eq!(open_files(&place), 0);
}

#[test]
fn the_wrapper_of_a_connection_panics_without_a_runtime() {
    let wrapper = runtime().block_on(async {
        let config = deadpool_sqlite::Config::new(":memory:");
        let pool = config.create_pool(deadpool_sqlite::Runtime::Tokio1).expect("a pool");
        deadpool_sqlite::Object::take(pool.get().await.expect("a connection"))
    });
    // Should this fail one day, `Held` has no more reason to be.
    std::thread::spawn(move || drop(wrapper)).join().expect_err("a panic");
}

#[test]
fn dropping_an_index_closes_its_connections_at_once_wherever_that_is() -> Outcome {
    let place = Place::new();
    let open = || -> larder_core::Result<_> {
        let runtime = runtime();
        let index = runtime.block_on(place.open())?;
        runtime.block_on(works(&index))?;
        Ok((runtime, index))
    };

    let (first, index) = open()?;
    drop(index);
    assert_eq!(open_files(&place), 0, "outside of a runtime that lives");

    let index = first.block_on(place.open())?;
    first.block_on(async { drop(index) });
    assert_eq!(open_files(&place), 0, "in a task");

    let (first, index) = open()?;
    drop(first);
    drop(index);
    assert_eq!(open_files(&place), 0, "after its runtime");

    let (first, index) = open()?;
    first.spawn(async move {
        let _index = index;
        std::future::pending::<()>().await;
    });
    drop(first);
    assert_eq!(open_files(&place), 0, "by a runtime that shuts down");
    Ok(())
}

/// How many files of `place` this process has open; none where that cannot be told.
fn open_files(place: &Place) -> usize {
    let Ok(open) = std::fs::read_dir("/proc/self/fd") else { return 0 };
    let targets = open.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
    targets.filter(|target| target.starts_with(place.directory())).count()
}

#[test]
fn a_runtime_with_one_blocking_thread_is_enough() -> Outcome {
    let place = Place::new();
    let runtime = Builder::new_current_thread().max_blocking_threads(1).build()?;
    runtime.block_on(async {
        let index = place.open().await?;
        works(&index).await?;
        place.remove();
        works(&index).await?;
        index.close().await?;
        Ok(())
    })
}

#[tokio::test]
async fn a_future_that_nobody_polls_any_more_holds_no_connection() -> Outcome {
    let place = Place::new();
    let index = SqliteRedirects::builder(place.path()).max_connections(1).open().await?;
    let mut forgotten = Vec::new();
    for _ in 0..4 {
        // Begun on a connection that works, and on one whose database is gone.
        for is_gone in [false, true] {
            if is_gone {
                place.remove();
            }
            let mut size = Box::pin(index.size());
            let _ = size.as_mut().now_or_never();
            forgotten.push(size);
            works(&index).await?;
        }
    }
    index.close().await?;
    drop(forgotten);
    assert_eq!(open_files(&place), 0);
    Ok(())
}

#[tokio::test]
async fn any_file_name_will_do() -> Outcome {
    let place = Place::new();
    let mut names = vec![
        OsString::from("a b.sqlite"),
        "redirects.sqlite?mode=ro&vfs=none#fragment".into(),
        "100%25%.sqlite".into(),
        "file:name".into(),
        ":memory:".into(),
        "\u{fc}mlaut\u{1f980}".into(),
    ];
    #[cfg(target_os = "linux")]
    names.extend([
        OsString::from("back\\slash\n\"'"),
        std::os::unix::ffi::OsStringExt::from_vec(b"not-utf-8-\xff\xfe".to_vec()),
    ]);
    for name in names {
        let path = place.directory().join(&name);
        let index = SqliteRedirects::builder(&path).open().await?;
        index.write(&[key("a")], &key("target"), None).await?;
        index.close().await?;
        assert!(std::fs::metadata(&path)?.len() > 0, "{name:?}");
        assert_eq!(listed(&SqliteRedirects::builder(&path).open().await?).await?, [key("a")], "{name:?}");
    }
    Ok(())
}

#[tokio::test]
async fn one_connection_is_enough_for_everything() -> Outcome {
    let place = Place::new();
    let index = SqliteRedirects::builder(place.path()).max_connections(1).open().await?;
    let (a, b, c) = tokio::join!(index.size(), works(&index), index.keys().try_collect::<Vec<_>>());
    a?;
    b?;
    c?;
    index.close().await?;
    Ok(())
}

#[tokio::test]
async fn every_durability_works_and_a_durable_log_is_synced() -> Outcome {
    for durability in [Durability::Relaxed, Durability::Ordered, Durability::Durable] {
        let place = Place::new();
        let index = SqliteRedirects::builder(place.path()).durability(durability).open().await?;
        works(&index).await?;
        assert!(format!("{index:?}").contains(&format!("durability: {durability:?}")));
    }
    Ok(())
}

#[tokio::test]
async fn options_out_of_range_are_refused_before_anything_is_created() {
    let place = Place::new();
    let check = async |change: fn(SqliteRedirectsBuilder) -> SqliteRedirectsBuilder| {
        let error = change(SqliteRedirects::builder(place.path())).open().await.expect_err("out of range");
        assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
    };
    check(|builder| builder.busy_timeout(Duration::ZERO)).await;
    check(|builder| builder.busy_timeout(Duration::MAX)).await;
    check(|builder| builder.max_connections(0)).await;
    check(|builder| builder.max_connections(usize::MAX)).await;
    for path in ["", "/", ".."] {
        let error = SqliteRedirects::builder(path).open().await.expect_err("no file name");
        assert_eq!(error.kind(), ErrorKind::Configuration, "{path:?}");
    }
    assert!(place.names().is_empty());
}

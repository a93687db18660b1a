//! What a runtime that shuts down leaves undone is done in the one that the index was opened in.

use std::slice;
use std::sync::mpsc::{self, Sender};

use futures_util::FutureExt;
use larder_core::RedirectIndex;
use tokio::runtime::{Builder, Runtime};

use super::{Outcome, Place, key, runtime, told, warm};

/// Returns a runtime that does nothing on a blocking thread until the sender is dropped.
fn occupied() -> (Runtime, Sender<()>) {
    let runtime = Builder::new_current_thread().max_blocking_threads(1).build().expect("a runtime");
    let (release, released) = mpsc::channel();
    runtime.spawn_blocking(move || released.recv());
    (runtime, release)
}

#[test]
fn an_index_becomes_warm_though_its_first_lookups_went_down_with_their_runtime() -> Outcome {
    let (place, home) = (Place::new(), runtime());
    let index = home.block_on(place.open())?;
    let (other, release) = occupied();
    other.block_on(async {
        for _ in 0..3 {
            assert!(index.contains(&key("a")).now_or_never().is_none());
        }
    });
    other.shutdown_background();
    drop(release);
    home.block_on(async {
        warm(&index).await?;
        assert_eq!(told(&index, &key("a")).await?, (None, true));
        Ok(())
    })
}

#[test]
fn an_index_becomes_warm_though_the_making_of_its_copy_was_dropped() -> Outcome {
    let (place, home) = (Place::new(), runtime());
    home.block_on(async {
        let index = place.open().await?;
        let mirror = index.lanes().mirror();
        let dropped = std::iter::repeat_with(|| mirror.miss()).take(3).flatten().map(drop);
        assert!(dropped.count() > 0);
        Ok::<(), Box<dyn std::error::Error>>(warm(&index).await?)
    })
}

#[test]
fn a_write_that_shares_the_queue_of_a_runtime_that_shuts_down_is_done() -> Outcome {
    let (place, home) = (Place::new(), runtime());
    let index = home.block_on(place.open())?;
    let (other, release) = occupied();
    let (a, b, target) = (key("a"), key("b"), key("target"));
    other.block_on(async {
        assert!(index.write(slice::from_ref(&a), &target, None).now_or_never().is_none());
    });
    home.block_on(async {
        let shut_down = async {
            other.shutdown_background();
            drop(release);
        };
        let (written, ()) = tokio::join!(index.write(slice::from_ref(&b), &target, None), shut_down);
        written?;
        assert!(index.contains(&a).await? && index.contains(&b).await?);
        Ok(())
    })
}

#[test]
fn a_write_in_a_runtime_that_has_shut_down_is_done() -> Outcome {
    let (place, home) = (Place::new(), runtime());
    let index = home.block_on(place.open())?;
    let other = runtime();
    let gone = other.handle().clone();
    other.shutdown_background();
    let entered = gone.enter();
    futures_executor::block_on(index.write(&[key("a")], &key("target"), None))?;
    drop(entered);
    assert!(home.block_on(index.contains(&key("a")))?);
    Ok(())
}

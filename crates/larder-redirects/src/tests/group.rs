//! Writes that share a transaction, and writes that need none.

use futures_util::FutureExt;
use futures_util::future::join_all;
use larder_core::RedirectIndex;

use super::{Outcome, Place, key, warm};

#[tokio::test]
async fn deleting_what_is_not_there_is_no_transaction_when_the_copy_is_warm() -> Outcome {
    let place = Place::new();
    let index = place.open().await?;
    index.write(&[key("a")], &key("target"), None).await?;
    warm(&index).await?;
    let batches = index.lanes().batches();
    assert!(!index.delete(&key("b")).await?);
    assert_eq!(index.bulk_delete(&[key("b"), key("c")]).await?, 0);
    assert_eq!(index.delete_targets(&[key("a")]).await?, 0);
    assert_eq!(index.lanes().batches(), batches);
    assert_eq!(index.delete_targets(&[key("b"), key("target")]).await?, 1);
    assert_eq!(index.lanes().batches(), batches + 1);
    Ok(())
}

#[tokio::test]
async fn a_delete_never_overtakes_a_write_whose_future_was_dropped() -> Outcome {
    let place = Place::new();
    let index = place.open().await?;
    warm(&index).await?;
    for n in 0..200 {
        let (from, target) = ([key(n)], key("target"));
        let _ = index.write(&from, &target, None).now_or_never();
        assert!(index.delete(&from[0]).await?);
        assert_eq!(index.read(&from[0]).await?, None);
    }
    Ok(())
}

#[tokio::test]
async fn writes_under_load_share_their_transactions() -> Outcome {
    let place = Place::new();
    let index = place.open().await?;
    let target = key("target");
    let task = |t: u32| {
        let (index, target) = (&index, &target);
        async move {
            for n in 0..50 {
                index.write(&[key(format!("{t}-{n}"))], target, None).await?;
            }
            Ok::<(), larder_core::Error>(())
        }
    };
    let before = index.lanes().batches();
    for result in join_all((0..64).map(task)).await {
        result?;
    }
    let batches = index.lanes().batches() - before;
    assert!(batches <= 64 * 50 / 8, "{batches} transactions for 3200 writes");
    assert_eq!(index.size().await?, 64 * 50);
    Ok(())
}

#[tokio::test]
async fn a_write_that_fails_among_others_fails_alone() -> Outcome {
    let place = Place::new();
    let index = place.open().await?;
    place.raw()?.execute_batch(
        "CREATE TRIGGER t BEFORE INSERT ON redirects WHEN new.key = 'bad' BEGIN SELECT RAISE(ABORT, 'bad'); END",
    )?;
    let target = key("target");
    let mut keys: Vec<_> = (0..100).map(|n| [key(n)]).collect();
    keys[57] = [key("bad")];
    let results = join_all(keys.iter().map(|from| index.write(from, &target, None))).await;
    for (n, result) in results.into_iter().enumerate() {
        assert_eq!(result.is_err(), n == 57, "{n}");
    }
    assert_eq!(index.size().await?, 99);
    Ok(())
}

#[tokio::test]
async fn each_of_a_group_is_told_what_it_has_deleted() -> Outcome {
    let place = Place::new();
    let index = place.open().await?;
    let (a, b) = (key("a"), key("b"));
    let (one, two) = ([a.clone(), b.clone()], [a.clone()]);
    let (written, deleted, again, both, none) = tokio::join!(
        index.write(&one, &b, None),
        index.delete(&a),
        index.write(&two, &b, None),
        index.delete_targets(std::slice::from_ref(&b)),
        index.bulk_delete(&one),
    );
    written?;
    again?;
    assert_eq!((deleted?, both?, none?), (true, 2, 0));
    Ok(())
}

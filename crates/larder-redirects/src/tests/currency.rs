//! Whatever is written, by whomever, the very next lookup tells it, also when the copy in memory is warm.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use larder_core::{Alias, RedirectIndex, Timestamp};

use super::{Outcome, Place, key, runtime, told, warm};
use crate::SqliteRedirects;

const CHILD: &str = "LARDER_TEST_CURRENCY_CHILD";

#[tokio::test]
async fn what_the_index_writes_itself_keeps_the_copy_warm() -> Outcome {
    let place = Place::new();
    let index = place.open().await?;
    warm(&index).await?;
    let (a, b, c) = (key("a"), key("b"), key("c"));
    assert_eq!(told(&index, &a).await?, (None, true));
    index.write(&[a.clone(), b.clone()], &c, None).await?;
    assert_eq!(told(&index, &a).await?, (Some(c.clone()), true));
    index.write(std::slice::from_ref(&b), &a, Some(Timestamp::from_millis(3))).await?;
    assert_eq!(told(&index, &b).await?, (Some(a.clone()), true));
    assert_eq!(index.read(&b).await?, Some(Alias::new(a.clone(), Some(Timestamp::from_millis(3)))));
    assert!(index.delete(&a).await?);
    assert_eq!(told(&index, &a).await?, (None, true));
    index.write(std::slice::from_ref(&a), &c, None).await?;
    assert_eq!(index.delete_targets(std::slice::from_ref(&c)).await?, 1);
    assert_eq!(told(&index, &a).await?, (None, true));
    assert_eq!(told(&index, &b).await?, (Some(a), true));
    index.clear().await?;
    assert_eq!(told(&index, &b).await?, (None, true));
    Ok(())
}

#[tokio::test]
async fn what_another_index_writes_is_told_by_the_very_next_lookup() -> Outcome {
    let place = Place::new();
    let (one, two) = (place.open().await?, place.open().await?);
    let mut told_by_the_copy = 0;
    for n in 0..1000 {
        warm(&one).await?;
        let (from, target) = (key(n % 7), key(n));
        two.write(std::slice::from_ref(&from), &target, None).await?;
        assert_eq!(told(&one, &from).await?, (Some(target), false), "the copy was not current");
        warm(&one).await?;
        two.delete(&from).await?;
        assert_eq!(told(&one, &from).await?, (None, false), "the copy was not current");
        warm(&one).await?;
        told_by_the_copy += u64::from(told(&one, &from).await?.1);
    }
    assert_eq!(told_by_the_copy, 1000);
    Ok(())
}

#[tokio::test]
async fn two_indexes_that_write_in_turn_never_tell_what_is_past() -> Outcome {
    let place = Place::new();
    let indexes = [place.open().await?, place.open().await?];
    let from = [key("from")];
    for n in 0..3000_usize {
        let (writer, reader) = (&indexes[n % 2], &indexes[(n + n / 5) % 2]);
        writer.write(&from, &key(n), None).await?;
        assert_eq!(reader.read(&from[0]).await?, Some(Alias::new(key(n), None)));
    }
    Ok(())
}

/// A child that writes or deletes what it is told to, and says when it has returned.
#[test]
#[ignore = "run in a child process by another test"]
fn child_does_what_it_is_told() -> Outcome {
    let Some(path) = std::env::var_os(CHILD) else { return Ok(()) };
    runtime().block_on(async {
        let index = SqliteRedirects::builder(path).busy_timeout(Duration::from_secs(30)).open().await?;
        for line in std::io::stdin().lines() {
            let line = line?;
            match line.split_once(' ') {
                Some((from, target)) => index.write(&[key(from)], &key(target), None).await?,
                None => drop(index.delete(&key(&line)).await?),
            }
            println!("\ndone");
        }
        Ok(())
    })
}

#[tokio::test]
async fn what_another_process_writes_is_told_by_the_very_next_lookup() -> Outcome {
    let place = Place::new();
    let index = place.open().await?;
    let mut child = Command::new(std::env::current_exe()?)
        .args(["tests::currency::child_does_what_it_is_told", "--exact", "--ignored", "--nocapture"])
        .env(CHILD, place.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut orders = child.stdin.take().expect("piped");
    let mut answers = BufReader::new(child.stdout.take().expect("piped")).lines();
    let mut order = |line: String| -> Outcome {
        writeln!(orders, "{line}")?;
        let is_done = |line: &std::io::Result<String>| line.as_ref().is_ok_and(|line| line == "done");
        answers.find(is_done).ok_or("the child has ended")??;
        Ok(())
    };
    for n in 0..1500 {
        let (from, target) = (key(n % 5), key(n));
        warm(&index).await?;
        order(format!("{from} {target}"))?;
        assert_eq!(told(&index, &from).await?, (Some(target), false), "the copy was not current");
        // Now and then this process writes in between, and with what the child did not yet taken over.
        if n % 3 == 0 {
            index.write(&[key("own")], &key(n), None).await?;
        }
        warm(&index).await?;
        assert!(told(&index, &from).await?.1);
        order(from.to_string())?;
        assert_eq!(told(&index, &from).await?, (None, false), "the copy was not current");
    }
    drop(orders);
    answers.for_each(drop);
    assert!(child.wait()?.success());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lookup_beside_writers_never_goes_back() -> Outcome {
    let place = Place::new();
    let (one, two) = (Arc::new(place.open().await?), Arc::new(place.open().await?));
    let writers = [one.clone(), two.clone()].into_iter().enumerate().map(|(w, index)| {
        tokio::spawn(async move {
            for n in 0..400_u64 {
                index.write(&[key(format!("from-{w}"))], &key(n), None).await?;
            }
            Ok::<(), larder_core::Error>(())
        })
    });
    let writers: Vec<_> = writers.collect();
    let readers = (0..4).map(|r| {
        let index = if r % 2 == 0 { one.clone() } else { two.clone() };
        let from = key(format!("from-{}", r / 2));
        tokio::spawn(async move {
            let mut last = 0;
            while last < 399 {
                if let Some(alias) = index.read(&from).await? {
                    let seen: u64 = alias.target.as_str().parse().expect("a number");
                    assert!(seen >= last, "{seen} after {last}");
                    last = seen;
                }
                tokio::task::yield_now().await;
            }
            Ok::<(), larder_core::Error>(())
        })
    });
    for task in readers.collect::<Vec<_>>().into_iter().chain(writers) {
        task.await??;
    }
    assert!(one.lanes().answered() + two.lanes().answered() > 0, "the copies were never warm");
    Ok(())
}

#[tokio::test]
async fn a_commit_of_somebody_else_between_ours_and_its_taking_over_ends_the_copy() -> Outcome {
    let place = Place::new();
    let index = place.open().await?;
    warm(&index).await?;
    let mirror = index.lanes().mirror();
    let mut other = place.raw()?;
    let identity = index.lanes().database().identity().expect("it is there");
    for is_disturbed in [false, true] {
        let transaction = other.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let expected = mirror.expect(&transaction, identity).expect("it is warm");
        transaction.execute("INSERT INTO redirects VALUES (?1, 'ours', NULL)", [is_disturbed.to_string()])?;
        transaction.commit()?;
        if is_disturbed {
            place.raw()?.execute("INSERT INTO redirects VALUES ('theirs', 'theirs', NULL)", [])?;
        }
        let from = key(is_disturbed);
        expected.adopt(&other, |rows| rows.set(from, Alias::new(key("ours"), None)));
        assert_eq!(told(&index, &key("false")).await?, (Some(key("ours")), !is_disturbed));
    }
    assert_eq!(told(&index, &key("theirs")).await?.0, Some(key("theirs")));
    Ok(())
}

#[tokio::test]
async fn a_transaction_that_fails_ends_the_copy_and_changes_nothing() -> Outcome {
    let place = Place::new();
    let index = place.open().await?;
    index.write(&[key("a")], &key("target"), None).await?;
    warm(&index).await?;
    place.raw()?.execute_batch(
        "CREATE TRIGGER t BEFORE INSERT ON redirects WHEN new.key = 'bad' BEGIN SELECT RAISE(ABORT, 'bad'); END",
    )?;
    warm(&index).await?;
    index.write(&[key("bad")], &key("other"), None).await.expect_err("refused");
    index.write(&[key("a"), key("bad"), key("c")], &key("other"), None).await.expect_err("refused");
    for _ in 0..2 {
        assert_eq!(told(&index, &key("a")).await?.0, Some(key("target")));
        assert_eq!(told(&index, &key("bad")).await?.0, None);
        assert_eq!(told(&index, &key("c")).await?.0, None);
        warm(&index).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_database_that_vanishes_or_is_replaced_takes_the_copy_along() -> Outcome {
    let (place, other) = (Place::new(), Place::new());
    let second = other.open().await?;
    second.write(&[key("b")], &key("target"), None).await?;
    second.close().await?;
    let index = place.open().await?;
    index.write(&[key("a")], &key("target"), None).await?;
    warm(&index).await?;
    place.remove()?;
    assert_eq!(told(&index, &key("a")).await?, (None, false));
    index.write(&[key("c")], &key("target"), None).await?;
    warm(&index).await?;
    assert_eq!(told(&index, &key("c")).await?, (Some(key("target")), true));
    place.remove()?;
    fs::rename(other.path(), place.path())?;
    assert_eq!(told(&index, &key("b")).await?, (Some(key("target")), false));
    assert_eq!(told(&index, &key("c")).await?.0, None);
    Ok(())
}

#[tokio::test]
async fn a_copy_that_was_given_up_during_a_change_is_not_taken_up_again_by_it() -> Outcome {
    // So that one of these ends at the data version with which a new connection begins.
    for commits in 0..4 {
        let (place, other) = (Place::new(), Place::new());
        let second = other.open().await?;
        second.write(&[key("b"), key("c")], &key("target"), None).await?;
        second.close().await?;
        let index = SqliteRedirects::builder(place.path()).max_rows_in_memory(1).open().await?;
        let mut writer = place.raw()?;
        for n in 0..commits {
            writer.execute("INSERT OR REPLACE INTO redirects VALUES ('a', ?1, NULL)", [n.to_string()])?;
        }
        warm(&index).await?;
        let mirror = index.lanes().mirror();
        let identity = index.lanes().database().identity().expect("it is there");
        let transaction = writer.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let expected = mirror.expect(&transaction, identity).expect("it is warm");
        transaction.execute("INSERT OR REPLACE INTO redirects VALUES ('a', 'target', NULL)", [])?;
        place.remove()?;
        fs::rename(other.path(), place.path())?;
        assert_eq!(told(&index, &key("b")).await?, (Some(key("target")), false));
        transaction.commit()?;
        expected.adopt(&writer, |rows| rows.set(key("a"), Alias::new(key("target"), None)));
        for _ in 0..100 {
            assert_eq!(told(&index, &key("b")).await?, (Some(key("target")), false), "{commits}");
        }
        index.delete(&key("b")).await?;
        for _ in 0..4000 {
            index.contains(&key("b")).await?;
        }
        warm(&index).await?;
        assert_eq!(told(&index, &key("c")).await?, (Some(key("target")), true));
    }
    Ok(())
}

#[tokio::test]
async fn an_index_without_an_alias_is_looked_up_in_memory_too() -> Outcome {
    let place = Place::new();
    for _ in 0..2 {
        let index = place.open().await?;
        warm(&index).await?;
        for n in 0..1000 {
            assert_eq!(told(&index, &key(n)).await?, (None, true));
        }
        index.close().await?;
    }
    Ok(())
}

#[tokio::test]
async fn more_rows_than_fit_into_memory_are_looked_up_in_the_database() -> Outcome {
    let place = Place::new();
    let index = SqliteRedirects::builder(place.path()).max_rows_in_memory(3).open().await?;
    let keys: Vec<_> = (0..4).map(key).collect();
    index.write(&keys[..3], &key("target"), None).await?;
    warm(&index).await?;
    index.write(&keys[3..], &key("target"), None).await?;
    for _ in 0..20 {
        assert_eq!(told(&index, &keys[3]).await?, (Some(key("target")), false));
    }
    index.delete(&keys[0]).await?;
    for _ in 0..2000 {
        index.contains(&keys[0]).await?;
    }
    warm(&index).await?;
    assert_eq!(told(&index, &keys[0]).await?, (None, true));

    let index = SqliteRedirects::builder(place.path()).max_rows_in_memory(0).open().await?;
    for _ in 0..20 {
        assert_eq!(told(&index, &keys[3]).await?, (Some(key("target")), false));
    }
    Ok(())
}

#[tokio::test]
async fn a_large_write_is_told_rightly_though_the_copy_does_not_follow_it() -> Outcome {
    let place = Place::new();
    let index = place.open().await?;
    for count in [1000, 1025, 9000, 20_000] {
        warm(&index).await?;
        let keys: Vec<_> = (0..count).map(|n| key(format!("{count}-{n}"))).collect();
        index.write(&keys, &key("target"), None).await?;
        assert_eq!(told(&index, &keys[count - 1]).await?.0, Some(key("target")), "{count}");
        for _ in 0..2000 {
            index.contains(&keys[0]).await?;
        }
        warm(&index).await?;
        assert_eq!(told(&index, &keys[count - 1]).await?, (Some(key("target")), true), "{count}");
        assert_eq!(index.bulk_delete(&keys).await?, u64::try_from(count)?);
        assert_eq!(told(&index, &keys[0]).await?.0, None, "{count}");
    }
    Ok(())
}

//! What is deleted is gone, counted once, and nothing else is.

use larder_core::Timestamp;

use crate::case::Setup;
use crate::failure::{Verdict, equal};
use crate::samples::{Index, NOW, at, key, many_keys};

/// Makes an alias of each name, of the target beside it.
async fn fill(index: &Index, aliases: &[(&str, &str)]) -> Verdict {
    for (from, target) in aliases {
        index.write(&[key(from)], &key(target), None).await?;
    }
    Ok(())
}

/// Fails unless exactly `names` are left of the aliases a to f.
async fn left(index: &Index, names: &str, contract: &str) -> Verdict {
    let mut seen = String::new();
    for name in ["a", "b", "c", "d", "e", "f"] {
        if index.read(&key(name)).await?.is_some() {
            seen.push_str(name);
        }
    }
    equal(seen.as_str(), names, contract)
}

pub(crate) async fn delete_says_whether_there_was_an_alias(setup: &Setup) -> Verdict {
    let index = setup.index().await?;
    let contract = "delete returns whether there was an alias";
    equal(index.delete(&key("a")).await?, false, contract)?;
    fill(&index, &[("a", "t")]).await?;
    equal(index.delete(&key("a")).await?, true, contract)?;
    equal(index.delete(&key("a")).await?, false, contract)
}

pub(crate) async fn a_deleted_alias_is_gone_alone(setup: &Setup) -> Verdict {
    let index = setup.index().await?;
    fill(&index, &[("a", "t"), ("b", "t"), ("c", "a")]).await?;
    index.delete(&key("a")).await?;
    left(&index, "bc", "delete deletes the alias of its key, and no other").await?;
    index.delete(&key("t")).await?;
    left(&index, "bc", "delete of a target's key does not touch the aliases of the target").await
}

pub(crate) async fn bulk_delete_deletes_the_named_aliases(setup: &Setup) -> Verdict {
    let index = setup.index().await?;
    fill(&index, &[("a", "t"), ("b", "t"), ("c", "t"), ("d", "u")]).await?;
    let deleted = index.bulk_delete(&[key("x"), key("a"), key("y"), key("d")]).await?;
    equal(deleted, 2, "bulk_delete returns how many aliases there were")?;
    left(&index, "bc", "bulk_delete deletes the aliases that it is given, and no others").await
}

pub(crate) async fn bulk_delete_counts_an_alias_named_twice_once(setup: &Setup) -> Verdict {
    let index = setup.index().await?;
    fill(&index, &[("a", "t"), ("b", "t")]).await?;
    let deleted = index.bulk_delete(&[key("a"), key("b"), key("a")]).await?;
    equal(deleted, 2, "bulk_delete returns how many aliases there were")
}

pub(crate) async fn bulk_operations_on_nothing_do_nothing(setup: &Setup) -> Verdict {
    let index = setup.index().await?;
    fill(&index, &[("a", "t")]).await?;
    equal(index.bulk_delete(&[]).await?, 0, "no keys are no aliases")?;
    equal(index.delete_targets(&[]).await?, 0, "no targets have no aliases")?;
    left(&index, "a", "an operation on nothing changes nothing").await
}

pub(crate) async fn delete_targets_deletes_every_alias_of_each(setup: &Setup) -> Verdict {
    let index = setup.index().await?;
    fill(&index, &[("a", "t"), ("b", "t"), ("c", "u"), ("d", "v"), ("e", "w")]).await?;
    let deleted = index.delete_targets(&[key("t"), key("v"), key("none")]).await?;
    equal(deleted, 3, "delete_targets returns how many aliases there were")?;
    left(&index, "ce", "delete_targets deletes every alias of each target, and no other").await
}

pub(crate) async fn delete_targets_counts_an_alias_once(setup: &Setup) -> Verdict {
    let index = setup.index().await?;
    fill(&index, &[("a", "t"), ("b", "t")]).await?;
    let deleted = index.delete_targets(&[key("t"), key("t")]).await?;
    equal(deleted, 2, "delete_targets returns how many aliases there were")
}

pub(crate) async fn delete_targets_is_not_about_the_aliases_own_keys(setup: &Setup) -> Verdict {
    let index = setup.index().await?;
    fill(&index, &[("a", "t"), ("b", "a")]).await?;
    equal(index.delete_targets(&[key("a")]).await?, 1, "delete_targets deletes the aliases of its targets")?;
    left(&index, "a", "delete_targets does not delete the alias whose own key it is given").await
}

pub(crate) async fn delete_targets_forgets_a_former_target(setup: &Setup) -> Verdict {
    let index = setup.index().await?;
    fill(&index, &[("a", "old"), ("b", "old"), ("a", "new")]).await?;
    equal(index.delete_targets(&[key("old")]).await?, 1, "an alias is of the target last written")?;
    left(&index, "a", "an alias is of the target last written").await
}

pub(crate) async fn a_hundred_thousand_keys_are_deleted_at_once(setup: &Setup) -> Verdict {
    let index = setup.index().await?;
    let many = many_keys();
    fill(&index, &[("a", "t"), ("b", "u")]).await?;
    let last = &many[many.len() - 1];
    let scattered: Vec<_> = many.iter().skip(1).step_by(100).cloned().collect();
    index.write(&scattered[..600], last, None).await?;
    index.write(&scattered[600..], &key("t"), None).await?;
    equal(index.delete_targets(many).await?, 600, "delete_targets takes any number of targets")?;
    equal(index.bulk_delete(many).await?, 400, "bulk_delete takes any number of keys")?;
    equal(index.size().await?, 2, "what was not named is still there")
}

pub(crate) async fn delete_expired_deletes_what_ends_now_or_before(setup: &Setup) -> Verdict {
    let index = setup.index().await?;
    let first = Timestamp::from_millis(i64::MIN);
    let ends = [("a", Some(at(-1))), ("b", Some(NOW)), ("c", Some(at(1))), ("d", None), ("e", Some(first))];
    for (from, end) in ends {
        index.write(&[key(from)], &key("t"), end).await?;
    }
    equal(index.delete_expired(NOW).await?, 3, "delete_expired returns how many aliases it deleted")?;
    left(&index, "cd", "delete_expired deletes the aliases with expires_at <= now, and no others").await?;
    equal(index.delete_expired(Timestamp::MAX).await?, 1, "an alias without expiry never ends")?;
    left(&index, "d", "an alias without expiry never ends").await
}

pub(crate) async fn the_expiry_of_the_latest_write_counts(setup: &Setup) -> Verdict {
    let index = setup.index().await?;
    for (from, ends) in [("a", [at(-1), at(1)]), ("b", [at(1), at(-1)])] {
        for end in ends {
            index.write(&[key(from)], &key("t"), Some(end)).await?;
        }
    }
    equal(index.delete_expired(NOW).await?, 1, "an alias ends when the last write says")?;
    left(&index, "a", "an alias ends when the last write says").await
}

pub(crate) async fn clear_deletes_every_alias(setup: &Setup) -> Verdict {
    let index = setup.index().await?;
    index.clear().await?;
    for _ in 0..2 {
        fill(&index, &[("a", "t"), ("b", "u")]).await?;
        index.clear().await?;
        left(&index, "", "clear deletes every alias").await?;
        equal(index.size().await?, 0, "a cleared index is empty")?;
    }
    fill(&index, &[("f", "t")]).await?;
    left(&index, "f", "a cleared index can be written").await
}

pub(crate) async fn closing_twice_is_closing_once(setup: &Setup) -> Verdict {
    let index = setup.index().await?;
    fill(&index, &[("a", "t")]).await?;
    index.close().await?;
    index.close().await?;
    // What is asked of a closed index may fail, but it ends.
    let _ = index.read(&key("a")).await;
    let _ = index.write(&[key("b")], &key("t"), None).await;
    Ok(index.close().await?)
}

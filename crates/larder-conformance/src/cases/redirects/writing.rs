//! Aliases are kept as they were written, one hop each.

use larder_core::{CacheKey, Timestamp};

use crate::case::Setup;
use crate::failure::{Verdict, equal};
use crate::samples::{at, key, keys, many_keys, target};

/// An alias of `key` that never ends, as [`target`] returns it.
fn never(key: &str) -> (String, Option<Timestamp>) {
    (key.to_owned(), None)
}

pub(crate) async fn what_was_never_written_is_no_alias(setup: &Setup) -> Verdict {
    let index = setup.index().await?;
    index.write(&[key("other")], &key("t"), None).await?;
    equal(target(&index, "a").await?, None, "a miss is Ok(None)")
}

pub(crate) async fn an_alias_leads_to_its_target(setup: &Setup) -> Verdict {
    let index = setup.index().await?;
    index.write(&[key("a")], &key("t"), None).await?;
    index.write(&[key("b")], &key("u"), None).await?;
    equal(target(&index, "a").await?, Some(never("t")), "read returns the target that was written")?;
    equal(target(&index, "b").await?, Some(never("u")), "read returns the target that was written")
}

pub(crate) async fn one_write_makes_many_aliases(setup: &Setup) -> Verdict {
    let index = setup.index().await?;
    let from = keys("a", 20);
    index.write(&from, &key("t"), Some(at(5))).await?;
    for from in &from {
        let seen = target(&index, from.as_str()).await?;
        equal(seen, Some(("t".into(), Some(at(5)))), "write makes every key an alias of the target")?;
    }
    equal(index.size().await?, 20, "write makes every key an alias of the target")
}

pub(crate) async fn a_write_takes_the_place_of_what_the_alias_was(setup: &Setup) -> Verdict {
    let index = setup.index().await?;
    index.write(&[key("a"), key("b")], &key("old"), Some(at(5))).await?;
    index.write(&[key("a"), key("c")], &key("new"), None).await?;
    let contract = "write replaces target and expiry of the keys that it names";
    equal(target(&index, "a").await?, Some(never("new")), contract)?;
    equal(target(&index, "c").await?, Some(never("new")), contract)?;
    equal(
        target(&index, "b").await?,
        Some(("old".into(), Some(at(5)))),
        "write does not touch another alias",
    )?;
    equal(index.size().await?, 3, "a replaced alias is one alias")
}

pub(crate) async fn a_key_named_twice_is_one_alias(setup: &Setup) -> Verdict {
    let index = setup.index().await?;
    index.write(&[key("a"), key("b"), key("a")], &key("t"), None).await?;
    equal(target(&index, "a").await?, Some(never("t")), "a key that is named twice is an alias")?;
    equal(index.size().await?, 2, "a key that is named twice is one alias")
}

pub(crate) async fn a_write_of_no_keys_writes_nothing(setup: &Setup) -> Verdict {
    let index = setup.index().await?;
    index.write(&[], &key("t"), None).await?;
    equal(index.size().await?, 0, "no keys are no aliases")
}

pub(crate) async fn a_chain_is_not_followed(setup: &Setup) -> Verdict {
    let index = setup.index().await?;
    index.write(&[key("b")], &key("c"), None).await?;
    index.write(&[key("a")], &key("b"), None).await?;
    index.write(&[key("c")], &key("a"), None).await?;
    for (from, to) in [("a", "b"), ("b", "c"), ("c", "a")] {
        equal(
            target(&index, from).await?,
            Some(never(to)),
            "what an alias leads to is never looked up as an alias",
        )?;
    }
    Ok(())
}

pub(crate) async fn expiries_are_kept_to_the_millisecond(setup: &Setup) -> Verdict {
    let index = setup.index().await?;
    let ends = [None, Some(0), Some(-1), Some(1_700_000_000_123), Some(i64::MIN), Some(i64::MAX)];
    for (from, end) in keys("a", ends.len()).iter().zip(ends) {
        let end = end.map(Timestamp::from_millis);
        index.write(std::slice::from_ref(from), &key("t"), end).await?;
        let seen = index.read(from).await?.map(|alias| alias.expires_at);
        equal(seen, Some(end), "an alias keeps when it ends")?;
    }
    Ok(())
}

pub(crate) async fn an_ended_alias_is_there_until_it_is_deleted(setup: &Setup) -> Verdict {
    let index = setup.index().await?;
    let ended = Some(Timestamp::from_millis(1));
    index.write(&[key("a")], &key("t"), ended).await?;
    let contract = "no operation but delete_expired looks at an alias's expiry";
    equal(target(&index, "a").await?, Some(("t".into(), ended)), contract)?;
    equal(index.contains(&key("a")).await?, true, contract)?;
    equal(index.size().await?, 1, contract)
}

pub(crate) async fn contains_says_whether_a_key_is_an_alias(setup: &Setup) -> Verdict {
    let index = setup.index().await?;
    let contract = "contains returns whether the key is an alias";
    equal(index.contains(&key("a")).await?, false, contract)?;
    index.write(&[key("a")], &key("t"), None).await?;
    equal(index.contains(&key("a")).await?, true, contract)?;
    equal(index.contains(&key("t")).await?, false, "a target is not an alias")?;
    index.delete(&key("a")).await?;
    equal(index.contains(&key("a")).await?, false, contract)
}

pub(crate) async fn alias_keys_are_compared_byte_by_byte(setup: &Setup) -> Verdict {
    let index = setup.index().await?;
    let longest = "L".repeat(CacheKey::MAX_LEN);
    let names = ["a", "A", "a.", "a-", "a_", "aa", &longest];
    for (name, target) in names.iter().zip(keys("T", names.len())) {
        index.write(&[key(name)], &target, None).await?;
    }
    for (i, name) in names.iter().enumerate() {
        equal(
            target(&index, name).await?,
            Some(never(&format!("T{i}"))),
            "an alias is of its own key alone",
        )?;
    }
    let target_of_128 = "M".repeat(CacheKey::MAX_LEN);
    index.write(&[key("to-longest")], &key(&target_of_128), None).await?;
    equal(target(&index, "to-longest").await?, Some(never(&target_of_128)), "any valid key is a target")?;
    equal(index.delete_targets(&[key("t0")]).await?, 0, "targets are compared byte by byte")
}

pub(crate) async fn a_hundred_thousand_aliases_are_written_at_once(setup: &Setup) -> Verdict {
    let index = setup.index().await?;
    let (many, contract) = (many_keys(), "write takes any number of keys");
    index.write(many, &key("t"), None).await?;
    equal(index.size().await?, many.len() as u64, contract)?;
    for from in many.iter().step_by(9_973) {
        equal(target(&index, from.as_str()).await?, Some(never("t")), contract)?;
    }
    equal(index.delete_targets(&[key("t")]).await?, many.len() as u64, "delete_targets counts every alias")
}

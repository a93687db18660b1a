//! Two instances of an index are one index.

use std::sync::Arc;

use crate::case::Setup;
use crate::cases::concurrency::entries::all;
use crate::failure::{Verdict, equal};
use crate::samples::{NOW, key, keys, target};

pub(crate) async fn an_instance_sees_the_others_aliases(setup: &Setup) -> Verdict {
    let (one, two) = (setup.index().await?, setup.index().await?);
    let contract = "a write is seen by every instance once it returned";
    equal(target(&two, "a").await?, None, contract)?;
    one.write(&[key("a"), key("b")], &key("t"), Some(NOW)).await?;
    for index in [&one, &two] {
        equal(target(index, "a").await?, Some(("t".into(), Some(NOW))), contract)?;
    }
    two.write(&[key("a")], &key("u"), None).await?;
    equal(target(&one, "a").await?, Some(("u".into(), None)), contract)?;
    equal(one.size().await?, 2, contract)
}

pub(crate) async fn an_instance_sees_the_others_alias_deletes(setup: &Setup) -> Verdict {
    let (one, two) = (setup.index().await?, setup.index().await?);
    one.write(&keys("a", 4), &key("t"), None).await?;
    one.write(&keys("b", 4), &key("u"), Some(NOW)).await?;
    one.write(&keys("c", 4), &key("v"), None).await?;
    let (deletes, contract) =
        ("an instance deletes what another one wrote", "a delete is seen by every instance");
    equal(target(&one, "a0").await?, Some(("t".into(), None)), "a write is seen by its own instance")?;
    equal(two.delete(&key("a0")).await?, true, deletes)?;
    equal(target(&one, "a0").await?, None, contract)?;
    equal(two.bulk_delete(&keys("a", 2)).await?, 1, deletes)?;
    equal(one.size().await?, 10, contract)?;
    equal(two.delete_targets(&[key("t")]).await?, 2, deletes)?;
    equal(two.delete_expired(NOW).await?, 4, deletes)?;
    equal(one.size().await?, 4, contract)?;
    two.clear().await?;
    equal(one.size().await?, 0, "a clear is seen by every instance once it returned")
}

pub(crate) async fn writes_of_two_instances_are_all_kept(setup: &Setup) -> Verdict {
    let indexes = [setup.index().await?, setup.index().await?];
    let tasks = (0..4).map(|task| {
        let index = Arc::clone(&indexes[task % 2]);
        tokio::spawn(async move {
            for from in keys(&format!("t{task}-"), 25) {
                index.write(&[from], &key("t"), None).await?;
            }
            Ok(())
        })
    });
    all(tasks.collect()).await?;
    equal(indexes[0].size().await?, 100, "no write of one instance loses another's")?;
    equal(indexes[1].size().await?, 100, "no write of one instance loses another's")
}

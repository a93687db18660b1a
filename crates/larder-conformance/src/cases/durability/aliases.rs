//! Aliases outlive the instance that wrote them.

use crate::case::Setup;
use crate::failure::{Verdict, equal};
use crate::samples::{NOW, at, key, target};

pub(crate) async fn aliases_outlive_a_close(setup: &Setup) -> Verdict {
    let index = setup.index().await?;
    index.write(&[key("a"), key("b")], &key("t"), Some(at(7))).await?;
    index.write(&[key("b"), key("c")], &key("u"), None).await?;
    index.close().await?;
    drop(index);
    let index = setup.index().await?;
    let contract = "an alias is there, with target and expiry, when the place is opened again";
    equal(target(&index, "a").await?, Some(("t".into(), Some(at(7)))), contract)?;
    equal(target(&index, "b").await?, Some(("u".into(), None)), contract)?;
    equal(index.size().await?, 3, contract)?;
    equal(index.delete_targets(&[key("u")]).await?, 2, "the aliases of a target are still known")
}

pub(crate) async fn aliases_outlive_a_drop(setup: &Setup) -> Verdict {
    let index = setup.index().await?;
    index.write(&[key("a")], &key("t"), None).await?;
    drop(index);
    let index = setup.index().await?;
    let contract = "what a write that returned has stored needs no close";
    equal(target(&index, "a").await?, Some(("t".into(), None)), contract)
}

pub(crate) async fn alias_deletes_outlive_a_close(setup: &Setup) -> Verdict {
    let contract = "what was deleted does not come back";
    for operation in ["delete", "bulk_delete", "delete_targets", "delete_expired", "clear"] {
        let index = setup.index().await?;
        index.write(&[key("a")], &key("t"), Some(NOW)).await?;
        match operation {
            "delete" => index.delete(&key("a")).await.map(drop)?,
            "bulk_delete" => index.bulk_delete(&[key("a")]).await.map(drop)?,
            "delete_targets" => index.delete_targets(&[key("t")]).await.map(drop)?,
            "delete_expired" => index.delete_expired(NOW).await.map(drop)?,
            _ => index.clear().await?,
        }
        index.close().await?;
        drop(index);
        let index = setup.index().await?;
        equal(target(&index, "a").await?, None, contract).map_err(|failure| failure.with(operation))?;
        index.close().await?;
    }
    Ok(())
}

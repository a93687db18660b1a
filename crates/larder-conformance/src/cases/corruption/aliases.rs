//! A broken index is an empty one.

use crate::case::Setup;
use crate::failure::{Failure, Verdict, equal};
use crate::samples::{key, target};

pub(crate) async fn a_broken_index_is_an_empty_one(setup: &Setup) -> Verdict {
    let index = setup.index().await?;
    index.write(&[key("a"), key("b")], &key("t"), None).await?;
    index.close().await?;
    drop(index);
    setup.fixture.damage_index().await.map_err(Failure::fixture)?;

    let index = setup.index().await?;
    let contract = "a broken index is an empty one";
    equal(target(&index, "a").await?, None, contract)?;
    equal(index.size().await?, 0, contract)?;
    index.write(&[key("b")], &key("u"), None).await?;
    let works = "the next write to a broken index works again";
    equal(target(&index, "b").await?, Some(("u".into(), None)), works)?;
    equal(target(&index, "a").await?, None, contract)?;
    index.close().await?;
    drop(index);
    let index = setup.index().await?;
    equal(target(&index, "b").await?, Some(("u".into(), None)), "what was written then is kept")
}

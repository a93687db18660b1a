//! No alias is lost or half written.

use std::sync::Arc;

use crate::case::Setup;
use crate::cases::concurrency::entries::all;
use crate::failure::{Failure, Verdict, ensure, equal};
use crate::samples::{at, key, keys, target};

pub(crate) async fn writes_of_different_aliases_are_all_kept(setup: &Setup) -> Verdict {
    let index = setup.index().await?;
    let tasks = (0..8).map(|task| {
        let index = Arc::clone(&index);
        tokio::spawn(async move {
            for from in keys(&format!("t{task}-"), 20) {
                index.write(&[from], &key(&format!("target{task}")), None).await?;
            }
            Ok(())
        })
    });
    all(tasks.collect()).await?;
    for task in 0..8 {
        for from in keys(&format!("t{task}-"), 20) {
            let seen = target(&index, from.as_str()).await?;
            equal(seen, Some((format!("target{task}"), None)), "no write of one alias loses another")?;
        }
    }
    equal(index.size().await?, 160, "no write of one alias loses another")
}

pub(crate) async fn readers_see_an_alias_of_one_write(setup: &Setup) -> Verdict {
    let index = setup.index().await?;
    index.write(&[key("a")], &key("t0"), Some(at(0))).await?;
    let writers = (0..3).map(|task| {
        let index = Arc::clone(&index);
        tokio::spawn(async move {
            for round in 0..20 {
                let n = task * 100 + round;
                index.write(&[key("a")], &key(&format!("t{n}")), Some(at(n))).await?;
            }
            Ok(())
        })
    });
    let readers = (0..2).map(|_| {
        let index = Arc::clone(&index);
        tokio::spawn(async move {
            for _ in 0..60 {
                let contract = "a reader sees the target and the expiry that one write stored";
                let (target, end) =
                    target(&index, "a").await?.ok_or_else(|| Failure::new(contract, "no alias"))?;
                let one =
                    end.is_some_and(|end| format!("t{}", end.saturating_since(at(0)).as_millis()) == target);
                ensure(one, contract, format_args!("{target} until {end:?}"))?;
            }
            Ok(())
        })
    });
    all(writers.chain(readers).collect()).await?;
    equal(index.size().await?, 1, "racing writes of one alias leave one alias")
}

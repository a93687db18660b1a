//! Any history of two indexes on one file, against a model.

use std::collections::BTreeMap;

use larder_core::{Alias, CacheKey, RedirectIndex, Timestamp};
use proptest::prelude::*;

use super::{Place, key, runtime, warm};

/// What one step of a history does, by which of two indexes.
#[derive(Debug, Clone)]
enum Step {
    Write(Vec<u8>, u8, Option<i64>),
    Delete(u8),
    DeleteTargets(Vec<u8>),
    DeleteExpired(i64),
    Clear,
    Warm,
}

fn step() -> impl Strategy<Value = Step> {
    let keys = || proptest::collection::vec(0..6_u8, 1..4);
    prop_oneof![
        4 => (keys(), 0..4_u8, proptest::option::of(0..9_i64)).prop_map(|(from, to, at)| Step::Write(from, to, at)),
        2 => (0..6_u8).prop_map(Step::Delete),
        2 => proptest::collection::vec(0..4_u8, 1..3).prop_map(Step::DeleteTargets),
        1 => (0..9_i64).prop_map(Step::DeleteExpired),
        1 => Just(Step::Clear),
        3 => Just(Step::Warm),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn whatever_two_indexes_do_in_turn_both_tell_the_same(steps in proptest::collection::vec((any::<bool>(), step()), 1..25)) {
        runtime().block_on(async {
            let place = Place::new();
            let indexes = [place.open().await?, place.open().await?];
            let mut model: BTreeMap<CacheKey, Alias> = BTreeMap::new();
            let keys = |numbers: &[u8]| numbers.iter().map(key).collect::<Vec<_>>();
            for (second, step) in steps {
                let index = &indexes[usize::from(second)];
                match step {
                    Step::Write(from, to, at) => {
                        let alias = Alias::new(key(to), at.map(Timestamp::from_millis));
                        index.write(&keys(&from), &alias.target, alias.expires_at).await?;
                        model.extend(keys(&from).into_iter().map(|from| (from, alias.clone())));
                    }
                    Step::Delete(from) => {
                        assert_eq!(index.delete(&key(from)).await?, model.remove(&key(from)).is_some());
                    }
                    Step::DeleteTargets(targets) => {
                        let (targets, before) = (keys(&targets), model.len());
                        model.retain(|_, alias| !targets.contains(&alias.target));
                        assert_eq!(index.delete_targets(&targets).await?, (before - model.len()) as u64);
                    }
                    Step::DeleteExpired(at) => {
                        let before = model.len();
                        model.retain(|_, alias| !alias.is_expired(Timestamp::from_millis(at)));
                        let deleted = index.delete_expired(Timestamp::from_millis(at)).await?;
                        assert_eq!(deleted, (before - model.len()) as u64);
                    }
                    Step::Clear => {
                        index.clear().await?;
                        model.clear();
                    }
                    Step::Warm => warm(index).await?,
                }
                for index in &indexes {
                    for from in 0..6_u8 {
                        assert_eq!(index.read(&key(from)).await?.as_ref(), model.get(&key(from)));
                    }
                }
            }
            Ok::<(), larder_core::Error>(())
        }).expect("no operation fails");
    }
}

//! Warm hits: whole bodies that are in the page cache.

use std::sync::Arc;

use larder_core::BoxError;

use super::tasks_shown;
#[cfg(feature = "peers")]
use crate::PythonOperation;
use crate::driver::row::{Goal, LIMIT, Row};
use crate::driver::stage::{Stage, TASKS, keys, reading};
use crate::{Limit, SIZES};

/// How many bytes there are of each size, roughly: more than the processor keeps, less than the page cache.
const BYTES: usize = 64 << 20;

/// Measures the group.
///
/// # Errors
///
/// When the contenders cannot be opened or emptied.
pub(crate) fn run(stage: &mut Stage) -> Result<(), BoxError> {
    let contenders = stage.contenders()?;
    for size in SIZES {
        let entries = (BYTES / size.bytes).clamp(8, 1_000);
        let mut all = contenders.all.clone();
        all.insert(1, Arc::new(Limit::within(stage.directory())?.with_new_buffers()));
        let (filled, failed) = stage.fill(&all, size.bytes, entries);
        let keys = keys(entries);
        for tasks in TASKS {
            let table = format!("read, {}", tasks_shown(tasks));
            let lanes = filled.iter().map(|contender| reading(contender, tasks, &keys, size.bytes));
            #[cfg(feature = "peers")]
            let lanes = lanes.chain(stage.python(tasks, move |python, count| {
                python.measure(PythonOperation::Read, size.bytes, count)
            }));
            // A round of large bodies by many tasks is one of each.
            let plan = stage.plan().most_operations(100_000.min(BYTES * 100 / size.bytes));
            let mut lanes =
                stage.measure(&plan, &format!("{table}, {}", size.name), &lanes.collect::<Vec<_>>());
            lanes.extend(failed.iter().cloned());
            let row = Row::new("read", table, size.name, lanes).at(size.bytes);
            stage.rows.push(row.goals(goals(size.bytes, tasks)));
        }
        stage.empty(&filled, entries)?;
    }
    Ok(())
}

fn goals(bytes: usize, tasks: usize) -> Vec<Goal> {
    match (bytes, tasks) {
        (..=10_240, 1) => vec![
            Goal::Times { of: LIMIT, most: 1.6 },
            Goal::Faster { than: "cacache", least: 10.0 },
            Goal::Faster { than: "http-cache, cacache", least: 10.0 },
            Goal::Faster { than: "http-cache, redb", least: 1.0 },
            Goal::Faster { than: "http-cache, moka", least: 1.0 },
        ],
        (..=10_240, _) => vec![
            Goal::Times { of: LIMIT, most: 1.5 },
            Goal::Faster { than: "cacache", least: 5.0 },
            Goal::FasterThanPeersOnDisk,
        ],
        (1_048_576.., 1) => vec![Goal::Times { of: LIMIT, most: 1.4 }],
        _ => Vec::new(),
    }
}

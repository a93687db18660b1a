//! Hits that this process answers from its own memory.

use std::sync::Arc;

use larder_core::BoxError;
use larder_memory::MemoryStore;

use super::tasks_shown;
use crate::driver::row::{Goal, Row};
use crate::driver::stage::{Stage, TASKS, keys, reading};
use crate::larder::{Larder, MEMORY_TERMS};
use crate::{Contender, SIZES};

/// How many entries there are.
const ENTRIES: usize = 256;
/// The lane that the goals are about.
const TIER: &str = "larder, memory tier";

/// Measures the group.
///
/// # Errors
///
/// When the contenders cannot be opened or emptied.
pub(crate) fn run(stage: &mut Stage) -> Result<(), BoxError> {
    let contenders = stage.contenders()?;
    let store = Larder::new("larder, memory store", MEMORY_TERMS, Arc::new(MemoryStore::new()));
    let mut all: Vec<Arc<dyn Contender>> = vec![Arc::new(store)];
    all.extend(contenders.all.iter().filter(|contender| contender.terms().in_memory).cloned());
    let keys = keys(ENTRIES);
    for size in SIZES.into_iter().filter(|size| size.bytes <= 1 << 20) {
        let (filled, failed) = stage.fill(&all, size.bytes, ENTRIES);
        for tasks in TASKS {
            let table = format!("hit in memory, {}", tasks_shown(tasks));
            let lanes = filled.iter().map(|contender| reading(contender, tasks, &keys, size.bytes));
            let mut lanes =
                stage.measure(&stage.plan(), &format!("{table}, {}", size.name), &lanes.collect::<Vec<_>>());
            lanes.extend(failed.iter().cloned());
            let goals = if size.bytes == 10 << 10 && tasks == 1 {
                vec![Goal::Most(1_000.0), Goal::Times { of: "foyer hybrid, memory hit", most: 2.0 }]
            } else {
                Vec::new()
            };
            let row = Row::new("memory", table, size.name, lanes).at(size.bytes);
            stage.rows.push(row.subject(TIER).goals(goals));
        }
        stage.empty(&filled, ENTRIES)?;
    }
    Ok(())
}

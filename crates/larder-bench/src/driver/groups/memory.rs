//! Hits that this process answers from its own memory.

use std::path::Path;
use std::sync::Arc;

use larder_core::BoxError;
use larder_file::FileStore;
use larder_memory::MemoryStore;
use larder_tier::MemoryTier;

use super::tasks_shown;
use crate::driver::row::{Goal, Row};
use crate::driver::stage::{Stage, TASKS, keys, reading};
use crate::larder::{FILE_TERMS, Larder, MEMORY_TERMS};
use crate::{Contender, SIZES, Terms};

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
    let directory = stage.own()?;
    let store = Larder::new("larder, memory store", MEMORY_TERMS, Arc::new(MemoryStore::new()));
    let tier = stage.runtime.block_on(tier(directory.path()))?;
    let mut all: Vec<Arc<dyn Contender>> = vec![Arc::new(store), Arc::new(tier)];
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

/// Returns a tier in front of the file store, with room for all that is measured.
///
/// It looks for changes by other processes after its default time, as it would in use.
async fn tier(directory: &Path) -> Result<Larder, BoxError> {
    let codecs = larder_codec::default_codecs();
    let store = FileStore::builder(directory.join("cache"), codecs).open().await?;
    let tier = MemoryTier::builder(Arc::new(store)).max_bytes(1 << 30).max_entry_bytes(2 << 20).build()?;
    Ok(Larder::new(TIER, Terms { in_memory: true, ..FILE_TERMS }, Arc::new(tier)))
}

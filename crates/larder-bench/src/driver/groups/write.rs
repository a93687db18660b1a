//! Writing entries that are not there, and replacing those that are.

use std::sync::Arc;

use larder_core::BoxError;

use super::tasks_shown;
#[cfg(feature = "peers")]
use crate::PythonOperation;
use crate::driver::measure::{Lane, Measured};
use crate::driver::row::{Goal, LIMIT, Row};
use crate::driver::stage::{Contenders, Stage, TASKS, keys};
use crate::driver::written::{writing, writing_new};
use crate::{Contender, Limit, SIZES, Size};

/// How many entries are replaced in turn at most, and how many bytes they are at most.
const REPLACED: usize = 256;
const REPLACED_BYTES: usize = 64 << 20;
/// How many entries a round makes at most; they are deleted after it.
const MOST: usize = 4_096;
/// How many bytes a round makes at most.
const MOST_BYTES: usize = 256 << 20;

/// Measures the group.
///
/// # Errors
///
/// When the contenders cannot be opened or emptied.
pub(crate) fn run(stage: &mut Stage) -> Result<(), BoxError> {
    let contenders = stage.contenders()?;
    for size in SIZES {
        new(stage, &contenders, size)?;
        replace(stage, &contenders, size)?;
    }
    Ok(())
}

fn new(stage: &mut Stage, contenders: &Contenders, size: Size) -> Result<(), BoxError> {
    // Whoever loses a byte is not measured.
    let (checked, failed) = stage.fill(&contenders.all, size.bytes, replaced(size));
    stage.empty(&checked, replaced(size))?;
    let keys = keys(MOST);
    for tasks in tasks(size) {
        let lanes = checked.iter().map(|contender| writing_new(contender, tasks, &keys, size.bytes));
        #[cfg(feature = "peers")]
        let lanes =
            lanes.chain(stage.python(tasks, move |python, count| {
                python.measure(PythonOperation::Write, size.bytes, count)
            }));
        let row = row(stage, "write new", tasks, size, &lanes.collect::<Vec<_>>(), &failed);
        let goals = if size.bytes == 10 << 10 && tasks > 1 {
            vec![Goal::Times { of: LIMIT, most: 1.5 }, Goal::FasterThanPeersAsSafe]
        } else {
            Vec::new()
        };
        stage.rows.push(row.goals(goals));
    }
    Ok(())
}

fn replace(stage: &mut Stage, contenders: &Contenders, size: Size) -> Result<(), BoxError> {
    let (filled, failed) = stage.fill(&contenders.all, size.bytes, replaced(size));
    let keys = keys(replaced(size));
    let renamed: Arc<dyn Contender> = Arc::new(Limit::within(stage.directory())?.renaming());
    for tasks in tasks(size) {
        let lanes = filled.iter().map(|contender| writing(contender, tasks, &keys, size.bytes));
        let lanes = lanes.chain(
            (tasks == 1)
                .then(|| writing(&renamed, tasks, &keys, size.bytes).named("limit, temporary and rename")),
        );
        #[cfg(feature = "peers")]
        let lanes =
            lanes.chain(stage.python(tasks, move |python, count| {
                python.measure(PythonOperation::Replace, size.bytes, count)
            }));
        let row = row(stage, "replace", tasks, size, &lanes.collect::<Vec<_>>(), &failed);
        stage.rows.push(row);
    }
    stage.empty(&filled, replaced(size))
}

/// Returns how many tasks write; many of the longest bodies would be more than there is memory for.
fn tasks(size: Size) -> impl Iterator<Item = usize> {
    TASKS.into_iter().filter(move |tasks| tasks * size.bytes <= MOST_BYTES)
}

fn replaced(size: Size) -> usize {
    REPLACED.min(REPLACED_BYTES / size.bytes)
}

fn row(stage: &Stage, what: &str, tasks: usize, size: Size, lanes: &[Lane], failed: &[Measured]) -> Row {
    let table = format!("{what}, {}", tasks_shown(tasks));
    let plan = stage.plan().most_operations(MOST.min(MOST_BYTES / size.bytes));
    let mut lanes = stage.measure(&plan, &format!("{table}, {}", size.name), lanes);
    lanes.extend(failed.iter().cloned());
    Row::new("write", table, size.name, lanes).at(size.bytes)
}

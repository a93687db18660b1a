//! Writing entries that are not there, and replacing those that are.

use std::sync::Arc;

use bytes::Bytes;
use larder_core::{BoxError, CacheKey};

use super::tasks_shown;
#[cfg(feature = "peers")]
use crate::PythonOperation;
use crate::driver::measure::{Lane, Measured, Turns};
use crate::driver::row::{Goal, LIMIT, Row};
use crate::driver::stage::{Contenders, Stage, TASKS, delete, keys};
use crate::{Contender, Limit, SIZES, Size, body};

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
    for size in SIZES.into_iter().filter(|size| size.bytes <= 1 << 20) {
        new(stage, &contenders, size)?;
        replace(stage, &contenders, size)?;
    }
    Ok(())
}

fn new(stage: &mut Stage, contenders: &Contenders, size: Size) -> Result<(), BoxError> {
    // That what is written is right is seen with a few.
    let (checked, failed) = stage.fill(&contenders.all, size.bytes, replaced(size));
    stage.empty(&checked, replaced(size))?;
    let keys = keys(MOST);
    for tasks in TASKS {
        let lanes = checked.iter().map(|contender| {
            let (emptied, written) = (Arc::clone(contender), Arc::clone(&keys));
            writing(contender, tasks, &keys, size.bytes).clean(move |count| {
                let (contender, keys) = (Arc::clone(&emptied), Arc::clone(&written));
                async move { delete(&contender, &keys[..count]).await }
            })
        });
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
    let renamed = Arc::new(Limit::within(stage.directory())?);
    for tasks in TASKS {
        let lanes = filled.iter().map(|contender| writing(contender, tasks, &keys, size.bytes));
        let lanes = lanes.chain((tasks == 1).then(|| renaming(&renamed, &keys, size.bytes)));
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

/// Returns the lane in which `tasks` tasks write under each of `keys` in turn.
pub(super) fn writing(
    contender: &Arc<dyn Contender>,
    tasks: usize,
    keys: &Arc<[CacheKey]>,
    bytes: usize,
) -> Lane {
    let (shared, keys, bodies) = (Arc::clone(contender), Arc::clone(keys), bodies(bytes));
    let worker = move |mut turns: Turns| {
        let (contender, keys, bodies) = (Arc::clone(&shared), Arc::clone(&keys), Arc::clone(&bodies));
        async move {
            for number in &mut turns {
                let body = bodies[number % bodies.len()].clone();
                contender.write(&keys[number % keys.len()], body).await?;
            }
            Ok(turns)
        }
    };
    Lane::new(contender.name(), tasks, worker).terms(contender.terms())
}

/// Returns the lane of the least that replaces a file whole.
fn renaming(limit: &Arc<Limit>, keys: &Arc<[CacheKey]>, bytes: usize) -> Lane {
    let (shared, keys, bodies) = (Arc::clone(limit), Arc::clone(keys), bodies(bytes));
    Lane::new("limit, temporary and rename", 1, move |mut turns: Turns| {
        let (limit, keys, bodies) = (Arc::clone(&shared), Arc::clone(&keys), Arc::clone(&bodies));
        async move {
            for number in &mut turns {
                limit.replace(keys[number % keys.len()].as_str(), &bodies[number % bodies.len()])?;
            }
            Ok(turns)
        }
    })
}

/// Returns a few bodies, made before anything is measured.
fn bodies(bytes: usize) -> Arc<[Bytes]> {
    (0..8).map(|number| body(number, bytes)).collect()
}

//! Where everything is measured: one runtime of two workers, one directory, and the contenders in it.
//!
//! Nothing is measured of a contender that has not returned every byte of what it was given before.

use std::path::Path;
use std::sync::Arc;
#[cfg(feature = "peers")]
use std::sync::Mutex;
#[cfg(feature = "peers")]
use std::time::Duration;

use larder_core::{BoxError, CacheKey};
use larder_file::FileStore;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::Arguments;
use super::measure::{Lane, Measured, Plan, Turns, interleave};
use super::row::Row;
#[cfg(feature = "peers")]
use crate::Python;
use crate::larder::{FILE_TERMS, Larder};
use crate::{Contender, Limit, body, key, number_of};

/// How many tasks there are in a row: one, which is the main task, or so many on both workers.
pub(crate) const TASKS: [usize; 2] = [1, 64];

/// How many tasks write what is to be measured.
const FILLERS: usize = 16;

/// Everything that the groups need.
pub(crate) struct Stage {
    pub(crate) runtime: Runtime,
    pub(crate) arguments: Arguments,
    pub(crate) rows: Vec<Row>,
    directory: TempDir,
    #[cfg(feature = "peers")]
    python: Option<Arc<Mutex<Python>>>,
}

/// The contenders of a group, empty at its beginning, and gone at its end.
pub(crate) struct Contenders {
    pub(crate) all: Vec<Arc<dyn Contender>>,
    _directory: TempDir,
}

impl Stage {
    /// Returns an empty stage.
    ///
    /// # Errors
    ///
    /// When there is no directory or no runtime.
    pub(crate) fn new(arguments: Arguments) -> Result<Self, BoxError> {
        let parent = arguments.directory.clone().unwrap_or_else(std::env::temp_dir);
        let directory = tempfile::Builder::new().prefix("larder-bench-").tempdir_in(parent)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        #[cfg(feature = "peers")]
        let python = if arguments.peers { python(directory.path())? } else { None };
        #[cfg(feature = "peers")]
        let python = python.map(|python| Arc::new(Mutex::new(python)));
        Ok(Self {
            runtime,
            arguments,
            rows: Vec::new(),
            directory,
            #[cfg(feature = "peers")]
            python,
        })
    }

    /// Returns the directory that is deleted at the end.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Returns a directory of its own for something.
    ///
    /// # Errors
    ///
    /// When it cannot be made.
    pub(crate) fn own(&self) -> Result<TempDir, BoxError> {
        Ok(tempfile::tempdir_in(self.directory())?)
    }

    /// Returns the plan of most rows.
    pub(crate) fn plan(&self) -> Plan {
        Plan::new(self.arguments.quick)
    }

    /// Returns `full`, or less for a quick look.
    pub(crate) fn entries(&self, full: usize) -> usize {
        match self.arguments.entries {
            Some(entries) => entries,
            None if self.arguments.quick => (full / 10).max(1_000),
            None => full,
        }
    }

    /// Opens every contender: the limit, larder, and the peers if they were asked for.
    ///
    /// # Errors
    ///
    /// When one cannot be opened.
    pub(crate) fn contenders(&self) -> Result<Contenders, BoxError> {
        let directory = self.own()?;
        let all = self.runtime.block_on(async {
            let codecs = larder_codec::default_codecs();
            let store = FileStore::builder(directory.path().join("larder"), codecs).open().await?;
            #[cfg_attr(not(feature = "peers"), expect(unused_mut, reason = "peers are added"))]
            let mut all: Vec<Arc<dyn Contender>> = vec![
                Arc::new(Limit::within(directory.path())?),
                Arc::new(Larder::new("larder", FILE_TERMS, Arc::new(store))),
            ];
            #[cfg(feature = "peers")]
            if self.arguments.peers {
                all.extend(crate::peers(directory.path()).await?);
            }
            Ok::<_, BoxError>(all)
        })?;
        Ok(Contenders { all, _directory: directory })
    }

    /// Writes so many entries to each contender and reads them back; returns those that have every byte of them.
    pub(crate) fn fill(
        &self,
        contenders: &[Arc<dyn Contender>],
        bytes: usize,
        entries: usize,
    ) -> (Vec<Arc<dyn Contender>>, Vec<Measured>) {
        let (mut filled, mut failed) = (Vec::new(), Vec::new());
        for contender in contenders {
            match self.runtime.block_on(fill(contender, bytes, entries)) {
                Ok(()) => filled.push(Arc::clone(contender)),
                Err(error) => failed.push(Measured::failed(contender.name(), error)),
            }
        }
        (filled, failed)
    }

    /// Deletes what [`Stage::fill`] wrote.
    ///
    /// # Errors
    ///
    /// When it cannot be deleted.
    pub(crate) fn empty(&self, contenders: &[Arc<dyn Contender>], entries: usize) -> Result<(), BoxError> {
        for contender in contenders {
            self.runtime.block_on(delete(contender, &keys(entries)))?;
        }
        Ok(())
    }

    /// Measures `lanes`, and says how far it is.
    pub(crate) fn measure(&self, plan: &Plan, name: &str, lanes: &[Lane]) -> Vec<Measured> {
        eprintln!("{name}");
        interleave(&self.runtime, plan, lanes)
    }

    /// Returns the lane of Python's cache for one task, if it is to be measured.
    ///
    /// `measure` returns what one of so many operations takes.
    #[cfg(feature = "peers")]
    pub(crate) fn python<F>(&self, tasks: usize, measure: F) -> Option<Lane>
    where
        F: Fn(&mut Python, u32) -> Result<Duration, BoxError> + Clone + 'static,
    {
        let python = Arc::clone(self.python.as_ref().filter(|_| tasks == 1)?);
        let work = move |count| {
            let (python, measure) = (Arc::clone(&python), measure.clone());
            async move {
                tokio::task::block_in_place(|| {
                    let count = u32::try_from(count)?;
                    let mut python = python.lock().map_err(|_| "another row panicked")?;
                    Ok(measure(&mut python, count)? * count)
                })
            }
        };
        Some(Lane::counted(Python::NAME, work).terms(Python::terms()))
    }
}

/// Starts Python's cache, in an environment beside this program.
#[cfg(feature = "peers")]
fn python(directory: &Path) -> Result<Option<Python>, BoxError> {
    let program = std::env::current_exe()?;
    let environment = program.with_file_name("python-environment");
    Ok(Python::start_or_say(&environment, directory))
}

/// Returns the lane in which `tasks` tasks read whole bodies of `bytes` bytes, in no order of `keys`.
///
/// Each is looked at for its length and its number; [`Stage::fill`] has compared every byte of it.
pub(crate) fn reading(
    contender: &Arc<dyn Contender>,
    tasks: usize,
    keys: &Arc<[CacheKey]>,
    bytes: usize,
) -> Lane {
    let (shared, keys) = (Arc::clone(contender), Arc::clone(keys));
    let worker = move |mut turns: Turns| {
        let (contender, keys) = (Arc::clone(&shared), Arc::clone(&keys));
        async move {
            for number in &mut turns {
                let at = scattered(number) % keys.len();
                let body = contender.read(&keys[at]).await?.ok_or("an entry was lost")?;
                if body.len() != bytes || number_of(&body) != Some(at) {
                    return Err("another body was read".into());
                }
            }
            Ok(turns)
        }
    };
    Lane::new(contender.name(), tasks, worker).terms(contender.terms())
}

/// Returns `number` as one that is far from that of `number + 1`.
pub(crate) fn scattered(number: usize) -> usize {
    number.wrapping_mul(0x9E37_79B1) >> 7
}

/// Returns the keys of the first `entries` numbers.
pub(crate) fn keys(entries: usize) -> Arc<[CacheKey]> {
    (0..entries).map(key).collect()
}

async fn fill(contender: &Arc<dyn Contender>, bytes: usize, entries: usize) -> Result<(), BoxError> {
    each(entries, {
        let contender = Arc::clone(contender);
        move |number| {
            let contender = Arc::clone(&contender);
            async move { contender.write(&key(number), body(number, bytes)).await }
        }
    })
    .await?;
    contender.settle().await?;
    each(entries, {
        let contender = Arc::clone(contender);
        move |number| {
            let contender = Arc::clone(&contender);
            async move {
                match contender.read(&key(number)).await? {
                    Some(read) if read == body(number, bytes) => Ok(()),
                    Some(_) => Err(format!("entry {number} has other bytes").into()),
                    None => Err(format!("entry {number} was lost").into()),
                }
            }
        }
    })
    .await
}

/// Deletes the entries under `keys`.
pub(crate) async fn delete(contender: &Arc<dyn Contender>, keys: &[CacheKey]) -> Result<(), BoxError> {
    contender.settle().await?;
    let (contender, keys) = (Arc::clone(contender), Arc::<[CacheKey]>::from(keys));
    each(keys.len(), move |number| {
        let (contender, keys) = (Arc::clone(&contender), Arc::clone(&keys));
        async move { contender.delete(&keys[number]).await.map(drop) }
    })
    .await
}

/// Does something with each number, by several tasks.
pub(crate) async fn each<F, R>(count: usize, work: F) -> Result<(), BoxError>
where
    F: Fn(usize) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Result<(), BoxError>> + Send,
{
    let tasks: Vec<_> = (0..FILLERS)
        .map(|task| {
            let work = work.clone();
            tokio::spawn(async move {
                for number in (task..count).step_by(FILLERS) {
                    work(number).await?;
                }
                Ok::<_, BoxError>(())
            })
        })
        .collect();
    for task in tasks {
        task.await??;
    }
    Ok(())
}

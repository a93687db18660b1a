//! A case, and how it is run: on a runtime of its own, within a deadline, with panics caught.
//!
//! A case sees its subject only through [`Setup`], which is made of a new fixture each time.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use larder_core::{CacheBackend, RedirectIndex, ResponseStore};
use tokio::runtime::Builder;
use tokio::time::timeout;

use crate::failure::{Failure, Verdict};
use crate::fixture::{Fixture, Instance};
use crate::subject::{Capability, Subject};

/// How long the tasks that a finished case left behind may take to end.
const AFTERMATH: std::time::Duration = std::time::Duration::from_secs(5);

pub(crate) type Check = for<'a> fn(&'a Setup) -> BoxFuture<'a, Verdict>;

/// One case of the suite.
#[derive(Debug)]
pub struct Case {
    pub(crate) group: &'static str,
    pub(crate) name: &'static str,
    pub(crate) needs: &'static [Capability],
    pub(crate) proves: &'static str,
    pub(crate) check: Check,
}

impl Case {
    /// Returns the group, which is the module of its test.
    #[must_use]
    pub const fn group(&self) -> &'static str {
        self.group
    }

    /// Returns the name, which is that of its test and unique in its group.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the capabilities without which the case is skipped.
    #[must_use]
    pub const fn needs(&self) -> &'static [Capability] {
        self.needs
    }

    /// Returns one line on what passing proves.
    #[must_use]
    pub const fn proves(&self) -> &'static str {
        self.proves
    }

    /// Runs the case against a new fixture of `subject`, and waits for it.
    ///
    /// A panic, in the fixture or the backend, is a failure; so is a case that does not end within the
    /// subject's deadline.
    ///
    /// # Panics
    ///
    /// When it is called from an asynchronous task: it blocks.
    #[must_use]
    pub fn run(&self, subject: &Subject) -> Outcome {
        if let Some(reason) = subject.skips(self.needs) {
            return Outcome::Skipped(reason.to_owned());
        }
        let runtime = match Builder::new_multi_thread().worker_threads(2).enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return Outcome::Failed(format!("the suite cannot start a runtime: {error}")),
        };
        let (make, check) = (subject.make(), self.check);
        let task = runtime.spawn(async move { check(&Setup { fixture: make() }).await });
        let ended = runtime.block_on(async { timeout(subject.time_limit(), task).await });
        let Ok(ended) = ended else {
            runtime.shutdown_background();
            return Outcome::Failed(format!("it did not end within {:?}", subject.time_limit()));
        };
        runtime.shutdown_timeout(AFTERMATH);
        match ended {
            Ok(Ok(())) => Outcome::Passed,
            Ok(Err(failure)) => Outcome::Failed(failure.to_string()),
            Err(error) => match error.try_into_panic() {
                Ok(panic) => Outcome::Failed(format!("it panicked: {}", said(panic.as_ref()))),
                Err(error) => Outcome::Failed(error.to_string()),
            },
        }
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}::{}", self.group, self.name)
    }
}

/// How a case ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// What it proves holds.
    Passed,
    /// It does not; the text says what the contract says and what was seen.
    Failed(String),
    /// The subject does not offer what it needs; the text is the subject's reason.
    Skipped(String),
}

/// What a panic said.
pub(crate) fn said(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("something that is not text")
}

/// The place that a case works in.
pub(crate) struct Setup {
    pub(crate) fixture: Box<dyn Fixture>,
}

impl Setup {
    /// Opens the place, once more if it is open already.
    pub(crate) async fn open(&self) -> Verdict<Instance> {
        self.fixture.open().await.map_err(Failure::fixture)
    }

    /// Opens the place and returns its response store.
    pub(crate) async fn store(&self) -> Verdict<Arc<dyn ResponseStore>> {
        let instance = self.open().await?;
        instance.responses().cloned().ok_or_else(|| Failure::fixture("the instance has no response store"))
    }

    /// Opens the place and returns its redirect index.
    pub(crate) async fn index(&self) -> Verdict<Arc<dyn RedirectIndex>> {
        let instance = self.open().await?;
        instance.redirects().cloned().ok_or_else(|| Failure::fixture("the instance has no redirect index"))
    }

    /// Opens the place and returns both of its parts.
    pub(crate) async fn parts(&self) -> Verdict<(Arc<dyn ResponseStore>, Arc<dyn RedirectIndex>)> {
        let instance = self.open().await?;
        match (instance.responses(), instance.redirects()) {
            (Some(responses), Some(redirects)) => Ok((Arc::clone(responses), Arc::clone(redirects))),
            _ => Err(Failure::fixture("the instance has not both a response store and a redirect index")),
        }
    }

    /// Opens the place and returns it as a cache.
    pub(crate) async fn cache(&self) -> Verdict<CacheBackend> {
        let (responses, redirects) = self.parts().await?;
        Ok(CacheBackend::new(responses, redirects))
    }
}

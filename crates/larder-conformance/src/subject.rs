//! Who is tested: a fixture, and what it does not offer.
//!
//! A capability is offered unless it is said not to be, with a reason. What is not offered is skipped, and what is
//! offered but not delivered fails.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::fixture::Fixture;

/// How long a case may take before it fails; far more than any takes.
const DEADLINE: Duration = Duration::from_mins(1);

type Make = Arc<dyn Fn() -> Box<dyn Fixture> + Send + Sync>;

/// Something that cases need and a backend may do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Capability {
    /// There is a response store.
    Responses,
    /// There is a redirect index.
    Redirects,
    /// A second instance can be open at the same time, and sees what the first one does.
    Sharing,
    /// What was stored is there when the place is opened again.
    Durability,
    /// The fixture can damage what is stored.
    Corruption,
}

impl Capability {
    /// Returns the name that the macro call skips it by, in lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Responses => "responses",
            Self::Redirects => "redirects",
            Self::Sharing => "sharing",
            Self::Durability => "durability",
            Self::Corruption => "corruption",
        }
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A backend under test: how its fixture is made, and the capabilities that it does not offer.
///
/// `backend_tests!` makes one of its arguments; make one yourself to run cases from a program.
///
/// # Examples
///
/// ```
/// # use std::sync::Arc;
/// # use larder_conformance::{Fixture, Instance};
/// # use larder_core::{BoxError, async_trait};
/// # use larder_memory::{MemoryRedirects, MemoryStore};
/// # struct Memory;
/// # #[async_trait]
/// # impl Fixture for Memory {
/// #     async fn open(&self) -> Result<Instance, BoxError> {
/// #         Ok(Instance::new(Arc::new(MemoryStore::new()), Arc::new(MemoryRedirects::new())))
/// #     }
/// # }
/// use larder_conformance::{Capability, Outcome, Subject, cases};
///
/// let subject = Subject::new(|| Memory).without(Capability::Durability, "it keeps nothing");
/// for case in cases().iter().filter(|case| case.group() == "durability") {
///     assert_eq!(case.run(&subject), Outcome::Skipped("it keeps nothing".into()));
/// }
/// ```
pub struct Subject {
    make: Make,
    skips: Vec<(Capability, String)>,
    deadline: Duration,
}

impl Subject {
    /// Returns a subject that offers every capability; `make` is called for each case.
    ///
    /// If `make` panics, the case fails.
    pub fn new<F: Fixture>(make: impl Fn() -> F + Send + Sync + 'static) -> Self {
        Self { make: Arc::new(move || Box::new(make())), skips: Vec::new(), deadline: DEADLINE }
    }

    /// Says that `capability` is not offered, and why.
    #[must_use]
    pub fn without(mut self, capability: Capability, reason: impl Into<String>) -> Self {
        self.skips.push((capability, reason.into()));
        self
    }

    /// Sets how long a case may take before it fails; a minute unless set.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    pub(crate) fn make(&self) -> Make {
        Arc::clone(&self.make)
    }

    pub(crate) fn time_limit(&self) -> Duration {
        self.deadline
    }

    /// Returns why a case with these needs is skipped, if it is.
    pub(crate) fn skips(&self, needs: &[Capability]) -> Option<&str> {
        let skip = self.skips.iter().find(|(capability, _)| needs.contains(capability));
        skip.map(|(_, reason)| reason.as_str())
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subject")
            .field("skips", &self.skips)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

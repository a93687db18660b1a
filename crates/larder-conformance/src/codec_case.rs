//! A case for a serialization format, and how it is run.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use larder_core::Codec;

use crate::case::{Outcome, said};
use crate::failure::Verdict;

/// One case that a serialization format must pass.
#[derive(Debug)]
pub struct CodecCase {
    pub(crate) name: &'static str,
    pub(crate) proves: &'static str,
    pub(crate) check: fn(&dyn Codec) -> Verdict,
}

impl CodecCase {
    /// Returns the name, which is that of its test.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Returns one line on what passing proves.
    #[must_use]
    pub const fn proves(&self) -> &'static str {
        self.proves
    }

    /// Runs the case with `codec`; a panic is a failure.
    #[must_use]
    pub fn run(&self, codec: &dyn Codec) -> Outcome {
        match catch_unwind(AssertUnwindSafe(|| (self.check)(codec))) {
            Ok(Ok(())) => Outcome::Passed,
            Ok(Err(failure)) => Outcome::Failed(failure.to_string()),
            Err(panic) => Outcome::Failed(format!("it panicked: {}", said(panic.as_ref()))),
        }
    }
}

impl fmt::Display for CodecCase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "codec::{}", self.name)
    }
}

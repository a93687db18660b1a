//! Why a case failed: what the contract says, and what was seen instead.
//!
//! Cases return failures and never panic themselves; a panic is the backend's.

use std::fmt::{self, Debug};
use std::panic::Location;

use bytes::Bytes;
use larder_core::Error;

/// What a case returns.
pub(crate) type Verdict<T = ()> = Result<T, Failure>;

/// How long the shown form of one value may be.
const SHOWN: usize = 2_000;

#[derive(Debug)]
pub(crate) struct Failure {
    contract: String,
    seen: String,
    expected: Option<String>,
    at: Option<&'static Location<'static>>,
}

impl Failure {
    #[track_caller]
    pub(crate) fn new(contract: impl Into<String>, seen: impl Into<String>) -> Self {
        Self { contract: contract.into(), seen: seen.into(), expected: None, at: Some(Location::caller()) }
    }

    pub(crate) fn fixture(error: impl fmt::Display) -> Self {
        let contract = "the fixture delivers each capability that is not skipped".into();
        Self { contract, seen: error.to_string(), expected: None, at: None }
    }

    /// Says where the case asked for what a helper found.
    pub(crate) fn at(self, at: &'static Location<'static>) -> Self {
        Self { at: Some(at), ..self }
    }

    /// Adds what the case was doing, for one that does the same with many inputs.
    pub(crate) fn with(mut self, input: impl fmt::Display) -> Self {
        self.seen = format!("{} (with {input})", self.seen);
        self
    }
}

impl From<Error> for Failure {
    #[track_caller]
    fn from(error: Error) -> Self {
        Self::new("this operation succeeds", format!("it failed with {error:?}"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the contract says: {}\n             seen: {}", self.contract, self.seen)?;
        if let Some(expected) = &self.expected {
            write!(f, "\n         expected: {expected}")?;
        }
        if let Some(at) = self.at {
            write!(f, "\n               at: {}:{}", at.file(), at.line())?;
        }
        Ok(())
    }
}

/// Fails unless `holds`; `seen` says what was there instead.
#[track_caller]
pub(crate) fn ensure(holds: bool, contract: &str, seen: impl fmt::Display) -> Verdict {
    if holds { Ok(()) } else { Err(Failure::new(contract, seen.to_string())) }
}

/// Fails unless `seen` is `expected`.
#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "most are computed on the spot, and read better so")]
pub(crate) fn equal<S: PartialEq<E> + Debug, E: Debug>(seen: S, expected: E, contract: &str) -> Verdict {
    if seen == expected {
        return Ok(());
    }
    let failure = Failure::new(contract, shown(&seen));
    Err(Failure { expected: Some(shown(&expected)), ..failure })
}

/// Fails unless two bodies are the same; shows where they differ rather than the bytes.
#[track_caller]
pub(crate) fn same_bytes(seen: &Bytes, expected: &Bytes, contract: &str) -> Verdict {
    if seen == expected {
        return Ok(());
    }
    let first = seen.iter().zip(expected).position(|(a, b)| a != b).unwrap_or(seen.len().min(expected.len()));
    let failure = Failure::new(contract, format!("{} bytes, which differ from byte {first} on", seen.len()));
    Err(Failure { expected: Some(format!("{} bytes", expected.len())), ..failure })
}

fn shown(value: &impl Debug) -> String {
    let mut text = format!("{value:?}");
    if let Some((end, _)) = text.char_indices().nth(SHOWN) {
        text.truncate(end);
        text.push_str("...");
    }
    text
}

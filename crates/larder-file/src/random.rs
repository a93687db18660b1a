//! Random numbers from the system: revisions, salts, and names that nothing else has.

use larder_core::{Error, ErrorKind};

use crate::cause::Result;

/// Returns random bytes.
pub(crate) fn bytes<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| {
        Error::new(ErrorKind::Other, format!("the system has no random numbers: {error}")).with_source(error)
    })?;
    Ok(bytes)
}

/// Returns a name that begins with `prefix` and that nothing else has.
pub(crate) fn name(prefix: &str) -> Result<String> {
    Ok(format!("{prefix}-{:032x}", u128::from_le_bytes(bytes()?)))
}

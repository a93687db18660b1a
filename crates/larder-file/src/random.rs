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

/// Returns whether `text` is such a name, perhaps with the number of an attempt; nothing else among the temporaries is
/// ours.
pub(crate) fn is_name(text: &str) -> bool {
    let Some((prefix, rest)) = text.split_once('-') else { return false };
    let (digits, attempt) = rest.split_once('.').unwrap_or((rest, "0"));
    let is_attempt = !attempt.is_empty() && attempt.bytes().all(|digit| digit.is_ascii_digit());
    let is_hex = |digit: u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
    let is_random = digits.len() == 32 && digits.bytes().all(is_hex);
    matches!(prefix, "new" | "aside" | "cleared" | "probe") && is_random && is_attempt
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_told_from_those_of_others() {
        for prefix in ["new", "aside", "cleared", "probe"] {
            let name = name(prefix).expect("random numbers");
            for ours in [name.clone(), format!("{name}.0"), format!("{name}.12")] {
                assert!(is_name(&ours), "{ours}");
            }
            for foreign in [format!("{name}."), format!("{name}.txt"), format!("{name}0")] {
                assert!(!is_name(&foreign), "{foreign}");
            }
        }
        for foreign in ["", "new", "new-", "notes.txt", "new-0123", "old-00000000000000000000000000000000"] {
            assert!(!is_name(foreign), "{foreign}");
        }
    }
}

//! How long a response is fresh in the fixed expiry mode, as the caller says it.

use std::time::{Duration, SystemTime};

use larder_core::Timestamp;

/// When a response expires that is stored now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Expiry {
    /// It is fresh for ever.
    Never,
    /// It is stored and has expired at once: it is validated before each use.
    Immediately,
    /// It expires this long after it was received or validated. No time at all is [`Expiry::Immediately`].
    After(Duration),
    /// It expires at this point in time; in the past it is [`Expiry::Immediately`].
    At(Timestamp),
    /// It is not stored, and requests are not answered from what is stored.
    ///
    /// For a URL or a request no header field lifts this. For the session it is what applies when nothing else
    /// does: with `cache_control` on, a response that says how long it is fresh is stored.
    DoNotStore,
}

impl Expiry {
    /// Returns when what is received at `now` expires, `None` for never; an error for what is not stored.
    pub(crate) fn at(self, now: Timestamp) -> Result<Option<Timestamp>, DoNotStore> {
        match self {
            Self::Never => Ok(None),
            Self::Immediately => Ok(Some(now)),
            Self::After(duration) => Ok(Some(now.saturating_add(duration))),
            Self::At(at) => Ok(Some(at.max(now))),
            Self::DoNotStore => Err(DoNotStore),
        }
    }
}

/// The expiry says that there is nothing to store.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct DoNotStore;

impl From<Duration> for Expiry {
    fn from(duration: Duration) -> Self {
        Self::After(duration)
    }
}

impl From<Timestamp> for Expiry {
    fn from(at: Timestamp) -> Self {
        Self::At(at)
    }
}

impl From<SystemTime> for Expiry {
    fn from(at: SystemTime) -> Self {
        Self::At(at.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expiry_is_a_point_in_time_from_now() {
        let now = Timestamp::from_millis(1000);
        let at = |millis| Ok(Some(Timestamp::from_millis(millis)));
        for (expiry, expected) in [
            (Expiry::Never, Ok(None)),
            (Expiry::Immediately, at(1000)),
            (Duration::from_millis(5).into(), at(1005)),
            (Duration::ZERO.into(), at(1000)),
            (Duration::MAX.into(), Ok(Some(Timestamp::MAX))),
            (Timestamp::from_millis(2000).into(), at(2000)),
            (Timestamp::from_millis(999).into(), at(1000)),
            (SystemTime::UNIX_EPOCH.into(), at(1000)),
            (Expiry::DoNotStore, Err(DoNotStore)),
        ] {
            assert_eq!(expiry.at(now), expected, "{expiry:?}");
        }
    }
}

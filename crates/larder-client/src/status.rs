//! What the cache did for a request, in the terms of RFC 9211.

use std::fmt;

use http::{HeaderValue, StatusCode};
use larder_core::CacheOutcome;
use larder_policy::{Bypass, Forward, NotStorable};

/// What the cache did for one response; the last hop's, if there were redirects.
///
/// Its text is the value of a `Cache-Status` field (RFC 9211).
///
/// # Examples
///
/// ```
/// use larder_client::CacheStatus;
///
/// # fn show(status: &CacheStatus) {
/// if !status.hit {
///     println!("asked the origin, because of {:?}", status.forward);
/// }
/// # }
/// # show(&CacheStatus::default());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "they are parameters of RFC 9211, each for itself")]
pub struct CacheStatus {
    /// Whether the response was answered without asking the origin.
    pub hit: bool,
    /// Whether it was found through an alias, so that redirects were skipped.
    pub alias: bool,
    /// Whether it was used although it was stale: because the origin failed, if it was asked, else because it may be.
    pub stale: bool,
    /// Whether the origin must not be asked and nothing that is stored will do, so that the answer is 504.
    pub refused: bool,
    /// Why the origin was asked.
    pub forward: Option<Forward>,
    /// What the origin answered, if that is not the response's own status: 304 when the stored response was valid.
    pub forward_status: Option<StatusCode>,
    /// Whether another request's exchange answered this one too.
    pub collapsed: bool,
    /// Whether the response is being stored; it is visible once its body has been read.
    pub stored: bool,
    /// Why the response is not stored, if it came from the origin and is not.
    pub not_stored: Option<NotStored>,
    /// How many seconds the response stays fresh, negative if it is stale; `None` if that has no end.
    pub ttl: Option<i64>,
}

/// Why a response from the origin is not stored.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotStored {
    /// The cache was disabled.
    Disabled,
    /// The request has no key.
    Bypass(Bypass),
    /// The policy says so.
    Policy(NotStorable),
    /// It redirects to a request of the same key, which would find the redirect again.
    LeadsBack,
    /// An unsafe request made it invalid while it was under way.
    Invalidated,
    /// Redirects were followed where the cache could not see them; see [`FinalUrl`](crate::FinalUrl).
    HiddenRedirects,
}

impl CacheStatus {
    /// Returns whether the response's body comes from the store.
    #[must_use]
    pub fn from_cache(&self) -> bool {
        self.hit || self.stale || self.forward_status == Some(StatusCode::NOT_MODIFIED)
    }

    /// Returns in which of seven ways the request was answered, as [`CacheBackend::stats`] counts it.
    ///
    /// [`CacheBackend::stats`]: larder_core::CacheBackend::stats
    #[must_use]
    pub fn outcome(&self) -> CacheOutcome {
        if self.refused {
            CacheOutcome::Refused
        } else if self.stale {
            CacheOutcome::Stale
        } else if self.hit {
            CacheOutcome::Hit
        } else if self.from_cache() {
            CacheOutcome::Revalidated
        } else if self.collapsed {
            CacheOutcome::Coalesced
        } else if matches!(self.forward, Some(Forward::Bypass | Forward::Method)) {
            CacheOutcome::Bypass
        } else {
            CacheOutcome::Miss
        }
    }

    /// Returns whether the origin's response was one for the cache that may not be stored.
    pub(crate) fn may_not_be_stored(&self) -> bool {
        !matches!(self.not_stored, None | Some(NotStored::Disabled | NotStored::Bypass(_)))
    }

    /// Returns the status as a member of the field `Cache-Status`.
    pub(crate) fn to_value(&self) -> HeaderValue {
        HeaderValue::try_from(self.to_string()).expect("tokens and numbers are a field value")
    }

    pub(crate) fn hit() -> Self {
        Self { hit: true, ..Self::default() }
    }

    pub(crate) fn forward(reason: Forward) -> Self {
        Self { forward: Some(reason), ..Self::default() }
    }

    pub(crate) fn not_stored(mut self, why: NotStored) -> Self {
        self.not_stored = Some(why);
        self
    }
}

impl fmt::Display for CacheStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("larder")?;
        if self.hit {
            f.write_str("; hit")?;
        }
        if let Some(reason) = self.forward.filter(|_| !self.hit) {
            write!(f, "; fwd={reason}")?;
        }
        if let Some(status) = self.forward_status {
            write!(f, "; fwd-status={}", status.as_u16())?;
        }
        if let Some(ttl) = self.ttl {
            write!(f, "; ttl={ttl}")?;
        }
        for (is_so, name) in [(self.stored, "stored"), (self.collapsed, "collapsed")] {
            if is_so {
                write!(f, "; {name}")?;
            }
        }
        // The details are tokens of our own.
        match (&self.not_stored, self.stale, self.alias) {
            _ if self.refused => f.write_str("; detail=only-if-cached"),
            (Some(NotStored::Disabled), ..) => f.write_str("; detail=disabled"),
            (Some(NotStored::Bypass(_)), ..) => f.write_str("; detail=no-key"),
            (Some(NotStored::Policy(reason)), ..) => write!(f, "; detail={}", reason.as_str()),
            (Some(NotStored::LeadsBack), ..) => f.write_str("; detail=leads-back"),
            (Some(NotStored::Invalidated), ..) => f.write_str("; detail=invalidated"),
            (Some(NotStored::HiddenRedirects), ..) => f.write_str("; detail=hidden-redirects"),
            (None, true, _) => f.write_str("; detail=stale"),
            (None, false, true) => f.write_str("; detail=alias"),
            (None, false, false) => Ok(()),
        }
    }
}

impl fmt::Display for NotStored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disabled => f.write_str("the cache is disabled"),
            Self::Bypass(bypass) => bypass.fmt(f),
            Self::Policy(reason) => reason.fmt(f),
            Self::LeadsBack => f.write_str("the redirect leads back to itself"),
            Self::Invalidated => f.write_str("an unsafe request made it invalid meanwhile"),
            Self::HiddenRedirects => f.write_str("redirects were followed out of the cache's sight"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(status: &CacheStatus, expected: &str) {
        assert_eq!(status.to_string(), expected);
    }

    #[test]
    fn the_text_is_a_cache_status_field() {
        check(&CacheStatus::hit(), "larder; hit");
        check(
            &CacheStatus { ttl: Some(-3), stale: true, ..CacheStatus::hit() },
            "larder; hit; ttl=-3; detail=stale",
        );
        check(&CacheStatus { refused: true, ..CacheStatus::default() }, "larder; detail=only-if-cached");
        check(&CacheStatus { alias: true, ..CacheStatus::hit() }, "larder; hit; detail=alias");
        let miss = CacheStatus::forward(Forward::UriMiss);
        check(
            &CacheStatus { stored: true, ttl: Some(60), ..miss.clone() },
            "larder; fwd=uri-miss; ttl=60; stored",
        );
        check(&CacheStatus { collapsed: true, ..miss.clone() }, "larder; fwd=uri-miss; collapsed");
        check(
            &miss.not_stored(NotStored::Policy(NotStorable::NoStore)),
            "larder; fwd=uri-miss; detail=no-store",
        );
        let validated = CacheStatus {
            forward_status: Some(StatusCode::NOT_MODIFIED),
            stored: true,
            ..CacheStatus::forward(Forward::Stale)
        };
        check(&validated, "larder; fwd=stale; fwd-status=304; stored");
        assert!(validated.from_cache() && !validated.hit);
    }

    #[test]
    fn every_answer_is_counted_in_one_way() {
        let miss = CacheStatus::forward(Forward::UriMiss);
        let stale = CacheStatus::forward(Forward::Stale);
        let (not_modified, failed) = (Some(StatusCode::NOT_MODIFIED), Some(StatusCode::BAD_GATEWAY));
        for (status, outcome) in [
            (CacheStatus::hit(), CacheOutcome::Hit),
            (CacheStatus { alias: true, ..CacheStatus::hit() }, CacheOutcome::Hit),
            (CacheStatus { stale: true, ..CacheStatus::hit() }, CacheOutcome::Stale),
            (CacheStatus { stale: true, forward_status: failed, ..stale.clone() }, CacheOutcome::Stale),
            (CacheStatus { forward_status: not_modified, ..stale.clone() }, CacheOutcome::Revalidated),
            (CacheStatus { collapsed: true, ..stale.clone() }, CacheOutcome::Coalesced),
            (stale, CacheOutcome::Miss),
            (miss.clone().not_stored(NotStored::Policy(NotStorable::NoStore)), CacheOutcome::Miss),
            (CacheStatus { stored: true, ..miss }, CacheOutcome::Miss),
            (CacheStatus::forward(Forward::Method), CacheOutcome::Bypass),
            (CacheStatus::forward(Forward::Bypass).not_stored(NotStored::Disabled), CacheOutcome::Bypass),
            (CacheStatus { refused: true, ..CacheStatus::default() }, CacheOutcome::Refused),
        ] {
            assert_eq!(status.outcome(), outcome, "{status}");
            assert_eq!(status.outcome().is_from_cache(), status.from_cache(), "{status}");
        }
    }
}

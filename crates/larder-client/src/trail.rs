//! The redirects that were followed for one request, and which of them a later request may skip.

use http::header::LOCATION;
use larder_core::{Aliases, CacheKey, Hop, ResponseHead, Timestamp};
use larder_policy::RequestKeys;

/// What was followed so far.
#[derive(Debug, Default)]
pub(crate) struct Trail {
    history: Vec<Hop>,
    /// The hops since the last one that must be asked anew each time.
    skippable: Vec<Skip>,
    /// What was looked up for these redirects.
    asked: Vec<CacheKey>,
    /// Whether no redirect is followed.
    is_one: bool,
}

/// A redirect that need not be asked again.
#[derive(Debug, Clone)]
pub(crate) struct Skip {
    /// What its request was looked up under.
    pub(crate) key: CacheKey,
    /// Until when; `None` is for ever.
    pub(crate) until: Option<Timestamp>,
}

impl Skip {
    /// Returns the same, until `end` at the latest.
    pub(crate) fn until_at_most(mut self, end: Timestamp) -> Self {
        self.until = Some(self.until.map_or(end, |until| until.min(end)));
        self
    }
}

impl Trail {
    /// Returns the trail of a request whose redirect, if it is answered by one, is the answer.
    pub(crate) fn of_one() -> Self {
        Self { is_one: true, ..Self::default() }
    }

    /// Returns whether a redirect is the answer.
    pub(crate) fn ends_here(&self) -> bool {
        self.is_one
    }

    pub(crate) fn len(&self) -> usize {
        self.history.len()
    }

    /// Adds a redirect that `asked` was looked up for; without `skip`, it and what came before it has no alias.
    pub(crate) fn push(&mut self, head: ResponseHead, skip: Option<Skip>, asked: Option<CacheKey>) {
        self.asked.extend(asked);
        match skip {
            Some(skip) => self.skippable.push(skip),
            None => self.skippable.clear(),
        }
        let mut hop = Hop::new(head.method, head.url, head.status);
        hop.headers = head.headers;
        self.history.push(hop);
    }

    /// Returns the aliases of what this leads to: they end with the least lived of them.
    pub(crate) fn aliases(&self) -> Aliases {
        let until = self.skippable.iter().filter_map(|skip| skip.until).min();
        Aliases::new(self.skippable.iter().map(|skip| skip.key.clone()).collect(), until)
    }

    /// Returns whether one of `keys` was looked up for one of the redirects: it has led on, and would again.
    pub(crate) fn has_asked(&self, keys: &RequestKeys) -> bool {
        keys.get.iter().chain([&keys.primary]).any(|key| self.asked.contains(key))
    }

    /// Returns the redirects as they are stored, first hop first: where they led, and nothing that was for one user.
    pub(crate) fn stored_history(&self) -> Vec<Hop> {
        let stored = |hop: &Hop| {
            let mut stored = Hop::new(hop.method.clone(), hop.url.clone(), hop.status);
            stored.headers.extend(hop.headers.get(LOCATION).map(|location| (LOCATION, location.clone())));
            stored
        };
        self.history.iter().map(stored).collect()
    }

    pub(crate) fn into_history(self) -> Vec<Hop> {
        self.history
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{Method, StatusCode, Uri};

    fn trail(hops: &[Option<(&str, Option<i64>)>]) -> Trail {
        let mut trail = Trail::default();
        for hop in hops {
            let head =
                ResponseHead::new(Method::GET, Uri::default(), StatusCode::FOUND, Timestamp::UNIX_EPOCH);
            let skip = hop.map(|(key, until)| Skip {
                key: CacheKey::new(key).expect("a key"),
                until: until.map(Timestamp::from_millis),
            });
            trail.push(head, skip, None);
        }
        trail
    }

    #[track_caller]
    fn check(hops: &[Option<(&str, Option<i64>)>], keys: &[&str], until: Option<i64>) {
        let aliases = trail(hops).aliases();
        assert_eq!(aliases.keys.iter().map(CacheKey::as_str).collect::<Vec<_>>(), keys, "{hops:?}");
        assert_eq!(aliases.expires_at.map(Timestamp::as_millis), until, "{hops:?}");
    }

    #[test]
    fn aliases_end_with_the_least_lived_hop() {
        check(&[], &[], None);
        check(&[Some(("a", None))], &["a"], None);
        check(&[Some(("a", Some(5))), Some(("b", None)), Some(("c", Some(3)))], &["a", "b", "c"], Some(3));
    }

    #[test]
    fn nothing_skips_a_redirect_that_must_be_asked_each_time() {
        check(&[Some(("a", Some(1))), None, Some(("c", Some(9)))], &["c"], Some(9));
        check(&[Some(("a", None)), None], &[], None);
    }
}

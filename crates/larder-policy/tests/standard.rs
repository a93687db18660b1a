//! The decisions of a cache by RFC 9111, as tables by its sections and those of the standards beside it.
//!
//! The section that a row is from stands before it or in its first column. `private` and `shared` are the two caches of
//! [`CacheOptions::standard`](larder_policy::CacheOptions::standard).

mod standard {
    mod age;
    mod any_bytes;
    mod cache_control;
    mod combining;
    mod conditions;
    mod dates;
    mod differences;
    mod differential;
    mod head;
    mod invalidation;
    mod lifetime;
    mod options;
    mod properties;
    mod ranges;
    mod redirect;
    mod request;
    mod response;
    mod stale;
    mod storing;
    mod targeted;
    mod validating;
    mod vary;

    use larder_core::ResponseHead;
    use larder_policy::{CacheOptions, Policy};

    use crate::support::{Do, Sent, after, policy};

    fn private() -> Policy {
        policy(CacheOptions::standard())
    }

    fn shared() -> Policy {
        policy(CacheOptions::standard().shared())
    }

    /// Returns what is stored of a response of status 200 to a GET without fields.
    fn stored(policy: &Policy, response: &[&str]) -> ResponseHead {
        let sent = Sent::get(&[]);
        sent.storable(policy, &sent.head(200, response)).unwrap_or_else(|why| panic!("{response:?}: {why}"))
    }

    /// Returns what is done about a GET with the fields `request`, `age` seconds after `response` was stored.
    fn done(policy: &Policy, response: &[&str], request: &[&str], age: u64) -> Do {
        Sent::get(request).decide(policy, Some(&stored(policy, response)), after(age)).into()
    }
}

mod support;

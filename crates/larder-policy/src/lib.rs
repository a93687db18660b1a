//! The decisions of the larder HTTP response cache, without I/O: keys, expiry, what is stored and what is reused.
//!
//! [`CacheOptions`] become a [`Policy`], and the request loop asks it at each step:
//!
//! | step | question | answer |
//! |---|---|---|
//! | before the lookup | [`Policy::keys`] | where to look and store, or why the cache is bypassed ([`Bypass`]) |
//! | after the lookup | [`Policy::decide`] | use, validate, fetch or refuse ([`Decision`]), and why ([`Forward`]) |
//! | after a response | [`Policy::storable`] | the head to store, or why none ([`NotStorable`]) |
//! | after a redirect | [`Policy::redirect`] | until when it may be skipped |
//! | after a 304 | [`Policy::refresh`] | the stored head with new fields and times |
//! | after a failure | [`Policy::use_stale`] | whether what is stored will do |
//!
//! This crate has no runtime, touches no file and reads no clock: time is always an argument.
//!
//! # Fixed expiry
//!
//! [`CacheOptions::fixed`] is for clients of origins whose fields say nothing useful: the caller says how long a
//! response is fresh. The first of these that says something decides:
//!
//! | | who says it | where |
//! |---|---|---|
//! | 1 | the request's `Cache-Control`: `max-age`, unless shared | with [`CacheOptions::cache_control`] |
//! | 2 | the response's: `s-maxage` if shared, `max-age`, `Expires` | with [`CacheOptions::cache_control`] |
//! | 3 | the request's options | [`RequestOptions::expire_after`] |
//! | 4 | the URL, by the first pattern that matches | [`CacheOptions::urls_expire_after`] |
//! | 5 | the session | [`CacheOptions::fixed`] |
//!
//! What forbids is not outvoted: `no-store` on either side, `no-cache` and `must-revalidate` of the response, and
//! [`Expiry::DoNotStore`] of the URL or the request. A lifetime is fixed when the response is stored or validated.
//! The request that reads it later may be content with less, by its own `max-age`, `min-fresh` or
//! [`RequestOptions::expire_after`].
//!
//! A response that has expired is kept for validation and for failures of the origin until its delete time, which is
//! [`CacheOptions::keep_expired`] later.
//!
//! # The key
//!
//! [`CacheKeys`] turns a request into the [`CanonicalKey`] that its response is stored under, or says why the
//! request has none. Two requests have the same key only if they are the same request, up to spellings of the URL
//! that RFC 3986 and RFC 9110 call equivalent.
//!
//! It is text: `larder-key-1,` and then typed fields, each a letter, its length in bytes, `:`, its content and
//! `,`. Because of the lengths no content can be taken for the beginning of another field.
//!
//! | letter | content | present |
//! |---|---|---|
//! | `M` | the method | always |
//! | `U` | the canonical URL, without user information and fragment | always |
//! | `C` | digest of the content and of the fields that describe it | when there is content |
//! | `F` | name of a chosen field, and `=` with a digest of its values if it was sent | per chosen field, by name |
//! | `A` | digest of the credentials | when there are some, by mode |
//!
//! A digest is SHA-256 in 64 hexadecimal digits, so that neither a credential nor a field's value is in the key. It
//! has no secret in it: who may read the cache can test guesses of a weak password.
//!
//! A new version of this form gets a new first word, so that no key of one version is a key of another. The
//! vectors in `tests/vectors` pin it.

mod age;
mod bypass;
mod cache_control;
mod canonical;
mod content;
mod dates;
mod decision;
mod expiry;
mod fields;
mod filter;
mod groups;
mod keys;
mod options;
mod pattern;
mod policy;
mod range;
mod request;
mod request_options;
mod targeted;
mod url;
mod validator;
mod vary;

pub use bypass::Bypass;
pub use canonical::CanonicalKey;
pub use dates::http_date;
pub use decision::{Decision, Failure, Forward, NotStorable, RequestKeys};
pub use expiry::Expiry;
pub use fields::remove_hop_by_hop;
pub use filter::Filter;
pub use groups::{cache_groups, invalidated_groups};
pub use keys::CacheKeys;
pub use options::CacheOptions;
pub use policy::{Combined, Freshness, HeadEffect, LifetimeSource, Policy, Presented, Refreshed, Upkeep};
pub use range::{announced_len, stored_range};
pub use request::{Content, KeyRequest};
pub use request_options::{CacheMode, RequestOptions};
pub use url::canonical_url;

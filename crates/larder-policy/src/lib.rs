//! The decisions of the larder HTTP response cache, without I/O: so far, its cache keys.
//!
//! [`CacheKeys`] turns a request into the [`CanonicalKey`] that its response is stored under, or says why the
//! request has none ([`Bypass`]). Two requests have the same key only if they are the same request, up to
//! spellings of the URL that RFC 3986 and RFC 9110 call equivalent.
//!
//! This crate has no runtime, touches no file and reads no clock.
//!
//! # The canonical key
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

mod aliases;
mod bypass;
mod canonical;
mod keys;
mod request;
mod url;

pub use bypass::Bypass;
pub use canonical::CanonicalKey;
pub use keys::CacheKeys;
pub use request::{Content, KeyRequest};
pub use url::canonical_url;

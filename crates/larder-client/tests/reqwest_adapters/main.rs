//! The client and the middleware against an origin on loopback: what reqwest does must still be done, and what the
//! cache adds must be there. What the cache decides is tested elsewhere.

mod client;
mod errors;
#[cfg(feature = "reqwest-middleware")]
mod middleware;
mod options;
mod origin;
mod redirects;
mod support;

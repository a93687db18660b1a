//! The caching reverse proxy: HTTP/1.1 in, the cache, HTTP/1.1 out.
//!
//! It decides nothing about caching. What it adds to the cache is what lies between two connections: what belongs to
//! one of them is not passed on (RFC 9110, section 7.6), and whatever goes wrong with the origin is an answer.

mod answer;
mod connect;
mod content;
mod fields;
mod interim;
mod journal;
mod origin;
mod server;
mod target;

pub(crate) use answer::Proxy;
pub(crate) use journal::Journal;
pub(crate) use origin::Upstream;
pub(crate) use server::{Ended, Signals, serve};
pub(crate) use target::Target;

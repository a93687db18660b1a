//! The snippets of the documents, compiled as documentation tests; there is nothing here otherwise.

#![cfg(all(feature = "msgpack", feature = "reqwest-middleware"))]
#![doc = include_str!("../../../docs/guide.md")]

#[doc = include_str!("../../../docs/from-aiohttp-client-cache.md")]
mod from_aiohttp_client_cache {}

#[doc = include_str!("../../../docs/from-http-cache.md")]
mod from_http_cache {}

//! The request loop against scripted origins and stores: what reaches the origin, what is answered, what is stored.

mod behind;
mod bodies;
mod by_hand;
mod coalescing;
mod counting;
mod failing;
mod fields;
mod groups;
mod invalidating;
mod latest;
#[cfg(feature = "metrics")]
mod metrics;
mod parts;
mod principals;
mod recovering;
mod redirects;
mod serving;
mod sharing;
mod standard;
mod support;
mod validating;
mod variants;

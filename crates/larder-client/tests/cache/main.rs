//! The request loop against scripted origins and stores: what reaches the origin, what is answered, what is stored.

mod bodies;
mod by_hand;
mod coalescing;
mod failing;
mod groups;
mod parts;
mod redirects;
mod serving;
mod standard;
mod support;
mod validating;
mod variants;

//! `proxy`, as a process between a client and an origin whose every byte is known.

mod connections;
mod ending;
mod failing;
mod messages;
mod running;
mod serving;
mod wire;

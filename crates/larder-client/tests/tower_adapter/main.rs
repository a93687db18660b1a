//! The layer in front of a client, inside a server and in front of services that mind how they are called. What the
//! cache decides is tested elsewhere.

mod client;
mod server;
mod services;
mod support;

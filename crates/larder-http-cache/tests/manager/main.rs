//! A manager over the reference backend: what is read is what was stored, and what fails is a miss.

mod broken;
#[cfg(feature = "streaming")]
mod streaming;
mod support;
mod whole;

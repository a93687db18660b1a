//! The functions of `docs/guide.md`, compiled as documentation tests; there is nothing here otherwise.

#![doc = include_str!("../../../docs/guide.md")]

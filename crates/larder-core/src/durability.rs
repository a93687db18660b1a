//! How much of what was written survives a power loss.

/// What a write has done for the case of a power loss when it returns.
///
/// At every level an entry survives the death of the process that wrote it, and is never torn: after a power
/// loss it is whole, older, or absent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Durability {
    /// Nothing. After a power loss an entry may be absent or older.
    #[default]
    Relaxed,
    /// An entry's bytes are on the disk before its name is, so that a name leads to whole bytes.
    Ordered,
    /// Bytes and name are on the disk: what was written is there, and what was deleted stays deleted.
    Durable,
}

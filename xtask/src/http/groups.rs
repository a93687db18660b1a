//! The groups of cases, in the order in which they are printed.
//!
//! One file per group; a case stands where its expectation is, not where its failure would be noticed.

use super::case::Case;

/// The cases about one subject.
pub(super) struct Group {
    /// The subject.
    pub(super) name: &'static str,
    /// Its cases.
    pub(super) cases: fn() -> Vec<Case>,
}

macro_rules! groups {
    ($($file:ident $name:literal,)*) => {
        $(mod $file;)*

        /// All groups.
        pub(super) const ALL: &[Group] = &[$(Group { name: $name, cases: $file::cases }),*];
    };
}

groups! {
    freshness "freshness",
    cache_control "cache-control",
    dates "ages and dates",
    heuristics "heuristics",
    statuses "statuses",
    methods "methods",
    requests "request directives",
    responses "response directives",
    vary "vary",
    validation "validation",
    conditions "client conditions",
    ranges "ranges",
    invalidation "invalidation",
    cache_groups "cache groups",
    stale "stale answers",
    targeted "targeted fields",
    fields "fields",
    incomplete "incomplete",
    coalescing "coalescing",
    principals "principals",
}

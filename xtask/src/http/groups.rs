//! The groups of cases, in the order in which they are printed.
//!
//! One file per group; a case stands where its expectation is, not where its failure would be noticed.

mod cache_control;
mod cache_groups;
mod coalescing;
mod combinations;
mod conditions;
mod dates;
mod fields;
mod freshness;
mod heuristics;
mod incomplete;
mod invalidation;
mod messages;
mod methods;
mod principals;
mod ranges;
mod requests;
mod responses;
mod stale;
mod statuses;
mod targeted;
mod validation;
mod vary;

use super::case::Case;

/// The cases about one subject.
pub(super) struct Group {
    /// The subject.
    pub(super) name: &'static str,
    /// Its cases.
    pub(super) cases: fn() -> Vec<Case>,
}

/// All groups.
pub(super) const ALL: &[Group] = &[
    // First, because to invalidate a group everything is read that is stored by then.
    group("cache groups", cache_groups::cases),
    group("freshness", freshness::cases),
    group("cache-control", cache_control::cases),
    group("ages and dates", dates::cases),
    group("heuristics", heuristics::cases),
    group("statuses", statuses::cases),
    group("methods", methods::cases),
    group("request directives", requests::cases),
    group("response directives", responses::cases),
    group("vary", vary::cases),
    group("validation", validation::cases),
    group("client conditions", conditions::cases),
    group("ranges", ranges::cases),
    group("invalidation", invalidation::cases),
    group("stale answers", stale::cases),
    group("targeted fields", targeted::cases),
    group("fields", fields::cases),
    group("incomplete", incomplete::cases),
    group("combinations", combinations::cases),
    group("messages", messages::cases),
    group("coalescing", coalescing::cases),
    group("principals", principals::cases),
];

const fn group(name: &'static str, cases: fn() -> Vec<Case>) -> Group {
    Group { name, cases }
}

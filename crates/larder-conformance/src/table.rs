//! The table of cases, the only place where a case is listed.
//!
//! The tests of `backend_tests!` and the list of `cases()` are both made of it. A case function that is not in it
//! is dead code, which does not compile; neither does a line without its function.

use crate::case::Case;
use crate::codec_case::CodecCase;
use crate::subject::Capability;

/// Calls a macro with an argument and the table: per group, lines of `file::case [needs] "what it proves";`.
#[doc(hidden)]
#[macro_export]
macro_rules! __backend_cases {
    ([$($macro:tt)+] $argument:tt) => {
        $($macro)+! {
            $argument
            responses {
                bodies::an_empty_body_is_kept [responses] "a body of no bytes is an entry like any other";
            }
            redirects {
                writing::an_alias_leads_to_its_target [redirects] "what was written is read";
            }
        }
    };
}

/// Calls a macro with an argument and the table of cases for a codec: lines of `case "what it proves";`.
#[doc(hidden)]
#[macro_export]
macro_rules! __codec_cases {
    ([$($macro:tt)+] $argument:tt) => {
        $($macro)+! {
            $argument
            the_smallest_head_round_trips "a head without fields is decoded to what was encoded";
        }
    };
}

macro_rules! capability {
    (responses) => {
        Capability::Responses
    };
    (redirects) => {
        Capability::Redirects
    };
    (sharing) => {
        Capability::Sharing
    };
    (durability) => {
        Capability::Durability
    };
    (corruption) => {
        Capability::Corruption
    };
}

macro_rules! backend_table {
    ([] $($group:ident { $($file:ident::$name:ident [$($need:ident)*] $proves:literal;)* })*) => {
        &[$($(
            Case {
                group: stringify!($group),
                name: stringify!($name),
                needs: &[$(capability!($need)),*],
                proves: $proves,
                check: |setup| Box::pin(crate::cases::$group::$file::$name(setup)),
            },
        )*)*]
    };
}

macro_rules! codec_table {
    ([] $($name:ident $proves:literal;)*) => {
        &[$(
            CodecCase {
                name: stringify!($name),
                proves: $proves,
                check: crate::cases::codec::$name,
            },
        )*]
    };
}

static BACKEND: &[Case] = crate::__backend_cases! { [backend_table] [] };
static CODEC: &[CodecCase] = crate::__codec_cases! { [codec_table] [] };

/// Returns the cases for a backend, in the order of the table.
#[must_use]
pub fn cases() -> &'static [Case] {
    BACKEND
}

/// Returns the cases for a serialization format, in the order of the table.
#[must_use]
pub fn codec_cases() -> &'static [CodecCase] {
    CODEC
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_is_named_once_in_its_group() {
        let mut names: Vec<String> = cases().iter().map(ToString::to_string).collect();
        names.sort();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all);
    }

    #[test]
    fn every_case_needs_a_store_or_an_index() {
        for case in cases() {
            let parts = [Capability::Responses, Capability::Redirects];
            assert!(case.needs().iter().any(|need| parts.contains(need)), "{case}");
        }
    }
}

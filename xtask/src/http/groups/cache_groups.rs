//! Responses that stand and fall together, by the names that their origin gives them.
//!
//! Groups are strings of a structured field; every case has names of its own, because all share one origin.

use super::super::case::{Case, Step, case, get, method};
use super::super::reply::ok;

const FRESH: &str = "Cache-Control: max-age=3600";

/// Returns a case where a response in the groups of `groups` is, or is not, invalidated by POST with `line`.
fn grouped(section: &'static str, name: &str, groups: &[&str], line: &str, is_gone: bool) -> Case {
    let lines: Vec<_> = [FRESH].iter().chain(groups).copied().collect();
    let after = if is_gone { get().answered(ok(&lines)) } else { get().cached() };
    case(section, name).then(get().answered(ok(&lines))).then(posting(line)).then(after)
}

fn posting(line: &str) -> Step {
    method("POST").at("/elsewhere").answered(ok(&[line]))
}

pub(super) fn cases() -> Vec<Case> {
    const ONE: &[&str] = &["Cache-Groups: \"{path}-a\""];
    const TWO: &[&str] = &["Cache-Groups: \"{path}-a\", \"{path}-b\""];
    const LINES: &[&str] = &["Cache-Groups: \"{path}-a\"", "Cache-Groups: \"{path}-b\""];
    let (groups, invalidation) = ("9875 2", "9875 3");
    let a = "Cache-Group-Invalidation: \"{path}-a\"";
    let b = "Cache-Group-Invalidation: \"{path}-b\"";
    let both = "Cache-Group-Invalidation: \"{path}-x\", \"{path}-a\"";
    let mut cases = vec![
        grouped(invalidation, "an unsafe request invalidates a group", ONE, a, true),
        grouped(invalidation, "another group stays", ONE, b, false),
        grouped(invalidation, "a response in two groups falls with the second", TWO, b, true),
        grouped(groups, "groups on two lines are one list", LINES, b, true),
        grouped(invalidation, "several groups are invalidated at once", ONE, both, true),
        grouped(
            groups,
            "the names of groups are compared with their case",
            ONE,
            "Cache-Group-Invalidation: \"{path}-A\"",
            false,
        ),
        grouped(
            groups,
            "the parameters of a group are ignored",
            &["Cache-Groups: \"{path}-a\";x=1"],
            a,
            true,
        ),
        grouped(
            invalidation,
            "the parameters of an invalidation are ignored",
            ONE,
            "Cache-Group-Invalidation: \"{path}-a\";x",
            true,
        ),
        grouped(
            groups,
            "a group that is a token is no group",
            &["Cache-Groups: abc"],
            "Cache-Group-Invalidation: \"abc\"",
            false,
        ),
        grouped(
            invalidation,
            "an invalidation that is a token is ignored",
            &["Cache-Groups: \"abd\""],
            "Cache-Group-Invalidation: abd",
            false,
        ),
        grouped(
            groups,
            "a field that is no list puts a response in no group",
            &["Cache-Groups: \"{path}-a\","],
            a,
            false,
        ),
        grouped(
            invalidation,
            "an invalidation that is no list is ignored",
            ONE,
            "Cache-Group-Invalidation: \"{path}-a\",",
            false,
        ),
        grouped(
            groups,
            "an escaped quote is part of a name",
            &["Cache-Groups: \"{path}-\\\"q\""],
            "Cache-Group-Invalidation: \"{path}-\\\"q\"",
            true,
        ),
    ];
    cases.extend(many());
    cases.extend([
        case(invalidation, "all members of a group are invalidated")
            .then(get().at("/1").answered(ok(&[FRESH, ONE[0]])))
            .then(get().at("/2").answered(ok(&[FRESH, ONE[0]])))
            .then(get().at("/3").answered(ok(&[FRESH])))
            .then(posting(a))
            .then(get().at("/1").answered(ok(&[])))
            .then(get().at("/2").answered(ok(&[])))
            .then(get().at("/3").cached()),
        case(invalidation, "all variants in a group are invalidated")
            .then(get().with("X-A: 1").answered(ok(&[FRESH, ONE[0], "Vary: X-A"])))
            .then(get().with("X-A: 2").answered(ok(&[FRESH, ONE[0], "Vary: X-A"])))
            .then(posting(a))
            .then(get().with("X-A: 1").answered(ok(&[])))
            .then(get().with("X-A: 2").answered(ok(&[]))),
        case(invalidation, "an invalidation in a response to GET is ignored")
            .then(get().answered(ok(&[FRESH, ONE[0]])))
            .then(get().at("/elsewhere").answered(ok(&[a])))
            .then(get().cached()),
        case(invalidation, "what joins the group after an invalidation is reused")
            .then(get().answered(ok(&[FRESH, ONE[0]])))
            .then(posting(a))
            .then(get().answered(ok(&[FRESH, ONE[0]])))
            .then(get().cached().text("answer 3 of {path}")),
        case("9110 7.7", "Cache-Groups is passed on")
            .then(get().answered(ok(&[FRESH, ONE[0]])).shows(ONE[0]))
            .then(get().cached().shows(ONE[0])),
    ]);
    cases
}

/// A cache knows at least 32 groups of 32 characters each.
fn many() -> [Case; 2] {
    let many: Vec<String> = (0..32).map(|at| format!("\"{{path}}-{at:026}\"")).collect();
    let all = many.join(", ");
    let named = |name, groups: &str, invalid: &str| {
        let groups = format!("Cache-Groups: {groups}");
        let invalid = format!("Cache-Group-Invalidation: {invalid}");
        grouped("9875 2", name, &[&groups], &invalid, true)
    };
    [
        named("thirty-two groups of thirty-two characters are known", &all, &many[31]),
        named("thirty-two groups are invalidated at once", &many[31], &all),
    ]
}

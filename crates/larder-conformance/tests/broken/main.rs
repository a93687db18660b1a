//! The suite is tested against backends that are broken on purpose: each fails exactly the cases that it should.
//!
//! A flaw that fails other cases than those listed for it has either met a new case, which is then added to its
//! list, or shown that a case tests something else than it says.

mod checked;
mod codec;
mod expected;
mod index;
mod store;

use std::time::Duration;

use larder_conformance::{Capability, Fixture, Outcome, Subject, cases};

/// What a flawed backend is flawed in, and so which cases can tell.
struct Flawed {
    /// A case that does not need this cannot fail.
    in_its: Capability,
    /// What the fixture of such flaws does not offer.
    lacks: Option<Capability>,
}

/// Runs the cases, and compares the names of those that fail. A race need not be lost for `perhaps` to fail.
fn check<F: Fixture>(
    make: impl Fn() -> F + Send + Sync + 'static,
    flawed: &Flawed,
    expected: &[&str],
    perhaps: &[&str],
) {
    let mut subject = Subject::new(make);
    if let Some(lacks) = flawed.lacks {
        subject = subject.without(lacks, "this place has it not");
    }
    let mut failed = Vec::new();
    for case in cases().iter().filter(|case| case.needs().contains(&flawed.in_its)) {
        if let Outcome::Failed(_) = case.run(&subject) {
            failed.push(case.to_string());
        }
    }
    failed.retain(|case| !perhaps.contains(&case.as_str()));
    assert_eq!(failed, expected, "the cases that fail");
}

#[test]
fn a_case_that_hangs_fails() {
    let hanging = || store::Place::new(store::Flaw::NeverCloses);
    let subject = Subject::new(hanging).deadline(Duration::from_millis(20));
    let mut closing = cases().iter().filter(|case| case.name() == "closing_twice_is_closing_once");
    let outcome = closing.next().expect("the case of a store").run(&subject);
    assert_eq!(outcome, Outcome::Failed("it did not end within 20ms".into()));
}

#[test]
fn a_panic_of_the_fixture_is_a_failure() {
    fn make() -> store::Place {
        panic!("no place")
    }
    let outcome = cases()[0].run(&Subject::new(make));
    assert_eq!(outcome, Outcome::Failed("it panicked: no place".into()));
}

#[test]
fn a_failure_says_what_the_contract_says_and_what_was_seen() {
    let subject = Subject::new(|| store::Place::new(store::Flaw::DeleteAlwaysTrue));
    let case = cases().iter().find(|case| case.name() == "delete_says_whether_there_was_an_entry");
    let Outcome::Failed(why) = case.expect("it is in the table").run(&subject) else {
        panic!("it does not fail");
    };
    for part in
        ["the contract says: delete returns whether there was an entry", "seen: true", "expected: false"]
    {
        assert!(why.contains(part), "{why}");
    }
}

#[test]
fn what_is_not_offered_is_skipped_with_its_reason() {
    let subject =
        Subject::new(|| store::Place::new(store::Flaw::None)).without(Capability::Redirects, "none");
    for case in cases() {
        let skipped = case.run(&subject) == Outcome::Skipped("none".into());
        assert_eq!(skipped, case.needs().contains(&Capability::Redirects), "{case}");
    }
}

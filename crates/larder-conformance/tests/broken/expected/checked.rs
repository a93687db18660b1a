//! Which cases fail with a store that takes broken entries wrongly, or a fixture that does not break them.

use larder_conformance::Capability;

use crate::Flawed;
use crate::checked::{Flaw, Place};

const FLAWED: Flawed = Flawed { in_its: Capability::Corruption, lacks: None };

broken! {
    without_a_flaw: None fails [];
    checks_nothing: ChecksNothing fails [
        "corruption::no_flipped_byte_is_handed_out",
        "corruption::no_flipped_byte_of_a_long_body_is_handed_out",
        "corruption::a_truncated_entry_is_not_whole",
        "corruption::what_is_appended_is_not_handed_out",
        "corruption::a_broken_entry_is_counted",
        "corruption::an_entry_in_the_place_of_another_is_a_miss",
    ];
    ignores_the_key: IgnoresTheKey fails [
        "corruption::an_entry_in_the_place_of_another_is_a_miss",
    ];
    broken_is_an_error: BrokenIsAnError fails [
        "corruption::what_the_fixture_puts_back_is_the_entry",
        "corruption::no_flipped_byte_is_handed_out",
        "corruption::no_flipped_byte_of_a_long_body_is_handed_out",
        "corruption::a_truncated_entry_is_not_whole",
        "corruption::what_is_appended_is_not_handed_out",
        "corruption::garbage_is_a_miss",
        "corruption::a_broken_entry_hurts_no_other",
        "corruption::a_broken_entry_can_be_deleted",
        "corruption::update_head_does_not_revive_a_broken_entry",
        "corruption::a_broken_entry_is_counted",
        "corruption::an_entry_in_the_place_of_another_is_a_miss",
    ];
    broken_is_not_counted: BrokenIsNotCounted fails [
        "corruption::a_broken_entry_is_counted",
    ];
    broken_panics: BrokenPanics fails [
        "corruption::what_the_fixture_puts_back_is_the_entry",
        "corruption::no_flipped_byte_is_handed_out",
        "corruption::no_flipped_byte_of_a_long_body_is_handed_out",
        "corruption::a_truncated_entry_is_not_whole",
        "corruption::what_is_appended_is_not_handed_out",
        "corruption::garbage_is_a_miss",
        "corruption::a_broken_entry_hurts_no_other",
        "corruption::a_broken_entry_can_be_deleted",
        "corruption::update_head_does_not_revive_a_broken_entry",
        "corruption::a_broken_entry_is_counted",
        "corruption::an_entry_in_the_place_of_another_is_a_miss",
        "corruption::a_broken_entry_never_ends_a_listing",
    ];
    broken_stays_broken: BrokenStaysBroken fails [
        "corruption::the_next_write_heals_a_broken_entry",
    ];
    broken_ends_listings: BrokenEndsListings fails [
        "corruption::a_broken_entry_never_ends_a_listing",
    ];
    broken_stops_deleting: BrokenStopsDeleting fails [
        "corruption::a_broken_entry_can_be_deleted",
    ];
    update_head_heals_the_broken: UpdateHeadHealsTheBroken fails [
        "corruption::update_head_does_not_revive_a_broken_entry",
    ];
    the_fixture_damages_nothing: TheFixtureDamagesNothing fails [
        "corruption::what_the_fixture_puts_back_is_the_entry",
        "corruption::a_truncated_entry_is_not_whole",
        "corruption::garbage_is_a_miss",
        "corruption::a_broken_entry_hurts_no_other",
        "corruption::a_broken_entry_can_be_deleted",
        "corruption::update_head_does_not_revive_a_broken_entry",
        "corruption::a_broken_entry_is_counted",
        "corruption::an_entry_in_the_place_of_another_is_a_miss",
        "corruption::a_broken_index_is_an_empty_one",
    ];
    the_fixture_cannot_damage: TheFixtureCannotDamage fails [
        "corruption::what_the_fixture_puts_back_is_the_entry",
        "corruption::no_flipped_byte_is_handed_out",
        "corruption::no_flipped_byte_of_a_long_body_is_handed_out",
        "corruption::a_truncated_entry_is_not_whole",
        "corruption::what_is_appended_is_not_handed_out",
        "corruption::garbage_is_a_miss",
        "corruption::the_next_write_heals_a_broken_entry",
        "corruption::a_broken_entry_hurts_no_other",
        "corruption::a_broken_entry_can_be_deleted",
        "corruption::update_head_does_not_revive_a_broken_entry",
        "corruption::a_broken_entry_is_counted",
        "corruption::an_entry_in_the_place_of_another_is_a_miss",
        "corruption::a_broken_entry_never_ends_a_listing",
    ];
}

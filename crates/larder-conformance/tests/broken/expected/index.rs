//! Which cases fail with a flawed index.

use larder_conformance::Capability;

use crate::Flawed;
use crate::index::{Flaw, Place};

const FLAWED: Flawed = Flawed { in_its: Capability::Redirects, lacks: None };

broken! {
    without_a_flaw: None fails [];
    follows_chains: FollowsChains fails [
        "redirects::a_chain_is_not_followed",
        "backend::a_lookup_is_one_hop",
    ];
    ignores_key_case: IgnoresKeyCase fails [
        "redirects::alias_keys_are_compared_byte_by_byte",
        "redirects::values_lists_every_alias_with_its_target",
    ];
    writes_the_first_key_only: WritesTheFirstKeyOnly fails [
        "redirects::one_write_makes_many_aliases",
        "redirects::a_write_takes_the_place_of_what_the_alias_was",
        "redirects::a_key_named_twice_is_one_alias",
        "redirects::a_hundred_thousand_aliases_are_written_at_once",
        "redirects::a_hundred_thousand_keys_are_deleted_at_once",
        "redirects::size_counts_the_aliases",
        "redirects::keys_lists_every_alias_once",
        "redirects::values_lists_every_alias_with_its_target",
        "redirects::a_listing_begins_at_its_first_poll",
        "redirects::a_listing_keeps_what_stays_while_others_come_and_go",
        "backend::an_entry_is_found_through_its_aliases",
        "backend::an_alias_that_an_entry_replaced_is_gone",
        "backend::an_entry_is_written_before_its_aliases",
        "backend::delete_expired_responses_takes_dangling_aliases_along",
        "sharing::an_instance_sees_the_others_aliases",
        "sharing::an_instance_sees_the_others_alias_deletes",
        "durability::aliases_outlive_a_close",
    ];
    keeps_the_first_target: KeepsTheFirstTarget fails [
        "redirects::a_write_takes_the_place_of_what_the_alias_was",
        "redirects::delete_targets_forgets_a_former_target",
        "redirects::the_expiry_of_the_latest_write_counts",
        "backend::an_entry_is_found_through_its_aliases",
        "sharing::an_instance_sees_the_others_aliases",
        "durability::aliases_outlive_a_close",
    ];
    forgets_expiry: ForgetsExpiry fails [
        "redirects::one_write_makes_many_aliases",
        "redirects::a_write_takes_the_place_of_what_the_alias_was",
        "redirects::expiries_are_kept_to_the_millisecond",
        "redirects::an_ended_alias_is_there_until_it_is_deleted",
        "redirects::delete_expired_deletes_what_ends_now_or_before",
        "redirects::the_expiry_of_the_latest_write_counts",
        "redirects::values_lists_every_alias_with_its_target",
        "backend::an_ended_alias_is_a_miss",
        "backend::an_entry_is_written_before_its_aliases",
        "backend::delete_expired_responses_takes_dangling_aliases_along",
        "concurrency::readers_see_an_alias_of_one_write",
        "sharing::an_instance_sees_the_others_aliases",
        "sharing::an_instance_sees_the_others_alias_deletes",
        "durability::aliases_outlive_a_close",
        "durability::alias_deletes_outlive_a_close",
    ];
    counts_in_seconds: CountsInSeconds fails [
        "redirects::one_write_makes_many_aliases",
        "redirects::a_write_takes_the_place_of_what_the_alias_was",
        "redirects::expiries_are_kept_to_the_millisecond",
        "redirects::an_ended_alias_is_there_until_it_is_deleted",
        "redirects::delete_expired_deletes_what_ends_now_or_before",
        "redirects::the_expiry_of_the_latest_write_counts",
        "redirects::values_lists_every_alias_with_its_target",
        "backend::an_ended_alias_is_a_miss",
        "backend::an_entry_is_written_before_its_aliases",
        "durability::aliases_outlive_a_close",
    ] perhaps [
        "concurrency::readers_see_an_alias_of_one_write",
    ];
    limits_parameters: LimitsParameters fails [
        "redirects::a_hundred_thousand_aliases_are_written_at_once",
        "redirects::a_hundred_thousand_keys_are_deleted_at_once",
    ];
    read_hides_ended: ReadHidesEnded fails [
        "redirects::one_write_makes_many_aliases",
        "redirects::a_write_takes_the_place_of_what_the_alias_was",
        "redirects::expiries_are_kept_to_the_millisecond",
        "redirects::an_ended_alias_is_there_until_it_is_deleted",
        "redirects::delete_expired_deletes_what_ends_now_or_before",
        "redirects::the_expiry_of_the_latest_write_counts",
        "backend::an_ended_alias_is_a_miss",
        "backend::an_entry_is_written_before_its_aliases",
        "concurrency::readers_see_an_alias_of_one_write",
        "sharing::an_instance_sees_the_others_aliases",
        "durability::aliases_outlive_a_close",
    ];
    contains_always_true: ContainsAlwaysTrue fails [
        "redirects::contains_says_whether_a_key_is_an_alias",
        "backend::an_entry_is_written_before_its_aliases",
        "backend::an_alias_that_is_the_key_is_ignored",
        "backend::a_dropped_save_leaves_no_alias_without_its_entry",
        "backend::aliases_are_added_to_an_entry_that_is_there",
    ];
    delete_always_true: DeleteAlwaysTrue fails [
        "redirects::delete_says_whether_there_was_an_alias",
    ];
    delete_takes_the_targets_aliases: DeleteTakesTheTargetsAliases fails [
        "redirects::a_deleted_alias_is_gone_alone",
        "redirects::size_counts_the_aliases",
        "backend::an_alias_that_an_entry_replaced_is_gone",
        "sharing::an_instance_sees_the_others_alias_deletes",
    ];
    bulk_delete_stops_at_absent: BulkDeleteStopsAtAbsent fails [
        "redirects::bulk_delete_deletes_the_named_aliases",
        "redirects::a_hundred_thousand_keys_are_deleted_at_once",
        "sharing::an_instance_sees_the_others_alias_deletes",
    ];
    bulk_delete_counts_keys: BulkDeleteCountsKeys fails [
        "redirects::bulk_delete_deletes_the_named_aliases",
        "redirects::bulk_delete_counts_an_alias_named_twice_once",
        "redirects::a_hundred_thousand_keys_are_deleted_at_once",
        "sharing::an_instance_sees_the_others_alias_deletes",
    ];
    bulk_delete_of_nothing_clears: BulkDeleteOfNothingClears fails [
        "redirects::bulk_operations_on_nothing_do_nothing",
    ];
    delete_targets_does_nothing: DeleteTargetsDoesNothing fails [
        "redirects::a_hundred_thousand_aliases_are_written_at_once",
        "redirects::delete_targets_deletes_every_alias_of_each",
        "redirects::delete_targets_counts_an_alias_once",
        "redirects::delete_targets_is_not_about_the_aliases_own_keys",
        "redirects::delete_targets_forgets_a_former_target",
        "redirects::a_hundred_thousand_keys_are_deleted_at_once",
        "backend::delete_takes_the_aliases_along",
        "backend::delete_goes_through_an_alias",
        "backend::bulk_delete_takes_the_aliases_along",
        "backend::delete_expired_responses_takes_dangling_aliases_along",
        "sharing::an_instance_sees_the_others_alias_deletes",
        "durability::aliases_outlive_a_close",
        "durability::alias_deletes_outlive_a_close",
    ];
    delete_targets_takes_the_first: DeleteTargetsTakesTheFirst fails [
        "redirects::delete_targets_deletes_every_alias_of_each",
        "redirects::a_hundred_thousand_keys_are_deleted_at_once",
        "backend::delete_goes_through_an_alias",
        "backend::bulk_delete_takes_the_aliases_along",
    ];
    delete_targets_takes_own_keys: DeleteTargetsTakesOwnKeys fails [
        "redirects::delete_targets_is_not_about_the_aliases_own_keys",
        "redirects::a_hundred_thousand_keys_are_deleted_at_once",
    ];
    expires_too_late: ExpiresTooLate fails [
        "redirects::delete_expired_deletes_what_ends_now_or_before",
        "backend::delete_expired_responses_takes_dangling_aliases_along",
        "sharing::an_instance_sees_the_others_alias_deletes",
        "durability::alias_deletes_outlive_a_close",
    ];
    never_means_ended: NeverMeansEnded fails [
        "redirects::delete_expired_deletes_what_ends_now_or_before",
        "backend::an_alias_that_an_entry_replaced_is_gone",
        "backend::delete_expired_responses_takes_dangling_aliases_along",
        "sharing::an_instance_sees_the_others_alias_deletes",
    ];
    clear_does_nothing: ClearDoesNothing fails [
        "redirects::clear_deletes_every_alias",
        "backend::clear_deletes_entries_and_aliases",
        "sharing::an_instance_sees_the_others_alias_deletes",
        "durability::alias_deletes_outlive_a_close",
    ];
    size_counts_writes: SizeCountsWrites fails [
        "redirects::a_write_takes_the_place_of_what_the_alias_was",
        "redirects::a_key_named_twice_is_one_alias",
        "redirects::a_hundred_thousand_keys_are_deleted_at_once",
        "redirects::clear_deletes_every_alias",
        "redirects::size_counts_the_aliases",
        "backend::delete_goes_through_an_alias",
        "backend::bulk_delete_takes_the_aliases_along",
        "backend::clear_deletes_entries_and_aliases",
        "concurrency::readers_see_an_alias_of_one_write",
        "sharing::an_instance_sees_the_others_aliases",
        "sharing::an_instance_sees_the_others_alias_deletes",
        "durability::aliases_outlive_a_close",
        "corruption::a_broken_index_is_an_empty_one",
    ];
    keys_lists_twice: KeysListsTwice fails [
        "redirects::keys_lists_every_alias_once",
        "redirects::a_listing_begins_at_its_first_poll",
        "redirects::a_listing_keeps_what_stays_while_others_come_and_go",
    ];
    keys_lists_targets: KeysListsTargets fails [
        "redirects::keys_lists_every_alias_once",
        "redirects::a_listing_begins_at_its_first_poll",
        "redirects::a_listing_keeps_what_stays_while_others_come_and_go",
    ];
    values_forgets_expiry: ValuesForgetsExpiry fails [
        "redirects::values_lists_every_alias_with_its_target",
    ];
    lists_as_of_the_call: ListsAsOfTheCall fails [
        "redirects::a_listing_begins_at_its_first_poll",
    ];
    remembers_reads: RemembersReads fails [
        "sharing::an_instance_sees_the_others_aliases",
        "sharing::an_instance_sees_the_others_alias_deletes",
    ];
    closes_once: ClosesOnce fails [
        "redirects::closing_twice_is_closing_once",
        "backend::closing_closes_both_parts",
        "backend::both_parts_are_closed_when_one_fails",
    ];
}

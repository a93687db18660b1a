//! Which cases fail with a flawed store.

use larder_conformance::Capability;

use crate::Flawed;
use crate::store::{Flaw, Place};

const FLAWED: Flawed = Flawed { in_its: Capability::Responses, lacks: Some(Capability::Corruption) };

broken! {
    without_a_flaw: None fails [];
    loses_last_field_value: LosesLastFieldValue fails [
        "responses::every_field_of_the_head_is_kept",
        "responses::repeated_fields_keep_their_values_in_order",
        "responses::empty_field_values_are_kept",
        "responses::update_head_replaces_the_head_and_keeps_the_body",
        "backend::update_head_reaches_the_store",
        "sharing::a_revision_is_good_in_every_instance",
        "durability::entries_outlive_a_close",
        "durability::revisions_outlive_a_close",
    ];
    loses_empty_field_values: LosesEmptyFieldValues fails [
        "responses::every_field_of_the_head_is_kept",
        "responses::empty_field_values_are_kept",
        "responses::update_head_replaces_the_head_and_keeps_the_body",
        "backend::update_head_reaches_the_store",
        "sharing::a_revision_is_good_in_every_instance",
        "durability::entries_outlive_a_close",
        "durability::revisions_outlive_a_close",
    ];
    loses_history: LosesHistory fails [
        "responses::every_field_of_the_head_is_kept",
        "responses::the_redirect_history_is_kept",
        "responses::update_head_replaces_the_head_and_keeps_the_body",
        "backend::update_head_reaches_the_store",
        "sharing::a_revision_is_good_in_every_instance",
        "durability::entries_outlive_a_close",
        "durability::revisions_outlive_a_close",
    ];
    loses_variants: LosesVariants fails [
        "responses::every_field_of_the_head_is_kept",
        "responses::update_head_replaces_the_head_and_keeps_the_body",
        "backend::update_head_reaches_the_store",
        "sharing::a_revision_is_good_in_every_instance",
        "durability::entries_outlive_a_close",
        "durability::revisions_outlive_a_close",
    ];
    repeats_revisions: RepeatsRevisions fails [
        "responses::no_two_writes_have_the_same_revision",
        "responses::update_head_changes_the_revision",
        "responses::update_head_from_a_stale_revision_does_nothing",
        "responses::update_head_notices_an_equal_entry_written_since",
        "backend::update_head_reaches_the_store",
        "concurrency::one_of_racing_update_heads_wins",
        "sharing::a_revision_is_good_in_every_instance",
        "sharing::revisions_of_two_instances_differ",
        "sharing::one_of_racing_update_heads_wins",
        "durability::revisions_outlive_a_close",
    ] perhaps [
        "concurrency::update_head_never_gives_a_body_another_head",
    ];
    revisions_are_of_the_instance: RevisionsAreOfTheInstance fails [
        "sharing::revisions_of_two_instances_differ",
        "durability::revisions_outlive_a_close",
    ] perhaps [
        "sharing::one_of_racing_update_heads_wins",
    ];
    update_head_ignores_revision: UpdateHeadIgnoresRevision fails [
        "responses::update_head_from_a_stale_revision_does_nothing",
        "responses::update_head_notices_an_equal_entry_written_since",
        "responses::update_head_takes_no_foreign_revision",
        "backend::update_head_reaches_the_store",
        "concurrency::one_of_racing_update_heads_wins",
        "sharing::a_revision_is_good_in_every_instance",
        "sharing::one_of_racing_update_heads_wins",
        "durability::revisions_outlive_a_close",
    ] perhaps [
        "concurrency::update_head_never_gives_a_body_another_head",
    ];
    update_head_keeps_revision: UpdateHeadKeepsRevision fails [
        "responses::update_head_changes_the_revision",
        "responses::update_head_from_a_stale_revision_does_nothing",
        "backend::update_head_reaches_the_store",
        "concurrency::one_of_racing_update_heads_wins",
        "sharing::one_of_racing_update_heads_wins",
    ];
    update_head_empties_body: UpdateHeadEmptiesBody fails [
        "responses::update_head_replaces_the_head_and_keeps_the_body",
        "responses::update_head_from_a_stale_revision_does_nothing",
        "responses::the_size_that_is_told_is_the_size",
        "backend::update_head_reaches_the_store",
        "concurrency::one_of_racing_update_heads_wins",
        "sharing::a_revision_is_good_in_every_instance",
        "durability::revisions_outlive_a_close",
    ] perhaps [
        "concurrency::update_head_never_gives_a_body_another_head",
    ];
    update_head_makes_entries: UpdateHeadMakesEntries fails [
        "responses::update_head_makes_no_entry",
    ];
    delete_always_true: DeleteAlwaysTrue fails [
        "responses::delete_says_whether_there_was_an_entry",
        "backend::delete_takes_the_aliases_along",
        "concurrency::one_of_racing_deletes_counts",
    ];
    delete_does_nothing: DeleteDoesNothing fails [
        "responses::update_head_makes_no_entry",
        "responses::contains_says_whether_there_is_an_entry",
        "responses::a_deleted_entry_is_gone",
        "responses::delete_says_whether_there_was_an_entry",
        "responses::size_counts_the_entries",
        "responses::the_bytes_that_are_told_come_and_go_with_entries",
        "backend::delete_takes_the_aliases_along",
        "sharing::an_instance_sees_the_others_deletes",
        "durability::deletes_outlive_a_close",
    ] perhaps [
        "concurrency::one_of_racing_deletes_counts",
    ];
    bulk_delete_stops_at_absent: BulkDeleteStopsAtAbsent fails [
        "responses::bulk_delete_passes_over_absent_keys",
        "responses::bulk_delete_counts_a_key_named_twice_once",
        "responses::bulk_delete_takes_ten_thousand_keys",
        "backend::delete_goes_through_an_alias",
        "backend::bulk_delete_takes_the_aliases_along",
        "sharing::an_instance_sees_the_others_deletes",
    ];
    bulk_delete_counts_keys: BulkDeleteCountsKeys fails [
        "responses::bulk_delete_passes_over_absent_keys",
        "responses::bulk_delete_counts_a_key_named_twice_once",
        "responses::bulk_delete_takes_ten_thousand_keys",
        "backend::bulk_delete_takes_the_aliases_along",
        "backend::a_failing_index_does_not_keep_entries_from_going",
        "concurrency::one_of_racing_deletes_counts",
        "sharing::an_instance_sees_the_others_deletes",
    ];
    bulk_delete_of_nothing_clears: BulkDeleteOfNothingClears fails [
        "responses::bulk_delete_of_nothing_deletes_nothing",
        "backend::bulk_delete_takes_the_aliases_along",
    ];
    contains_always_true: ContainsAlwaysTrue fails [
        "responses::contains_says_whether_there_is_an_entry",
        "backend::an_alias_that_an_entry_replaced_is_gone",
        "backend::a_lookup_is_one_hop",
        "backend::a_dangling_alias_is_a_miss",
        "backend::an_ended_alias_is_a_miss",
        "backend::contains_looks_through_aliases",
        "backend::a_failing_index_is_a_miss",
        "backend::delete_expired_responses_takes_dangling_aliases_along",
    ];
    clear_does_nothing: ClearDoesNothing fails [
        "responses::clear_deletes_every_entry",
        "responses::a_cleared_store_can_be_written",
        "backend::clear_deletes_entries_and_aliases",
        "backend::a_failing_index_does_not_keep_entries_from_going",
        "sharing::an_instance_sees_the_others_clear",
        "durability::deletes_outlive_a_close",
    ];
    expires_too_late: ExpiresTooLate fails [
        "responses::delete_expired_deletes_what_ends_now_or_before",
        "responses::an_entry_without_expiry_never_expires",
        "responses::an_expired_entry_is_kept_until_its_delete_time",
        "backend::an_alias_that_an_entry_replaced_is_gone",
        "backend::delete_expired_responses_takes_dangling_aliases_along",
        "backend::a_failing_index_does_not_keep_entries_from_going",
        "sharing::an_instance_sees_the_others_deletes",
        "durability::expiries_outlive_a_close",
    ];
    ignores_delete_time: IgnoresDeleteTime fails [
        "responses::an_expired_entry_is_kept_until_its_delete_time",
    ];
    never_means_expired: NeverMeansExpired fails [
        "responses::update_head_sets_the_expiry",
        "responses::an_entry_without_expiry_never_expires",
        "backend::an_alias_that_an_entry_replaced_is_gone",
        "backend::delete_expired_responses_takes_dangling_aliases_along",
        "backend::a_failing_index_does_not_keep_entries_from_going",
        "sharing::an_instance_sees_the_others_deletes",
        "durability::expiries_outlive_a_close",
    ];
    read_hides_expired: ReadHidesExpired fails [
        "responses::every_field_of_the_head_is_kept",
        "responses::times_are_kept_to_the_millisecond",
        "responses::read_head_agrees_with_read",
        "responses::update_head_replaces_the_head_and_keeps_the_body",
        "responses::update_head_sets_the_expiry",
        "responses::delete_expired_deletes_what_ends_now_or_before",
        "responses::an_expired_entry_is_there_until_it_is_deleted",
        "responses::an_expired_entry_is_kept_until_its_delete_time",
        "backend::an_alias_that_an_entry_replaced_is_gone",
        "backend::an_expired_entry_is_found",
        "backend::update_head_reaches_the_store",
        "sharing::an_instance_sees_the_others_deletes",
        "sharing::a_revision_is_good_in_every_instance",
        "durability::entries_outlive_a_close",
        "durability::revisions_outlive_a_close",
    ];
    ignores_key_case: IgnoresKeyCase fails [
        "responses::keys_that_differ_in_case_are_different",
        "responses::the_longest_and_the_shortest_key_are_keys",
        "responses::keys_that_look_like_files_are_keys",
    ];
    cuts_long_keys: CutsLongKeys fails [
        "responses::keys_that_begin_alike_are_different",
        "responses::the_longest_and_the_shortest_key_are_keys",
    ];
    publishes_early: PublishesEarly fails [
        "responses::a_failing_body_leaves_the_previous_entry",
        "responses::a_failing_body_leaves_no_entry_where_there_was_none",
        "responses::a_body_of_another_length_than_promised_is_not_stored",
        "responses::an_entry_is_not_visible_before_its_body_has_ended",
        "responses::a_dropped_write_leaves_the_previous_entry_or_the_new_one",
        "responses::a_dropped_write_of_a_new_key_leaves_nothing_or_the_entry",
    ] perhaps [
        "concurrency::readers_see_whole_entries_while_they_are_replaced",
        "concurrency::readers_see_whole_entries_or_none_while_they_are_deleted",
        "concurrency::update_head_never_gives_a_body_another_head",
    ];
    keeps_failed_bodies: KeepsFailedBodies fails [
        "responses::a_failing_body_leaves_the_previous_entry",
        "responses::a_failing_body_leaves_no_entry_where_there_was_none",
        "responses::a_body_of_another_length_than_promised_is_not_stored",
        "responses::a_write_after_a_failed_one_succeeds",
    ];
    misses_on_failed_bodies: MissesOnFailedBodies fails [
        "responses::a_failing_body_leaves_the_previous_entry",
        "responses::a_body_of_another_length_than_promised_is_not_stored",
    ];
    cuts_long_bodies: CutsLongBodies fails [
        "responses::bodies_of_every_length_are_kept",
        "responses::bodies_of_unknown_length_are_kept",
        "responses::bodies_of_promised_length_are_kept",
    ];
    reads_bodies_late: ReadsBodiesLate fails [
        "responses::a_streamed_read_never_goes_on_with_other_bytes",
        "sharing::a_streamed_read_survives_another_instance",
    ] perhaps [
        "concurrency::readers_see_whole_entries_while_they_are_replaced",
        "concurrency::readers_see_whole_entries_or_none_while_they_are_deleted",
        "concurrency::update_head_never_gives_a_body_another_head",
        "sharing::an_instance_reads_whole_entries_while_another_writes",
    ];
    panics_on_empty_bodies: PanicsOnEmptyBodies fails [
        "responses::read_head_agrees_with_read",
        "responses::an_empty_body_is_kept",
        "responses::bodies_of_every_length_are_kept",
        "responses::bodies_of_unknown_length_are_kept",
        "responses::bodies_of_promised_length_are_kept",
        "responses::a_write_takes_the_place_of_the_previous_entry",
        "responses::update_head_replaces_the_head_and_keeps_the_body",
    ];
    wrong_body_len: WrongBodyLen fails [
        "responses::read_head_agrees_with_read",
        "responses::update_head_replaces_the_head_and_keeps_the_body",
        "concurrency::readers_see_whole_entries_while_they_are_replaced",
        "concurrency::update_head_never_gives_a_body_another_head",
    ] perhaps [
        "concurrency::readers_see_whole_entries_or_none_while_they_are_deleted",
    ];
    keys_lists_twice: KeysListsTwice fails [
        "responses::an_entry_is_not_visible_before_its_body_has_ended",
        "responses::keys_lists_every_key_once",
        "responses::a_listing_begins_at_its_first_poll",
        "responses::a_listing_can_be_left_and_begun_again",
        "responses::a_listing_keeps_what_stays_while_others_come_and_go",
        "responses::keys_that_differ_in_case_are_different",
        "responses::keys_that_begin_alike_are_different",
        "responses::the_longest_and_the_shortest_key_are_keys",
        "responses::keys_that_look_like_files_are_keys",
        "responses::digests_are_keys",
        "backend::listings_are_of_entries_alone",
        "concurrency::listings_go_on_while_entries_change",
        "sharing::an_instance_lists_the_others_entries",
    ];
    keys_stops_at_a_hundred: KeysStopsAtAHundred fails [
        "responses::keys_lists_every_key_once",
        "responses::a_listing_keeps_what_stays_while_others_come_and_go",
    ];
    values_fails_on_the_deleted: ValuesFailsOnTheDeleted fails [
        "responses::a_listing_passes_over_what_is_deleted_meanwhile",
    ] perhaps [
        "concurrency::listings_go_on_while_entries_change",
    ];
    lists_as_of_the_call: ListsAsOfTheCall fails [
        "responses::a_listing_begins_at_its_first_poll",
    ];
    size_counts_writes: SizeCountsWrites fails [
        "responses::a_write_takes_the_place_of_the_previous_entry",
        "responses::bulk_delete_takes_ten_thousand_keys",
        "responses::clear_deletes_every_entry",
        "responses::a_cleared_store_can_be_written",
        "responses::size_counts_the_entries",
        "responses::the_size_that_is_told_is_the_size",
        "backend::bulk_delete_takes_the_aliases_along",
        "backend::clear_deletes_entries_and_aliases",
        "backend::a_failing_index_does_not_keep_entries_from_going",
        "concurrency::the_last_of_racing_writes_is_whole",
        "sharing::an_instance_sees_the_others_clear",
        "durability::deletes_outlive_a_close",
        "durability::expiries_outlive_a_close",
    ];
    remembers_reads: RemembersReads fails [
        "sharing::an_instance_sees_the_others_writes",
        "sharing::an_instance_sees_the_others_deletes",
        "sharing::an_instance_sees_the_others_clear",
        "sharing::a_revision_is_good_in_every_instance",
    ];
    loses_what_was_not_closed: LosesWhatWasNotClosed fails [
        "sharing::an_instance_sees_the_others_writes",
        "sharing::an_instance_sees_the_others_deletes",
        "sharing::an_instance_sees_the_others_clear",
        "sharing::an_instance_lists_the_others_entries",
        "sharing::a_revision_is_good_in_every_instance",
        "sharing::revisions_of_two_instances_differ",
        "sharing::closing_one_leaves_the_other_open",
        "durability::entries_outlive_a_drop",
        "durability::revisions_outlive_a_close",
    ];
    counts_writes_as_entries: CountsWritesAsEntries fails [
        "responses::the_size_that_is_told_is_the_size",
    ];
    counts_deleted_bytes: CountsDeletedBytes fails [
        "responses::the_size_that_is_told_is_the_size",
        "responses::the_bytes_that_are_told_come_and_go_with_entries",
    ];
    counts_deletions_as_evictions: CountsDeletionsAsEvictions fails [
        "responses::what_was_asked_for_is_not_counted_as_an_eviction",
    ];
    counts_go_back: CountsGoBack fails [
        "responses::counts_never_go_back",
    ];
    exceeds_its_limits: ExceedsItsLimits fails [
        "responses::what_is_there_is_within_the_limits_that_are_told",
    ];
    closes_once: ClosesOnce fails [
        "responses::closing_twice_is_closing_once",
        "backend::closing_closes_both_parts",
        "backend::both_parts_are_closed_when_one_fails",
    ];
}

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
                heads::every_field_of_the_head_is_kept [responses] "a read returns the head that was written, with every field set";
                heads::repeated_fields_keep_their_values_in_order [responses] "no value of a repeated header field is lost or moved";
                heads::field_values_keep_bytes_outside_ascii [responses] "field values keep the bytes 0x80 to 0xFF";
                heads::empty_field_values_are_kept [responses] "a field without a value is still a field";
                heads::many_and_long_fields_are_kept [responses] "a head of hundreds of fields and a long value is kept whole";
                heads::the_request_fields_of_vary_are_kept [responses] "the request fields that Vary nominates are kept";
                heads::methods_statuses_and_versions_are_kept [responses] "method, status and version are kept, extensions too";
                heads::reasons_are_kept [responses] "a reason phrase is kept, and none is not an empty one";
                heads::urls_are_kept [responses] "URLs are kept, long ones and odd ones too";
                heads::the_redirect_history_is_kept [responses] "every hop is kept with its method, URL, status and fields";
                heads::times_are_kept_to_the_millisecond [responses] "times are kept, those before 1970 and the extremes too";
                heads::metadata_is_kept [responses] "the user's metadata is kept, whatever text it is";
                heads::read_head_agrees_with_read [responses] "read_head gives read's head and revision, and its body's length";
                heads::a_head_is_of_its_own_entry [responses] "read_head returns the head of the entry under its key, or none";
                bodies::an_empty_body_is_kept [responses] "a body of no bytes is an entry like any other";
                bodies::a_body_of_every_byte_is_kept [responses] "a body is bytes, not text";
                bodies::bodies_of_every_length_are_kept [responses] "buffered bodies are kept on both sides of every chunk boundary";
                bodies::bodies_of_unknown_length_are_kept [responses] "streamed bodies are kept on both sides of every chunk boundary";
                bodies::bodies_of_promised_length_are_kept [responses] "streamed bodies that keep their promised length are kept";
                bodies::the_size_of_the_chunks_does_not_matter [responses] "a body is kept however it is cut into chunks";
                bodies::empty_chunks_are_not_the_end [responses] "a body ends where its stream ends";
                bodies::a_body_that_arrives_slowly_is_kept [responses] "a write consumes its body as it arrives";
                bodies::an_entry_can_be_read_again_and_again [responses] "readers do not disturb each other, and use nothing up";
                bodies::a_body_need_not_be_read_to_its_end [responses] "a reader that stops early leaves the entry as it is";
                writing::what_was_never_written_is_a_miss [responses] "a miss is Ok(None)";
                writing::a_write_takes_the_place_of_the_previous_entry [responses] "a write replaces head and body, longer and shorter";
                writing::entries_are_kept_apart [responses] "a write does not touch another key";
                writing::a_failing_body_leaves_the_previous_entry [responses] "a write whose body fails is an error, and the previous entry stays";
                writing::a_failing_body_leaves_no_entry_where_there_was_none [responses] "a write whose body fails stores nothing";
                writing::a_body_of_another_length_than_promised_is_not_stored [responses] "a body that breaks its promised length is not stored";
                writing::an_entry_is_not_visible_before_its_body_has_ended [responses] "an entry is visible only when it is whole";
                writing::a_dropped_write_leaves_the_previous_entry_or_the_new_one [responses] "a write that is dropped anywhere leaves a whole entry";
                writing::a_dropped_write_of_a_new_key_leaves_nothing_or_the_entry [responses] "a write that is dropped anywhere leaves no part of an entry";
                writing::a_streamed_read_never_goes_on_with_other_bytes [responses] "a reader finishes its entry or fails, whatever happens to it";
                writing::a_write_after_a_failed_one_succeeds [responses] "a failed write leaves nothing in the way of the next";
                writing::a_revision_that_a_response_carries_is_ignored [responses] "a response that was read elsewhere is written like any other";
                revisions::no_two_writes_have_the_same_revision [responses] "equal writes have different revisions, across deletes and clears";
                revisions::a_revision_lasts_until_the_next_write [responses] "the revision stays as long as the entry is not written";
                revisions::every_way_of_reading_gives_the_same_revision [responses] "read, read_head, heads and values give one revision";
                revisions::update_head_replaces_the_head_and_keeps_the_body [responses] "a 304 gives the entry a new head and keeps its body";
                revisions::update_head_changes_the_revision [responses] "an updated entry is at another revision, and can be updated again";
                revisions::update_head_from_a_stale_revision_does_nothing [responses] "an entry that was written or updated since is left alone";
                revisions::update_head_notices_an_equal_entry_written_since [responses] "an equal entry that was written since is another one";
                revisions::update_head_makes_no_entry [responses] "update_head of a missing or deleted entry is false";
                revisions::update_head_takes_no_foreign_revision [responses] "an entry is not at a revision that it never had";
                revisions::update_head_sets_the_expiry [responses] "delete_expired looks at the expiry that update_head set";
                deleting::contains_says_whether_there_is_an_entry [responses] "contains agrees with what was written and deleted";
                deleting::a_deleted_entry_is_gone [responses] "delete deletes its entry, and no other";
                deleting::delete_says_whether_there_was_an_entry [responses] "delete returns true once";
                deleting::a_deleted_entry_can_be_written_again [responses] "a write after a delete stores the entry";
                deleting::bulk_delete_deletes_the_named_entries [responses] "bulk_delete deletes what it is given, and nothing else";
                deleting::bulk_delete_passes_over_absent_keys [responses] "bulk_delete goes on after a key without an entry, and does not count it";
                deleting::bulk_delete_counts_a_key_named_twice_once [responses] "a key that is named twice counts once";
                deleting::bulk_delete_of_nothing_deletes_nothing [responses] "an empty list is not everything";
                deleting::bulk_delete_takes_ten_thousand_keys [responses] "bulk_delete takes any number of keys";
                deleting::clear_deletes_every_entry [responses] "a cleared store is empty";
                deleting::a_cleared_store_can_be_written [responses] "a write after a clear stores the entry";
                deleting::closing_twice_is_closing_once [responses] "close is idempotent, and what is asked afterwards ends";
                expiry::delete_expired_deletes_what_ends_now_or_before [responses] "entries with expires_at <= now go, and are counted";
                expiry::an_entry_without_expiry_never_expires [responses] "no expiry is never, at the end of time too";
                expiry::the_expiry_of_the_latest_write_counts [responses] "a replaced entry's expiry is forgotten";
                expiry::an_expired_entry_is_there_until_it_is_deleted [responses] "no operation but delete_expired looks at expires_at and delete_at";
                expiry::an_expired_entry_is_kept_until_its_delete_time [responses] "delete_at goes before expires_at";
                expiry::delete_expired_of_an_empty_store_is_nothing [responses] "an empty store has nothing that expires";
                listing::an_empty_store_lists_nothing [responses] "an empty store is of size zero, with empty listings";
                listing::size_counts_the_entries [responses] "size agrees with what was written, replaced and deleted";
                listing::keys_lists_every_key_once [responses] "keys is complete, without repeats";
                listing::heads_lists_every_head_once [responses] "heads is complete, each head with its own key";
                listing::values_lists_every_response_once [responses] "values is complete, each response with its own key and body";
                listing::responses_of_a_listing_can_be_read_in_any_order [responses] "the responses of a listing are independent";
                listing::a_listing_begins_at_its_first_poll [responses] "an entry written before the first poll is listed";
                listing::a_listing_can_be_left_and_begun_again [responses] "listings do not disturb each other";
                listing::a_listing_keeps_what_stays_while_others_come_and_go [responses] "what is there all the time is listed exactly once";
                listing::a_listing_passes_over_what_is_deleted_meanwhile [responses] "a deleted entry does not end a listing";
                stats::counts_never_go_back [responses] "what a store counted stays counted, after a clear and a close too";
                stats::what_was_asked_for_is_not_counted_as_an_eviction [responses] "deleting and replacing are neither evictions nor damage";
                stats::the_size_that_is_told_is_the_size [responses] "the entries of stats, if told, are those of size";
                stats::the_bytes_that_are_told_come_and_go_with_entries [responses] "the bytes of stats, if told, are those of the entries there are";
                stats::what_is_there_is_within_the_limits_that_are_told [responses] "limits are constant, and kept after every operation";
                keys::keys_that_differ_in_case_are_different [responses] "a key is compared byte by byte";
                keys::keys_that_begin_alike_are_different [responses] "a key is compared to its end";
                keys::the_longest_and_the_shortest_key_are_keys [responses] "keys of 1 and of 128 bytes name entries";
                keys::keys_that_look_like_files_are_keys [responses] "names that mean something to a file system are keys like any other";
                keys::digests_are_keys [responses] "the keys that larder makes name entries";
            }
            redirects {
                writing::what_was_never_written_is_no_alias [redirects] "a miss is Ok(None)";
                writing::an_alias_leads_to_its_target [redirects] "read returns the target that was written";
                writing::one_write_makes_many_aliases [redirects] "write makes every key an alias of the target";
                writing::a_write_takes_the_place_of_what_the_alias_was [redirects] "write replaces target and expiry of its keys, and of no others";
                writing::a_key_named_twice_is_one_alias [redirects] "a key that is named twice in one write is one alias";
                writing::a_write_of_no_keys_writes_nothing [redirects] "an empty list makes no alias";
                writing::a_chain_is_not_followed [redirects] "what an alias leads to is never looked up as an alias";
                writing::expiries_are_kept_to_the_millisecond [redirects] "an alias keeps when it ends, or that it never does";
                writing::an_ended_alias_is_there_until_it_is_deleted [redirects] "no operation but delete_expired looks at an alias's expiry";
                writing::contains_says_whether_a_key_is_an_alias [redirects] "contains agrees with what was written and deleted";
                writing::alias_keys_are_compared_byte_by_byte [redirects] "keys that differ in case or length are different aliases and targets";
                writing::a_hundred_thousand_aliases_are_written_at_once [redirects] "write takes any number of keys";
                deleting::delete_says_whether_there_was_an_alias [redirects] "delete returns true once";
                deleting::a_deleted_alias_is_gone_alone [redirects] "delete deletes its alias, and no other";
                deleting::bulk_delete_deletes_the_named_aliases [redirects] "bulk_delete deletes what it is given and counts what there was";
                deleting::bulk_delete_counts_an_alias_named_twice_once [redirects] "a key that is named twice counts once";
                deleting::bulk_operations_on_nothing_do_nothing [redirects] "an empty list is not everything";
                deleting::delete_targets_deletes_every_alias_of_each [redirects] "delete_targets deletes all aliases of its targets, and no others";
                deleting::delete_targets_counts_an_alias_once [redirects] "a target that is named twice does not count twice";
                deleting::delete_targets_is_not_about_the_aliases_own_keys [redirects] "an alias is not deleted for its own key";
                deleting::delete_targets_forgets_a_former_target [redirects] "an alias is of the target last written";
                deleting::a_hundred_thousand_keys_are_deleted_at_once [redirects] "bulk_delete and delete_targets take any number of keys";
                deleting::delete_expired_deletes_what_ends_now_or_before [redirects] "aliases with expires_at <= now go, and are counted";
                deleting::the_expiry_of_the_latest_write_counts [redirects] "a replaced alias's expiry is forgotten";
                deleting::clear_deletes_every_alias [redirects] "a cleared index is empty, and can be written";
                deleting::closing_twice_is_closing_once [redirects] "close is idempotent, and what is asked afterwards ends";
                listing::an_empty_index_lists_nothing [redirects] "an empty index is of size zero, with empty listings";
                listing::size_counts_the_aliases [redirects] "size agrees with what was written, replaced and deleted";
                listing::keys_lists_every_alias_once [redirects] "keys is complete, without repeats or targets";
                listing::values_lists_every_alias_with_its_target [redirects] "values is complete, each alias with its target and expiry";
                listing::a_listing_begins_at_its_first_poll [redirects] "an alias written before the first poll is listed";
                listing::a_listing_keeps_what_stays_while_others_come_and_go [redirects] "what is there all the time is listed exactly once";
            }
            backend {
                lookup::an_entry_is_found_under_its_key [responses redirects] "a saved response is found under its key";
                lookup::an_entry_is_found_through_its_aliases [responses redirects] "a saved response is found through each of its aliases";
                lookup::an_entry_comes_before_an_alias [responses redirects] "a lookup is direct first, then through an alias";
                lookup::an_alias_that_an_entry_replaced_is_gone [responses redirects] "a superseded alias does not answer after its entry is gone";
                lookup::an_entry_that_an_alias_replaced_is_gone [responses redirects] "an entry under a key that became an alias does not answer";
                lookup::a_lookup_is_one_hop [responses redirects] "an alias of an alias is a miss";
                lookup::a_dangling_alias_is_a_miss [responses redirects] "an alias without its entry is a miss, and no failure";
                lookup::an_ended_alias_is_a_miss [responses redirects] "an alias leads to its entry until it ends";
                lookup::an_expired_entry_is_found [responses redirects] "a lookup does not look at the entry's own expiry";
                lookup::contains_looks_through_aliases [responses redirects] "contains says what a lookup would find";
                lookup::a_failing_index_is_a_miss [responses redirects] "a failure of the index is a miss, and counted";
                lookup::lookups_and_saves_are_counted [responses redirects] "stats counts what was found, missed and saved, in all clones together";
                lookup::a_failing_store_is_a_lookup_that_failed [responses redirects] "a failure of the store is Lookup::Failed, and counted";
                saving::an_entry_is_written_before_its_aliases [responses redirects] "an alias is never there before its entry";
                saving::an_alias_that_is_the_key_is_ignored [responses redirects] "an entry is not an alias of itself";
                saving::an_entry_that_cannot_be_written_gets_no_aliases [responses redirects] "a failed write makes no alias";
                saving::an_entry_is_saved_though_its_aliases_are_not [responses redirects] "a failure of the index does not lose the entry";
                saving::a_dropped_save_leaves_no_alias_without_its_entry [responses redirects] "a save that is dropped anywhere leaves no dangling alias";
                saving::aliases_are_added_to_an_entry_that_is_there [responses redirects] "a redirect may be learnt after what it leads to";
                saving::update_head_reaches_the_store [responses redirects] "a 304 gives the entry a new head, if it is still the same one";
                saving::a_saved_response_takes_the_place_of_a_dangling_alias [responses redirects] "an entry may have the key of an alias";
                deleting::aliases_are_deleted_before_their_entry [responses redirects] "an alias is never left when its entry is gone";
                deleting::delete_takes_the_aliases_along [responses redirects] "delete deletes the entry and all of its aliases, and no others";
                deleting::delete_goes_through_an_alias [responses redirects] "delete of an alias deletes the entry that it leads to";
                deleting::bulk_delete_takes_the_aliases_along [responses redirects] "bulk_delete deletes the aliases of every entry that it deletes";
                deleting::clear_deletes_entries_and_aliases [responses redirects] "a cleared cache is empty, and can be written";
                deleting::delete_expired_responses_takes_dangling_aliases_along [responses redirects] "aliases that have ended or lead nowhere go with what expired";
                deleting::a_failing_index_does_not_keep_entries_from_going [responses redirects] "entries are deleted without the index";
                deleting::a_failing_store_is_an_error_of_deleting [responses redirects] "what could not be deleted is an error";
                listing::listings_are_of_entries_alone [responses redirects] "size, keys and values are of the entries, not of their aliases";
                listing::get_urls_lists_the_url_of_every_entry [responses redirects] "get_urls returns the URL of every entry";
                listing::closing_closes_both_parts [responses redirects] "close closes index and store, and can be repeated";
                listing::both_parts_are_closed_when_one_fails [responses redirects] "a part that cannot be closed does not keep the other open";
            }
            concurrency {
                entries::readers_see_whole_entries_while_they_are_replaced [responses] "no reader sees a torn or a mixed entry";
                entries::a_replaced_entry_is_never_absent [responses] "a reader of an entry that is only ever replaced sees one";
                entries::readers_see_whole_entries_or_none_while_they_are_deleted [responses] "deletes and clears tear no entry";
                entries::writes_of_different_keys_are_all_kept [responses] "no write of one key loses another";
                entries::the_last_of_racing_writes_is_whole [responses] "racing writes of one key leave one whole entry";
                entries::one_of_racing_update_heads_wins [responses] "exactly one update_head from a revision succeeds";
                entries::update_head_never_gives_a_body_another_head [responses] "update_head and write do not mix their entries";
                entries::one_of_racing_deletes_counts [responses] "an entry is deleted, and counted, once";
                entries::listings_go_on_while_entries_change [responses] "a listing beside writes and deletes is complete and whole";
                aliases::writes_of_different_aliases_are_all_kept [redirects] "no write of one alias loses another";
                aliases::readers_see_an_alias_of_one_write [redirects] "target and expiry of an alias are of one write";
            }
            sharing {
                entries::an_instance_sees_the_others_writes [responses sharing] "a write is seen by every instance once it returned";
                entries::an_instance_sees_the_others_deletes [responses sharing] "deletes and expiries are seen by every instance";
                entries::an_instance_sees_the_others_clear [responses sharing] "a clear is seen by every instance, and all can write after it";
                entries::an_instance_lists_the_others_entries [responses sharing] "a listing is of what every instance wrote";
                entries::a_revision_is_good_in_every_instance [responses sharing] "a 304 is applied in one instance as read in another, once";
                entries::revisions_of_two_instances_differ [responses sharing] "no two instances give the same revision";
                entries::one_of_racing_update_heads_wins [responses sharing] "exactly one update_head succeeds, across instances too";
                entries::an_instance_reads_whole_entries_while_another_writes [responses sharing] "no reader sees a torn entry of another instance";
                entries::a_streamed_read_survives_another_instance [responses sharing] "a reader is not handed what another instance wrote since";
                entries::closing_one_leaves_the_other_open [responses sharing] "an instance goes on when another one is closed";
                aliases::an_instance_sees_the_others_aliases [redirects sharing] "an alias is seen by every instance once it was written";
                aliases::an_instance_sees_the_others_alias_deletes [redirects sharing] "deletes and clears of aliases are seen by every instance";
                aliases::writes_of_two_instances_are_all_kept [redirects sharing] "no write of one instance loses another's";
            }
            durability {
                entries::entries_outlive_a_close [responses durability] "entries are there, whole, when the place is opened again";
                entries::entries_outlive_a_drop [responses durability] "what a write that returned has stored needs no close";
                entries::deletes_outlive_a_close [responses durability] "what was deleted or cleared does not come back";
                entries::revisions_outlive_a_close [responses durability] "revisions stay good, and are not given again";
                entries::expiries_outlive_a_close [responses durability] "an entry keeps when it expires";
                aliases::aliases_outlive_a_close [redirects durability] "aliases are there, with target and expiry";
                aliases::aliases_outlive_a_drop [redirects durability] "an alias that was written needs no close";
                aliases::alias_deletes_outlive_a_close [redirects durability] "aliases that were deleted do not come back";
            }
            corruption {
                entries::what_the_fixture_puts_back_is_the_entry [responses corruption] "the fixture damages and restores what the store reads";
                entries::no_flipped_byte_is_handed_out [responses corruption] "every byte of an entry is covered by a check";
                entries::no_flipped_byte_of_a_long_body_is_handed_out [responses corruption] "every chunk of a body is checked before it is handed out";
                entries::a_truncated_entry_is_not_whole [responses corruption] "an entry that lacks bytes is not taken for a shorter one";
                entries::what_is_appended_is_not_handed_out [responses corruption] "bytes behind an entry are not part of it";
                entries::garbage_is_a_miss [responses corruption] "whatever stands in the entry's place reads as Ok(None)";
                entries::the_next_write_heals_a_broken_entry [responses corruption] "a write replaces whatever is in the entry's place";
                entries::a_broken_entry_hurts_no_other [responses corruption] "a failure with one key does not touch another";
                entries::a_broken_entry_can_be_deleted [responses corruption] "a broken entry does not keep itself or others from being deleted";
                entries::update_head_does_not_revive_a_broken_entry [responses corruption] "a broken entry has no head to update";
                entries::a_broken_entry_is_counted [responses corruption] "damaged entries that a read meets can be seen in stats";
                entries::an_entry_in_the_place_of_another_is_a_miss [responses corruption] "an entry is read under its own key only";
                entries::a_broken_entry_never_ends_a_listing [responses corruption] "every whole entry is listed beside broken ones";
                aliases::a_broken_index_is_an_empty_one [redirects corruption] "a broken index reads as empty, and the next write works";
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
            a_plain_head_round_trips "a head without fields is decoded to what was encoded";
            every_field_round_trips "a head with every field set is decoded to what was encoded";
            field_values_round_trip "field values are kept in order, whatever bytes they have";
            heads_with_many_fields_round_trip "a head of many and long fields is kept whole";
            methods_statuses_and_versions_round_trip "method, status and version are kept, extensions too";
            times_round_trip "times are kept, those before 1970 and the extremes too";
            text_round_trips "reason and metadata are kept, whatever text they are";
            encoding_appends "encode leaves what is in its buffer";
            truncations_are_refused "the beginning of an encoding is not taken for a whole one";
            what_follows_the_encoding_is_refused "an encoding with more behind it is refused";
            damaged_encodings_do_no_harm "a damaged encoding is a head or Corrupt, and never a panic";
            any_bytes_do_no_harm "any bytes are a head or Corrupt, and never a panic";
            the_format_has_a_name_and_a_number "entries can name the format";
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

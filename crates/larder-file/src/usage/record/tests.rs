//! The record's arithmetic: against damage, and against a truth that changes under a walk.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(START.as_millis() + seconds * 1000)
}

fn counted() -> Record {
    Record::new(7, 1, true)
}

fn entry(len: u64) -> Amount {
    Amount::entry(len)
}

/// The record as `docs/format.md` has it; its checksum is zlib's.
#[test]
fn the_bytes_of_a_record_are_those_of_the_format() {
    let written = Record {
        counted: true,
        total: Amount { bytes: 1000, entries: 2 },
        finished: Amount { bytes: 3000, entries: 4 },
        pending: [Amount { bytes: 50, entries: 6 }, Amount { bytes: 7, entries: 8 }],
        epoch: 9,
        epoch_began: -10,
        series: 0x1112_1314_1516_1718,
        corrections: 12,
        boot: 0x2122_2324_2526_2728,
    };
    let words: [[u8; 8]; 16] = [
        *b"\x89LARUSE\n",
        [1, 0, 1, 0, 0, 0, 0, 0],
        [0xe8, 0x03, 0, 0, 0, 0, 0, 0],
        [2, 0, 0, 0, 0, 0, 0, 0],
        [0xb8, 0x0b, 0, 0, 0, 0, 0, 0],
        [4, 0, 0, 0, 0, 0, 0, 0],
        [50, 0, 0, 0, 0, 0, 0, 0],
        [6, 0, 0, 0, 0, 0, 0, 0],
        [7, 0, 0, 0, 0, 0, 0, 0],
        [8, 0, 0, 0, 0, 0, 0, 0],
        [9, 0, 0, 0, 0, 0, 0, 0],
        [0xf6, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        [0x18, 0x17, 0x16, 0x15, 0x14, 0x13, 0x12, 0x11],
        [12, 0, 0, 0, 0, 0, 0, 0],
        [0x28, 0x27, 0x26, 0x25, 0x24, 0x23, 0x22, 0x21],
        [0, 0, 0, 0, 0xa, 0xd, 0xf6, 0x79],
    ];
    assert_eq!(written.to_bytes(), words.concat()[..]);
    assert_eq!(Record::parse(&words.concat()).expect("of this version"), Some(written));
}

#[test]
fn a_whole_record_of_another_version_is_not_ours_to_replace() {
    let mut bytes = counted().to_bytes();
    bytes[8] = 2;
    let sum = crc32fast::hash(&bytes[..LEN - 4]);
    bytes[LEN - 4..].copy_from_slice(&sum.to_le_bytes());
    assert!(matches!(Record::parse(&bytes), Err(Cause::Unknown { what: "usage record", id: 2, .. })));
}

#[test]
fn what_was_published_counts_and_what_failed_does_not() {
    let mut record = counted();
    let limits = Limits::default().max_total_bytes(100).max_entries(2);
    let first = record.reserve(entry(60), Amount::ZERO, &limits, START).expect("room");
    assert!(record.reserve(entry(41), Amount::ZERO, &limits, START).is_none());
    let second = record.reserve(entry(40), Amount::ZERO, &limits, START).expect("room");
    record.settle(&first, true);
    record.settle(&second, false);
    assert_eq!(record.total, entry(60));
    record.remove(entry(60), record.generation());
    assert_eq!(record.total, Amount::ZERO);
}

#[test]
fn nothing_grows_within_limits_before_it_was_counted() {
    let mut record = Record::new(7, 1, false);
    let limits = Limits::default().max_entries(100);
    assert!(record.reserve(entry(1), Amount::ZERO, &limits, START).is_none());
    assert!(
        record.reserve(Amount::ZERO, Amount::ZERO, &limits, START).is_some(),
        "a replacement that does not grow"
    );
    assert!(
        record.reserve(entry(1), Amount::ZERO, &Limits::default(), START).is_some(),
        "a store without limits"
    );
    assert!(
        record.reserve(entry(1), Amount::ZERO, &Limits::default().min_free_bytes(9), START).is_some(),
        "nothing to count"
    );
}

#[test]
fn what_a_dead_writer_reserved_is_given_back_by_a_later_correction() {
    let mut record = counted();
    record.reserve(entry(10), Amount::ZERO, &Limits::default(), START).expect("no limits");
    let walk = record.baseline();
    record.correct(Amount::ZERO, &walk);
    assert_eq!(record.total, entry(10), "its writer may live");
    for seconds in [61, 122] {
        record.turn(at(seconds));
    }
    record.correct(Amount::ZERO, &record.baseline());
    assert_eq!(record.total, Amount::ZERO, "it is dead");
}

#[test]
fn a_writer_that_nobody_waited_for_counts_again() {
    let mut record = counted();
    let late = record.reserve(entry(10), Amount::ZERO, &Limits::default(), START).expect("no limits");
    for seconds in [61, 122] {
        record.turn(at(seconds));
    }
    record.correct(Amount::ZERO, &record.baseline());
    record.settle(&late, true);
    assert_eq!(record.total, entry(10));
}

#[test]
fn what_is_taken_off_after_a_correction_is_not_taken_off_twice() {
    let mut record = counted();
    let limits = Limits::default();
    for len in [10, 20] {
        let reserved = record.reserve(entry(len), Amount::ZERO, &limits, START).expect("no limits");
        record.settle(&reserved, true);
    }
    let before = record.generation();
    let walk = record.baseline();
    // Its file is gone before the walk comes to it.
    record.correct(entry(20), &walk);
    record.remove(entry(10), before);
    assert_eq!(record.total, entry(20));
}

#[test]
fn an_entry_that_is_replaced_under_a_walk_counts_whether_or_not_the_walk_saw_it() {
    let mut record = counted();
    let limits = Limits::default();
    let first = record.reserve(entry(10), Amount::ZERO, &limits, START).expect("no limits");
    record.settle(&first, true);
    for is_settled in [true, false] {
        let walk = record.baseline();
        let again = record.reserve(entry(10), entry(10), &limits, START).expect("no limits");
        if is_settled {
            record.settle(&again, true);
        }
        record.correct(Amount::ZERO, &walk);
        assert_eq!(record.total, entry(10));
    }
}

#[test]
fn a_usage_that_says_too_little_is_raised_by_the_next_round() {
    let mut record = counted();
    let limits = Limits::default();
    let first = record.reserve(entry(10), Amount::ZERO, &limits, START).expect("no limits");
    record.settle(&first, true);
    let walk = record.baseline();
    record.correct(Amount { bytes: 30, entries: 3 }, &walk);
    assert_eq!(record.total, Amount { bytes: 30, entries: 3 });

    let walk = record.baseline();
    let second = record.reserve(entry(5), Amount::ZERO, &limits, START).expect("no limits");
    record.settle(&second, true);
    record.remove(Amount { bytes: 20, entries: 2 }, record.generation());
    record.correct(Amount { bytes: 35, entries: 4 }, &walk);
    assert_eq!(
        record.total,
        Amount { bytes: 15, entries: 2 },
        "what was seen and then removed raises nothing"
    );
}

#[test]
fn a_clock_that_is_set_back_ends_nothing() {
    let mut record = counted();
    let reserved = record.reserve(entry(10), Amount::ZERO, &Limits::default(), at(1000)).expect("no limits");
    record.turn(START);
    record.turn(at(59));
    record.settle(&reserved, false);
    assert_eq!(record.total, Amount::ZERO);
}

fn amount() -> impl Strategy<Value = Amount> {
    (any::<u64>(), any::<u64>()).prop_map(|(bytes, entries)| Amount { bytes, entries })
}

fn record() -> impl Strategy<Value = Record> {
    let numbers = (any::<u64>(), any::<i64>(), any::<u64>(), any::<u64>(), any::<u64>());
    (any::<bool>(), amount(), amount(), amount(), amount(), numbers).prop_map(
        |(counted, total, finished, now, before, (epoch, epoch_began, series, corrections, boot))| Record {
            counted,
            total,
            finished,
            pending: [now, before],
            epoch,
            epoch_began,
            series,
            corrections,
            boot,
        },
    )
}

/// What may happen to a directory beside a walk over it.
#[derive(Debug, Clone)]
enum Step {
    Reserve {
        name: u8,
        len: u64,
    },
    /// The reservation at this place of those that are open publishes; what it replaces may be hidden from the walk.
    Publish(usize, bool),
    Settle(usize),
    /// Its writer is killed.
    Die(usize),
    Unlink(u8),
    TakeOff(usize),
    Walk,
    /// The walk looks at the next name.
    Look,
    Pass(i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..6_u8, 1..50_u64).prop_map(|(name, len)| Step::Reserve { name, len }),
        4 => (0..4_usize, any::<bool>()).prop_map(|(place, hides)| Step::Publish(place, hides)),
        3 => (0..4_usize).prop_map(Step::Settle),
        1 => (0..4_usize).prop_map(Step::Die),
        2 => (0..6_u8).prop_map(Step::Unlink),
        2 => (0..4_usize).prop_map(Step::TakeOff),
        2 => Just(Step::Walk),
        8 => Just(Step::Look),
        1 => (1..30_i64).prop_map(Step::Pass),
    ]
}

/// A writer between its reservation and the end of it.
struct Writer {
    reservation: Reservation,
    name: u8,
    len: u64,
    began: i64,
    published: bool,
}

proptest! {
    #[test]
    fn a_record_is_what_was_written(record in record()) {
        prop_assert_eq!(Record::parse(&record.to_bytes()).expect("of this version"), Some(record));
    }

    #[test]
    fn a_damaged_record_is_none(record in record(), at in 0..LEN, bit in 0..8_u32) {
        let mut bytes = record.to_bytes();
        bytes[at] ^= 1 << bit;
        prop_assert_eq!(Record::parse(&bytes).expect("no version that is whole"), None);
    }

    #[test]
    fn any_bytes_are_a_record_or_none(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert_eq!(Record::parse(&bytes).expect("no version that is whole"), None);
    }

    #[test]
    fn the_total_is_never_below_the_truth(steps in proptest::collection::vec(step(), 0..120)) {
        let mut record = counted();
        let mut clock = 0;
        let mut truth: BTreeMap<u8, u64> = BTreeMap::new();
        let mut writers: Vec<Writer> = Vec::new();
        let mut removals: Vec<(Amount, Generation)> = Vec::new();
        let mut walk: Option<(Baseline, Amount, u8)> = None;
        // Names that were replaced under the walk, which a listing need not show in either place.
        let mut hidden: BTreeSet<u8> = BTreeSet::new();
        for step in steps {
            match step {
                // A name is published by one writer at a time: a lock or a link sees to that.
                Step::Reserve { name, len } if writers.iter().all(|writer| writer.name != name) => {
                    let old = truth.get(&name).copied();
                    let old = old.map_or(Amount::ZERO, entry);
                    let reserved = record.reserve(entry(len), old, &Limits::default(), at(clock));
                    let reservation = reserved.expect("no limits");
                    writers.push(Writer { reservation, name, len, began: clock, published: false });
                }
                Step::Publish(place, hides) if place < writers.len() => {
                    let writer = &mut writers[place];
                    if !writer.published {
                        writer.published = true;
                        let since = record.generation();
                        let old = truth.insert(writer.name, writer.len);
                        if hides && old.is_some() && walk.is_some() {
                            hidden.insert(writer.name);
                        }
                        let shrunk = old.map_or(Amount::ZERO, |old| entry(old).less(entry(writer.len)));
                        removals.push((shrunk, since));
                    }
                }
                Step::Settle(place) if place < writers.len() => {
                    let writer = writers.remove(place);
                    record.settle(&writer.reservation, writer.published);
                }
                Step::Die(place) if place < writers.len() => _ = writers.remove(place),
                Step::Unlink(name) if writers.iter().all(|writer| writer.name != name) => {
                    let since = record.generation();
                    if let Some(len) = truth.remove(&name) {
                        removals.push((entry(len), since));
                    }
                }
                Step::TakeOff(place) if place < removals.len() => {
                    let (amount, since) = removals.remove(place);
                    record.remove(amount, since);
                }
                Step::Walk if walk.is_none() => {
                    hidden.clear();
                    walk = Some((record.baseline(), Amount::ZERO, 0));
                }
                Step::Look => {
                    if let Some((baseline, seen, next)) = &mut walk {
                        let shown = truth.get(next).filter(|_| !hidden.contains(next));
                        *seen += shown.map_or(Amount::ZERO, |len| entry(*len));
                        *next += 1;
                        if *next == 6 {
                            record.correct(*seen, baseline);
                            walk = None;
                        }
                    }
                }
                // No writer takes a minute: those that would are dead.
                Step::Pass(seconds) if writers.iter().all(|writer| clock + seconds - writer.began < 60) => {
                    clock += seconds;
                    record.turn(at(clock));
                }
                _ => {}
            }
            let bytes = truth.values().sum::<u64>();
            prop_assert!(record.total.bytes >= bytes, "{} of {bytes} bytes", record.total.bytes);
            prop_assert!(record.total.entries >= truth.len() as u64, "{} entries", record.total.entries);
        }
        // When it is quiet, and the dead are given up, one walk finds the truth.
        for writer in writers.drain(..) {
            record.settle(&writer.reservation, writer.published);
        }
        for seconds in [61, 122] {
            record.turn(at(clock + seconds));
        }
        let seen = Amount { bytes: truth.values().sum(), entries: truth.len() as u64 };
        record.correct(seen, &record.baseline());
        prop_assert_eq!(record.total, seen);
    }
}

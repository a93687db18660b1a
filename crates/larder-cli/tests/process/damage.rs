//! `verify` on entries that are damaged, foreign or long.

use std::io::Write;

use http::Method;
use larder::Body;

use crate::support::{Place, damage, head, key, page};

const GOOD: &str = "https://example.org/good";
const BAD: &str = "https://example.org/bad";

#[test]
fn verify_finds_nothing_in_a_whole_cache() {
    let place = Place::new();
    place.fill([page(GOOD, "good"), page(BAD, "not bad yet")]);
    assert_eq!(place.run(&["verify"]).succeeded().stdout, "2 entries checked, none of them bad\n");
}

#[test]
fn verify_names_and_removes_a_damaged_entry_and_no_other() {
    let place = Place::new();
    place.fill([page(GOOD, "good"), page(BAD, "bad")]);
    let path = place.path_of(&key(&Method::GET, BAD));
    damage(&path);

    let ran = place.run(&["verify", "--keep"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(4), ""));
    assert!(
        ran.lines()[0].starts_with("bad, kept: ") && ran.lines()[0].contains(&*path.to_string_lossy()),
        "{ran:?}"
    );
    assert_eq!(ran.lines()[1], "2 entries checked, 1 of them bad, and kept");
    assert!(path.exists(), "it is only named");

    let ran = place.run(&["verify"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(4), ""));
    assert!(ran.lines()[0].starts_with("bad, removed: "), "{ran:?}");
    assert!(!path.exists());

    assert_eq!(place.run(&["verify"]).succeeded().stdout, "1 entry checked, none of them bad\n");
}

#[test]
fn verify_reads_long_bodies_to_their_end() {
    let place = Place::new();
    place.fill([(head(BAD), Body::from(vec![7; 5 << 20]))]);
    let path = place.path_of(&key(&Method::GET, BAD));
    let mut bytes = std::fs::read(&path).expect("there");
    // In the last chunk of the body, before the table of checksums.
    let at = bytes.len() - 1000;
    bytes[at] ^= 1;
    std::fs::write(&path, bytes).expect("written");
    let ran = place.run(&["verify"]);
    assert_eq!(ran.code, Some(4), "{ran:?}");
    assert!(ran.stdout.contains("the entry's body is not what was written"), "{ran:?}");
    assert!(!path.exists());
}

#[test]
fn verify_removes_what_is_no_entry_from_where_entries_are() {
    let place = Place::new();
    place.fill([page(GOOD, "good")]);
    let good = place.path_of(&key(&Method::GET, GOOD));
    let (foreign, empty, other) =
        (good.with_file_name("foreign"), good.with_file_name("empty"), good.with_file_name("other"));
    std::fs::write(&foreign, "not an entry, but longer than the prologue of one: ".repeat(9))
        .expect("written");
    std::fs::write(&empty, "").expect("written");
    std::fs::copy(&good, &other).expect("copied");
    let ran = place.run(&["verify"]);
    assert_eq!(ran.code, Some(4));
    assert!(ran.stdout.ends_with("4 entries checked, 3 of them bad, and removed\n"), "{ran:?}");
    assert!(good.exists() && !foreign.exists() && !empty.exists() && !other.exists());
}

#[test]
fn verify_keeps_the_entry_of_another_release_and_says_that_it_cannot_check_it() {
    let place = Place::new();
    place.fill([page(GOOD, "good"), page(BAD, "of another release")]);
    let path = place.path_of(&key(&Method::GET, BAD));
    let mut file = std::fs::OpenOptions::new().write(true).open(&path).expect("there");
    // The version of the format, after the first eight bytes.
    std::io::Seek::seek(&mut file, std::io::SeekFrom::Start(8)).expect("inside");
    file.write_all(&[0xff]).expect("written");
    let ran = place.run(&["verify"]).failed(1, "does not read");
    assert_eq!(ran.stdout, "1 entry checked, none of them bad\n");
    assert!(ran.stderr.ends_with("larder: 1 entry could not be checked\n"), "{ran:?}");
    assert!(path.exists());
}

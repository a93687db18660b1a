//! What a person gets: the command on a terminal, which `script` of util-linux provides.
//!
//! Where that is not installed, these tests have nothing to run the command on, and say so.

use std::io::Write;
use std::process::{Command, Stdio};

use larder::Body;

use crate::origin::{Origin, page_bytes};
use crate::support::{Place, head, page, run};

/// Runs the command on a terminal with this input; returns its code and what the terminal got.
fn on_a_terminal(
    place: &Place,
    arguments: &str,
    input: &str,
    environment: &[(&str, &str)],
) -> Option<(i32, String)> {
    let command = format!("'{}' {arguments}", env!("CARGO_BIN_EXE_larder"));
    let mut script = Command::new("script");
    script.args(["-q", "-e", "-c", &command, "/dev/null"]).env("LARDER_DIR", place.cache());
    script.env("TERM", "xterm-256color").env_remove("NO_COLOR").envs(environment.iter().copied());
    script.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let Ok(mut process) = script.spawn() else {
        eprintln!("skipped: there is no `script`");
        return None;
    };
    process.stdin.take().expect("piped").write_all(input.as_bytes()).expect("written");
    let output = process.wait_with_output().expect("it ends");
    Some((output.status.code().expect("a code"), String::from_utf8_lossy(&output.stdout).into_owned()))
}

fn two_pages() -> Place {
    let place = Place::new();
    place.fill([
        (head("https://example.org/b"), Body::from(vec![7; 3 << 20])),
        page("https://example.org/a", "a"),
    ]);
    place
}

#[test]
fn ls_is_sorted_with_a_head_and_rounded_sizes() {
    let Some((code, text)) = on_a_terminal(&two_pages(), "ls --long", "", &[]) else { return };
    let lines: Vec<_> = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>()).collect();
    assert_eq!(code, 0, "{text}");
    assert_eq!(lines[0], ["METHOD", "STATUS", "SIZE", "STORED", "EXPIRES", "URL"], "{text}");
    assert_eq!(lines[1][2..4], ["1", "B"], "{text}");
    assert_eq!(lines[1].last(), Some(&"https://example.org/a"), "{text}");
    assert_eq!(lines[2][2..4], ["3.00", "MiB"], "{text}");
}

#[test]
fn clear_asks_and_takes_no_for_an_answer() {
    let place = two_pages();
    let Some((code, text)) = on_a_terminal(&place, "clear", "n\n", &[]) else { return };
    assert!(text.contains("Delete 2 entries in") && text.contains("nothing was deleted"), "{text}");
    assert_eq!(code, 1, "{text}");
    assert_eq!(place.run(&["ls"]).succeeded().lines().len(), 2);

    let Some((code, text)) = on_a_terminal(&place, "clear", "y\n", &[]) else { return };
    assert!(text.contains("2 entries deleted"), "{text}");
    assert_eq!(code, 0, "{text}");
    assert_eq!(run(&mut place.larder(&["ls"])).succeeded().stdout, "");
}

#[test]
fn verify_draws_a_bar_and_takes_it_away() {
    let Some((code, text)) = on_a_terminal(&two_pages(), "verify", "", &[]) else { return };
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("/2 entries"), "{text:?}");
    assert!(text.trim_end().ends_with("2 entries checked, none of them bad"), "{text:?}");
}

#[test]
fn prune_draws_a_bar_and_takes_it_away() {
    let Some((code, text)) = on_a_terminal(&two_pages(), "prune --max-entries 1", "", &[]) else { return };
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("/2 entries"), "{text:?}");
    assert!(text.contains("\u{1b}[2K1 entry evicted (3.00 MiB), 1 entry left ("), "{text:?}");
}

#[test]
fn a_body_cannot_steer_the_terminal_unless_it_is_asked_to() {
    let (origin, place) = (Origin::start(), Place::new());
    let url = origin.url("/steering");
    let Some((code, text)) = on_a_terminal(&place, &format!("get {url}"), "", &[]) else { return };
    assert_eq!(code, 1, "{text:?}");
    assert!(text.contains("may steer the terminal") && !text.contains('\u{1b}'), "{text:?}");

    let Some((code, text)) = on_a_terminal(&place, &format!("get -o - {url}"), "", &[]) else { return };
    assert_eq!(code, 0, "{text:?}");
    assert!(text.contains("\u{1b}[2J"), "{text:?}");

    let Some((code, text)) = on_a_terminal(&place, &format!("get {}", origin.url("/hello")), "", &[]) else {
        return;
    };
    assert!(code == 0 && text.contains("larder: miss") && text.contains("hello"), "{text:?}");
}

#[test]
fn a_download_to_a_file_draws_a_bar() {
    let (origin, place) = (Origin::start(), Place::new());
    let file = place.outside("file");
    let arguments = format!("get -o {} {}", file.display(), origin.url("/page/40"));
    let Some((code, text)) = on_a_terminal(&place, &arguments, "", &[]) else { return };
    assert_eq!(code, 0, "{text:?}");
    assert!(text.contains("MiB/"), "{text:?}");
    assert!(std::fs::read(file).expect("there") == page_bytes(40));
}

#[test]
fn there_are_colours_unless_they_are_unwanted() {
    let place = two_pages();
    let Some((_, text)) = on_a_terminal(&place, "--help", "", &[]) else { return };
    assert!(text.contains('\u{1b}'), "{text:?}");
    for arguments in ["--help", "no-such-command"] {
        let Some((_, text)) = on_a_terminal(&place, arguments, "", &[("NO_COLOR", "1")]) else { return };
        assert!(!text.contains('\u{1b}'), "{text:?}");
    }
}

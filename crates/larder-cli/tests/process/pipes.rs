//! What a pipe and a terminal get: readers that go away, and text from the network.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use http::HeaderValue;
use larder::Body;

use crate::support::{Place, head, page};

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let place = Place::new();
    let long = "x".repeat(4000);
    // More than a pipe holds.
    place.fill((0..60).map(|i| page(&format!("https://example.org/{i}/{long}"), "")));
    for arguments in [&["ls"][..], &["ls", "--json"], &["ls", "--long"]] {
        let mut process = place
            .larder(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it can be run");
        let mut stdout = BufReader::new(process.stdout.take().expect("piped"));
        let mut line = String::new();
        stdout.read_line(&mut line).expect("a line");
        assert!(line.contains("https://example.org/"), "{line}");
        drop(stdout);
        let output = process.wait_with_output().expect("it ends");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{arguments:?}");
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
    }
}

#[test]
fn a_closed_output_is_no_failure_of_any_command() {
    let place = Place::new();
    place.fill([page("https://example.org/", "")]);
    for arguments in [
        &["ls"][..],
        &["show", "https://example.org/"],
        &["stats"],
        &["path"],
        &["verify"],
        &["man"],
        &["completions", "bash"],
        &["--help"],
    ] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let output =
            place.larder(arguments).stdout(writer).stderr(Stdio::piped()).output().expect("it can be run");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{arguments:?}");
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
    }
}

#[test]
fn text_from_the_network_cannot_steer_a_terminal() {
    let place = Place::new();
    let url = "https://example.org/";
    let mut head = head(url);
    head.reason = Some("OK\u{1b}]0;owned\u{7}".into());
    head.metadata.insert("note".into(), "one\ntwo\u{1b}[2J\u{202e}".into());
    head.headers.append("x-csi", HeaderValue::from_bytes("\u{9b}2J\tand tab".as_bytes()).expect("a value"));
    head.headers.append("x-latin-csi", HeaderValue::from_bytes(b"\x9b2J \xff").expect("a value"));
    place.fill([(head, Body::empty())]);
    for arguments in
        [&["show", url][..], &["show", "--json", url], &["ls", "--long"], &["ls", "--json"], &["stats"]]
    {
        let ran = place.run(arguments).succeeded();
        let steering = |c: &char| (c.is_control() && *c != '\n') || *c == '\u{202e}';
        assert_eq!(ran.stdout.chars().find(steering), None, "{arguments:?}: {ran:?}");
    }
    let shown = place.run(&["show", url]).succeeded().stdout;
    assert!(shown.contains("\\u{1b}]0;owned"), "{shown}");
    assert!(shown.contains("note=one\\ntwo"), "{shown}");
    let json = place.run(&["show", "--json", url]).succeeded().json().remove(0);
    assert_eq!(json["metadata"]["note"], "one\ntwo\u{1b}[2J\u{202e}", "a program gets what was stored");
}

#[test]
fn complaints_cannot_steer_a_terminal() {
    let place = Place::new();
    let ran = place.run(&["ls"]);
    assert!(!ran.stderr.contains('\u{1b}'));
    let odd = place.outside("a\u{1b}[31mb");
    let ran = crate::support::run(crate::support::larder(&["ls", "--dir"]).arg(&odd))
        .failed(3, "there is no cache");
    assert!(ran.stderr.contains("a\\u{1b}[31mb"), "{ran:?}");
}

#[test]
fn a_pipe_gets_no_colours_and_no_bars() {
    let place = Place::new();
    place.fill([page("https://example.org/", "")]);
    for arguments in [&["--help"][..], &["verify"], &["stats"], &["no-such-command"]] {
        let ran = place.run(arguments);
        assert!(!ran.stdout.contains('\u{1b}') && !ran.stderr.contains('\u{1b}'), "{ran:?}");
    }
}

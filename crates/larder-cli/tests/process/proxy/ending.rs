//! The lines of requests, and the end.

use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::running::Proxy;
use super::wire::{Scripted, Then, request};
use crate::support::{Place, run};

/// How long the proxy waits for what is under way.
const GRACE: Duration = Duration::from_secs(5);

#[test]
fn each_request_is_one_line() {
    let place = Place::new();
    let origin = Scripted::answering(
        "HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nContent-Length: 5\r\n\r\nhello",
    );
    let proxy = Proxy::start(&place, &origin.url(), &[]);
    let mut client = proxy.connect();
    client.ask(request("GET", "/a?b"));
    while !client.ask(request("GET", "/a?b")).cache_status().starts_with("larder; hit") {}
    client.ask(request("GET", "/\u{9b}2J"));
    drop(client);
    let mut lines = proxy.end();
    lines.retain(|line| !line.ends_with("; collapsed"));
    assert_eq!(lines.len(), 3, "{lines:?}");
    for (line, expected) in lines.iter().zip(["larder; fwd=uri-miss", "larder; hit", "larder; "]) {
        let words: Vec<_> = line.splitn(7, ' ').collect();
        assert_eq!((words[1], words[3], words[4]), ("GET", "200", "5B"), "{line}");
        assert!(words[0].ends_with('Z') && words[5].ends_with("ms"), "{line}");
        assert!(words[6].starts_with(expected), "{line}");
        assert!(!line.contains(char::is_control), "{line}");
    }
    assert!(lines[0].contains(" /a?b "), "{lines:?}");
}

#[test]
fn quiet_is_quiet() {
    let place = Place::new();
    let origin = Scripted::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let proxy = Proxy::start(&place, &origin.url(), &["--quiet"]);
    proxy.connect().ask(request("GET", "/"));
    assert_eq!(proxy.end(), [""; 0]);
}

#[test]
fn what_is_under_way_is_finished_before_the_end() {
    for signal in [Signal::TERM, Signal::INT] {
        let place = Place::new();
        let (go_on, goes_on) = channel();
        let goes_on = Mutex::new(goes_on);
        let origin = Scripted::start(move |_, wire| {
            wire.send("HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nContent-Length: 4\r\n\r\n");
            goes_on.lock().expect("no panic").recv().expect("the test goes on");
            wire.send("late");
            Then::Keep
        });
        let proxy = Proxy::start(&place, &origin.url(), &[]);
        let (mut busy, _idle) = (proxy.connect(), proxy.connect());
        busy.send(request("GET", "/"));
        busy.head();
        proxy.signal(signal);
        while TcpStream::connect(proxy.address).is_ok() {
            std::thread::yield_now();
        }
        go_on.send(()).expect("the origin waits");
        assert_eq!(busy.rest(), b"late");
        let (code, stderr) = proxy.wait();
        assert_eq!(code, Some(0), "{stderr}");
        assert_eq!(place.run(&["ls"]).succeeded().lines().len(), 1, "it is stored");
    }
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let place = Place::new();
    let (done, waits) = channel::<()>();
    let waits = Mutex::new(waits);
    let origin = Scripted::start(move |_, _| {
        let _ = waits.lock().expect("no panic").recv();
        Then::Close
    });
    let proxy = Proxy::start(&place, &origin.url(), &[]);
    let mut client = proxy.connect();
    client.send(request("GET", "/"));
    while origin.asked().is_empty() {
        std::thread::yield_now();
    }
    proxy.signal(Signal::TERM);
    while TcpStream::connect(proxy.address).is_ok() {
        std::thread::yield_now();
    }
    proxy.signal(Signal::TERM);
    assert_eq!(proxy.wait().0, Some(130));
    drop(done);
}

#[test]
fn half_a_head_is_not_waited_for() {
    let place = Place::new();
    let origin = Scripted::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let proxy = Proxy::start(&place, &origin.url(), &[]);
    let (mut first, mut second) = (proxy.connect(), proxy.connect());
    first.send("GET / HTTP/1.1\r\nHo");
    second.ask(request("GET", "/"));
    second.send("GET / HTTP/1.1\r\nHo");
    // Connections are accepted in order: when this one is answered, the others are being read.
    proxy.connect().ask(request("GET", "/"));
    let began = Instant::now();
    proxy.end();
    assert!(began.elapsed() < GRACE, "{:?}", began.elapsed());
    assert_eq!((first.rest(), second.rest()), (vec![], vec![]));
}

#[test]
fn what_takes_longer_than_the_grace_is_cut() {
    let place = Place::new();
    let (done, waits) = channel::<()>();
    let waits = Mutex::new(waits);
    let origin = Scripted::start(move |_, wire| {
        wire.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nha");
        let _ = waits.lock().expect("no panic").recv();
        Then::Close
    });
    let proxy = Proxy::start(&place, &origin.url(), &[]);
    let mut client = proxy.connect();
    client.send(request("GET", "/"));
    client.head();
    let began = Instant::now();
    let lines = proxy.end();
    assert!(began.elapsed() >= GRACE, "{:?}", began.elapsed());
    assert_eq!(client.rest(), b"ha");
    assert!(matches!(&lines[..], [line] if line.ends_with("(broken off)")), "{lines:?}");
    drop(done);
}

#[test]
fn what_cannot_be_served_is_said_before_anything_is() {
    let place = Place::new();
    let proxy = |arguments: &[&str]| run(place.larder(&["proxy"]).args(arguments));
    let listen = ["--listen", "127.0.0.1:0", "--origin"];
    for (arguments, complaint) in [
        (&[&listen[..], &["http://user:secret@a.test/"]].concat()[..], "no user name and no password"),
        (&[&listen[..], &["http://a.test/?x"]].concat(), "no query"),
    ] {
        let ran = proxy(arguments).failed(2, complaint);
        assert!(!ran.stderr.contains("secret"), "{ran:?}");
    }
    for arguments in [&[][..], &["--listen", "127.0.0.1:0"], &[&listen[..], &["ftp://a.test/"]].concat()] {
        assert_eq!(proxy(arguments).code, Some(2), "{arguments:?}");
    }
    proxy(&[&listen[..], &["http://a.test/", "--offline"]].concat()).failed(3, "there is no cache");
    proxy(&["--listen", "256.0.0.1:1", "--origin", "http://a.test/"])
        .failed(1, "cannot listen at 256.0.0.1:1");
}

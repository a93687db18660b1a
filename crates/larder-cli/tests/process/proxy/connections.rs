//! Connections: which are used again, and which must not be.

use std::sync::Mutex;
use std::sync::mpsc::channel;

use super::running::Proxy;
use super::wire::{Scripted, Then, request};
use crate::support::Place;

#[test]
fn a_connection_to_the_origin_is_used_again() {
    let place = Place::new();
    let origin = Scripted::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let proxy = Proxy::start(&place, &origin.url(), &[]);
    for _ in 0..3 {
        // Whichever client asks.
        assert_eq!(proxy.connect().ask(request("GET", "/")).start(), "HTTP/1.1 200 OK");
    }
    assert_eq!(origin.connections(), [0, 0, 0]);
}

#[test]
fn surplus_bytes_are_nobodys_response() {
    const EVIL: &str = "HTTP/1.1 200 Evil\r\nContent-Length: 4\r\n\r\nevil";
    for (method, response, body) in [
        ("GET", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello"),
        ("GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "hello"),
        ("GET", "HTTP/1.1 204 No Content\r\n\r\n", ""),
        ("POST", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ""),
    ] {
        let place = Place::new();
        let origin = Scripted::answering(format!("{response}{EVIL}"));
        let proxy = Proxy::start(&place, &origin.url(), &[]);
        let mut client = proxy.connect();
        for _ in 0..3 {
            let answer = client.ask(request(method, "/"));
            assert_eq!(answer.start(), response.lines().next().expect("a line"), "{response}");
            assert_eq!(answer.body, body.as_bytes(), "{response}");
        }
        assert_eq!(origin.connections(), [0, 1, 2], "{response}");
    }
}

#[test]
fn requests_in_one_go_are_answered_in_order() {
    let place = Place::new();
    let origin = Scripted::start(|request, wire| {
        let target = request.start().split(' ').nth(1).expect("a target").to_owned();
        wire.send(format!(
            "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{target}",
            target.len()
        ));
        Then::Keep
    });
    let proxy = Proxy::start(&place, &origin.url(), &[]);
    let mut client = proxy.connect();
    let targets: Vec<_> = (0..20).map(|number| format!("/{number}")).collect();
    client.send(targets.iter().map(|target| request("GET", target)).collect::<String>());
    for target in targets {
        // Whether an interim response finds its way between two final ones is a matter of time.
        let mut answer = client.message();
        if answer.start().contains("103") {
            answer = client.message();
        }
        assert_eq!(String::from_utf8(answer.body).expect("UTF-8"), target);
    }
}

#[test]
fn a_client_that_goes_away_takes_its_exchange_with_it() {
    let place = Place::new();
    let (closed, ends) = channel();
    let closed = Mutex::new(closed);
    let origin = Scripted::start(move |request, wire| {
        if request.start().contains("/head") {
            wire.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbeginning");
        }
        // It ends when the proxy closes the connection.
        closed.lock().expect("no panic").send(wire.rest()).expect("the test waits");
        Then::Close
    });
    let proxy = Proxy::start(&place, &origin.url(), &[]);
    let mut client = proxy.connect();
    client.send(request("GET", "/head"));
    client.head();
    drop(client);
    assert_eq!(ends.recv().expect("the connection ends"), b"");
    let mut client = proxy.connect();
    client.send(request("GET", "/nothing"));
    while origin.asked().len() < 2 {
        std::thread::yield_now();
    }
    drop(client);
    assert_eq!(ends.recv().expect("the connection ends"), b"");
    let lines = proxy.end();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines.iter().all(|line| line.ends_with("(broken off)")), "{lines:?}");
}

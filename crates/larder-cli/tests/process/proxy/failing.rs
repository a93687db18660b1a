//! Origins that fail, in every way that they can.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::Mutex;
use std::sync::mpsc::channel;

use super::running::Proxy;
use super::wire::{Scripted, Then, request};
use crate::support::Place;

#[test]
fn an_origin_that_does_not_answer_is_a_502() {
    let place = Place::new();
    // Nobody listens at a port that was just given back.
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    let proxy = Proxy::start(&place, &format!("http://{}", free.expect("a port")), &[]);
    let mut client = proxy.connect();
    for method in ["GET", "POST"] {
        let response = client.ask(request(method, "/"));
        assert_eq!(response.start(), "HTTP/1.1 502 Bad Gateway");
        assert_eq!(response.cache_status(), "larder; detail=origin-failed");
        assert_eq!(response.field("content-type").as_deref(), Some("text/plain; charset=utf-8"));
        assert!(String::from_utf8_lossy(&response.body).contains("refused"), "{response:?}");
    }
}

#[test]
fn an_origin_that_speaks_something_else_is_a_502_and_asked_once() {
    for answer in [
        "",
        "SSH-2.0-OpenSSH_9\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxy",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
    ] {
        let place = Place::new();
        let origin = Scripted::start(move |_, wire| {
            wire.send(answer);
            Then::Close
        });
        let proxy = Proxy::start(&place, &origin.url(), &[]);
        let response = proxy.connect().ask(request("GET", "/"));
        assert_eq!(response.start(), "HTTP/1.1 502 Bad Gateway", "{answer:?}");
        assert_eq!(origin.asked().len(), 1, "{answer:?}");
    }
}

#[test]
fn a_request_that_reached_the_origin_on_an_old_connection_is_not_sent_again() {
    let place = Place::new();
    let origin = Scripted::start(|request, wire| {
        if request.start().contains("/closes") {
            return Then::Close;
        }
        wire.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        Then::Keep
    });
    let proxy = Proxy::start(&place, &origin.url(), &[]);
    let mut client = proxy.connect();
    assert_eq!(client.ask(request("GET", "/")).start(), "HTTP/1.1 200 OK");
    assert_eq!(client.ask(request("GET", "/closes")).start(), "HTTP/1.1 502 Bad Gateway");
    assert_eq!(client.ask(request("GET", "/")).start(), "HTTP/1.1 200 OK");
    assert_eq!(origin.connections(), [0, 0, 1]);
}

#[test]
fn an_origin_that_takes_too_long_is_a_504() {
    let place = Place::new();
    let (done, waits) = channel::<()>();
    let waits = Mutex::new(waits);
    let origin = Scripted::start(move |_, wire| {
        wire.send("HTTP/1.1 103 Early Hints\r\n\r\n");
        // Until the test has seen enough.
        let _ = waits.lock().expect("no panic").recv();
        Then::Close
    });
    let proxy = Proxy::start(&place, &origin.url(), &["--timeout", "50ms"]);
    let mut client = proxy.connect();
    client.send(request("GET", "/"));
    assert!(client.head().starts_with(b"HTTP/1.1 103 "));
    let response = client.message();
    assert_eq!(response.start(), "HTTP/1.1 504 Gateway Timeout");
    assert_eq!(response.cache_status(), "larder; detail=origin-late");
    drop(done);
}

#[test]
fn content_that_cannot_be_read_is_the_clients_fault() {
    const CHUNKED: &str = "Transfer-Encoding: chunked\r\n\r\n";
    let place = Place::new();
    let origin = Scripted::start(|_, wire| {
        wire.rest();
        Then::Close
    });
    let proxy = Proxy::start(&place, &origin.url(), &["--timeout", "200ms"]);
    for (content, is_cut, expected) in [
        (format!("{CHUNKED}zz\r\n"), false, "HTTP/1.1 400 Bad Request"),
        (format!("{CHUNKED}2\r\nhi\r\n"), true, "HTTP/1.1 400 Bad Request"),
        (format!("{CHUNKED}2\r\nhi\r\n"), false, "HTTP/1.1 408 Request Timeout"),
        ("Content-Length: 10\r\n\r\nhi".to_owned(), true, "HTTP/1.1 400 Bad Request"),
        ("Content-Length: 10\r\n\r\nhi".to_owned(), false, "HTTP/1.1 408 Request Timeout"),
        ("Content-Length: 1000000\r\n\r\nhi".to_owned(), false, "HTTP/1.1 408 Request Timeout"),
    ] {
        let mut client = proxy.connect();
        client.send(format!("POST / HTTP/1.1\r\nHost: a\r\n{content}"));
        if is_cut {
            client.end();
        }
        let response = client.message();
        assert_eq!(response.start(), expected, "{content:?}");
        assert_eq!(response.cache_status(), "larder; detail=refused", "{content:?}");
        assert_eq!(client.rest(), b"", "{content:?}");
    }
}

#[test]
fn a_body_that_breaks_off_breaks_off_for_the_client_and_is_not_stored() {
    for (framing, half) in [("Transfer-Encoding: chunked", "4\r\nhalf\r\n"), ("Content-Length: 8", "half")] {
        let place = Place::new();
        let origin = Scripted::start(move |_, wire| {
            wire.send(format!("HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\n{framing}\r\n\r\n{half}"));
            Then::Close
        });
        let proxy = Proxy::start(&place, &origin.url(), &[]);
        for asked in 1..=2 {
            let mut client = proxy.connect();
            client.send(request("GET", "/"));
            let head = client.head();
            assert!(head.starts_with(b"HTTP/1.1 200 OK"), "{}", String::from_utf8_lossy(&head));
            assert_eq!(client.rest(), half.as_bytes(), "what came, and no last chunk");
            assert_eq!(origin.asked().len(), asked);
        }
        let lines = proxy.end();
        assert!(lines.iter().all(|line| line.ends_with("(broken off)")), "{lines:?}");
        assert_eq!(place.run(&["ls"]).succeeded().stdout, "");
    }
}

#[test]
fn what_is_stale_answers_for_an_origin_that_fails_if_it_may() {
    let place = Place::new();
    let origin = Scripted::start(|request, wire| {
        if request.start().contains("/fails") && request.field("if-none-match").is_some() {
            return Then::Close;
        }
        wire.send(
            "HTTP/1.1 200 OK\r\nCache-Control: max-age=0\r\nETag: \"1\"\r\nContent-Length: 2\r\n\r\nok",
        );
        Then::Keep
    });
    let proxy = Proxy::start(&place, &origin.url(), &["--stale-if-error", "1h"]);
    let mut client = proxy.connect();
    assert_eq!(client.ask(request("GET", "/fails")).start(), "HTTP/1.1 200 OK");
    let stale = client.ask(request("GET", "/fails"));
    assert_eq!((stale.start().as_str(), &*stale.body), ("HTTP/1.1 200 OK", &b"ok"[..]));
    assert_eq!(origin.asked().len(), 2);
}

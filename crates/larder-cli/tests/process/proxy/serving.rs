//! What is answered, and by whom.

use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

use super::running::Proxy;
use super::wire::{Message, Scripted, Then, request};
use crate::support::Place;

const FRESH: &str = "HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nContent-Length: 5\r\n\r\nhello";

#[test]
fn the_second_request_is_a_hit() {
    for option in ["--private", "--shared"] {
        let (place, origin) = (Place::new(), Scripted::answering(FRESH));
        let proxy = Proxy::start(&place, &origin.url(), &[option]);
        for expected in ["larder; fwd=", "larder; hit"] {
            let response = proxy.connect().ask_until_stored(request("GET", "/a?b=c"));
            assert_eq!((response.start().as_str(), &*response.body), ("HTTP/1.1 200 OK", &b"hello"[..]));
            assert!(response.cache_status().starts_with(expected), "{}", response.text());
        }
        let asked = origin.asked();
        assert_eq!(asked.len(), 1);
        assert_eq!(asked[0].start(), "GET /a?b=c HTTP/1.1");
    }
}

#[test]
fn what_is_stored_is_there_for_the_next_proxy_and_for_the_other_commands() {
    let (place, origin) = (Place::new(), Scripted::answering(FRESH));
    let proxy = Proxy::start(&place, &origin.url(), &[]);
    proxy.connect().ask(request("GET", "/a"));
    proxy.end();
    let url = format!("{}/a", origin.url());
    assert_eq!(place.run(&["ls"]).succeeded().lines(), [url.as_str()]);
    let explained = place.run(&["explain", &url]).succeeded().stdout;
    for expected in ["stored: 200 OK", "lifetime: 600 s by max-age", "decision: answer with what is stored"] {
        assert!(explained.contains(expected), "{expected} is not in {explained}");
    }
    let explained = place.run(&["explain", "-X", "POST", "-H", "Accept: */*", &url]).succeeded().stdout;
    assert!(explained.contains("decision: ask the origin"), "{explained}");

    let proxy = Proxy::start(&place, &origin.url(), &[]);
    assert!(proxy.connect().ask(request("GET", "/a")).cache_status().starts_with("larder; hit"));
    assert_eq!(origin.asked().len(), 1);
}

#[test]
fn every_method_passes_but_connect() {
    let place = Place::new();
    let origin = Scripted::start(|request, wire| {
        let is_head = request.start().starts_with("HEAD ");
        wire.send(if is_head {
            "HTTP/1.1 200 OK\r\n\r\n"
        } else {
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        });
        Then::Keep
    });
    let proxy = Proxy::start(&place, &origin.url(), &[]);
    let methods = [
        "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "QUERY", "M-SEARCH", "whatever",
    ];
    let mut client = proxy.connect();
    for method in methods {
        assert_eq!(client.ask(request(method, "/")).start(), "HTTP/1.1 200 OK", "{method}");
    }
    assert_eq!(client.ask(request("OPTIONS", "*")).start(), "HTTP/1.1 200 OK");
    let asked: Vec<_> = origin.asked().iter().map(Message::start).collect();
    let mut expected: Vec<_> = methods.iter().map(|method| format!("{method} / HTTP/1.1")).collect();
    expected.push("OPTIONS * HTTP/1.1".to_owned());
    assert_eq!(asked, expected);

    let refused = proxy.connect().ask("CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n");
    assert_eq!(refused.start(), "HTTP/1.1 501 Not Implemented");
    assert_eq!(origin.asked().len(), expected.len());
}

#[test]
fn a_response_streams_while_the_origin_sends_it() {
    let place = Place::new();
    for fields in ["Cache-Control: max-age=600", "Cache-Control: no-store"] {
        let (go_on, goes_on) = channel();
        let goes_on = Mutex::new(goes_on);
        let origin = Scripted::start(move |_, wire| {
            wire.send(format!(
                "HTTP/1.1 200 OK\r\n{fields}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n"
            ));
            goes_on.lock().expect("no panic").recv().expect("the client has read");
            wire.send("4\r\nlast\r\n0\r\n\r\n");
            Then::Keep
        });
        let proxy = Proxy::start(&place, &origin.url(), &[]);
        let mut client = proxy.connect();
        client.send(request("GET", "/"));
        client.head();
        assert_eq!(client.chunk(), b"first");
        go_on.send(()).expect("the origin waits");
        assert_eq!((client.chunk(), client.chunk()), (b"last".to_vec(), Vec::new()));
    }
}

#[test]
fn a_request_streams_while_the_client_sends_it() {
    for method in ["POST", "GET"] {
        let place = Place::new();
        let (arrived, first) = channel();
        let origin = Scripted::start(move |_, wire| {
            arrived.send(wire.chunk()).expect("the client waits");
            assert_eq!((wire.chunk(), wire.chunk()), (b"last".to_vec(), Vec::new()));
            wire.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
            Then::Keep
        });
        let proxy = Proxy::start(&place, &origin.url(), &[]);
        let mut client = proxy.connect();
        client.send(format!(
            "{method} / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n"
        ));
        assert_eq!(first.recv().expect("the origin has read"), b"first");
        client.send("4\r\nlast\r\n0\r\n\r\n");
        assert_eq!(client.message().start(), "HTTP/1.1 200 OK");
    }
}

#[test]
fn content_of_a_known_length_arrives_as_it_is() {
    let place = Place::new();
    let contents = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&contents);
    let origin = Scripted::start(move |request, wire| {
        let len = request.field("content-length").expect("a length").parse().expect("a number");
        noted.lock().expect("no panic").push(wire.exactly(len));
        wire.send("HTTP/1.1 204 No Content\r\n\r\n");
        Then::Keep
    });
    let proxy = Proxy::start(&place, &origin.url(), &[]);
    let mut client = proxy.connect();
    let sent: Vec<Vec<u8>> = [0, 5, 70_000, 1_000_000].map(|len| vec![b'x'; len]).into();
    for content in &sent {
        client.send(format!("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", content.len()));
        client.send(content);
        assert_eq!(client.message().start(), "HTTP/1.1 204 No Content");
    }
    assert!(*contents.lock().expect("no panic") == sent);
}

#[test]
fn a_client_that_waits_for_100_gets_it_when_the_origin_takes_the_content() {
    let place = Place::new();
    let origin = Scripted::start(|_, wire| {
        assert_eq!(wire.exactly(2), b"hi");
        wire.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        Then::Keep
    });
    let proxy = Proxy::start(&place, &origin.url(), &[]);
    let mut client = proxy.connect();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    assert_eq!(client.head(), b"HTTP/1.1 100 Continue\r\n\r\n");
    client.send("hi");
    assert_eq!(client.message().start(), "HTTP/1.1 200 OK");
}

#[test]
fn a_redirect_is_the_answer() {
    let place = Place::new();
    let origin = Scripted::answering("HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n");
    let proxy = Proxy::start(&place, &origin.url(), &[]);
    let response = proxy.connect().ask(request("GET", "/a"));
    assert_eq!(response.start(), "HTTP/1.1 302 Found");
    assert_eq!(response.field("location").as_deref(), Some("/b"));
    assert_eq!(origin.asked().len(), 1);
}

#[test]
fn offline_answers_come_from_the_cache_only() {
    let (place, origin) = (Place::new(), Scripted::answering(FRESH));
    let proxy = Proxy::start(&place, &origin.url(), &[]);
    proxy.connect().ask(request("GET", "/a"));
    proxy.end();
    let proxy = Proxy::start(&place, &origin.url(), &["--offline"]);
    let mut client = proxy.connect();
    assert_eq!(client.ask(request("GET", "/a")).body, b"hello");
    for (method, target) in [("GET", "/b"), ("POST", "/a")] {
        let refused = client.ask(request(method, target));
        assert_eq!(refused.start(), "HTTP/1.1 504 Gateway Timeout");
        assert_eq!(refused.cache_status(), "larder; detail=only-if-cached");
        assert!(!refused.body.is_empty());
    }
    assert_eq!(origin.asked().len(), 1);
}

#[test]
fn a_fixed_time_goes_before_what_the_fields_say() {
    let place = Place::new();
    let origin =
        Scripted::answering("HTTP/1.1 200 OK\r\nCache-Control: max-age=0\r\nContent-Length: 0\r\n\r\n");
    let proxy = Proxy::start(&place, &origin.url(), &["--fixed", "1h"]);
    for expected in ["larder; fwd=", "larder; hit"] {
        let response = proxy.connect().ask_until_stored(request("GET", "/"));
        assert!(response.cache_status().starts_with(expected), "{}", response.text());
    }
}

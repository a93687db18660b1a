//! What a message gains and loses between the two connections, and what it keeps.

use std::net::SocketAddr;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

use super::running::Proxy;
use super::wire::{Message, Scripted, Then, Wire, request};
use crate::support::Place;

#[test]
fn fields_pass_as_they_are_in_both_directions() {
    let place = Place::new();
    let origin = Scripted::answering(
        b"HTTP/1.1 200 Fine\r\nX-Bytes: \xff\xc3\r\nX-Line: one\r\nX-Line: two, three\r\nX-Empty:\r\n\
          Content-Encoding: gzip\r\nServer: theirs\r\nContent-Length: 4\r\n\r\n\x1f\x8b??",
    );
    let proxy = Proxy::start(&place, &origin.url(), &[]);
    let mut client = proxy.connect();
    let response = client.ask(
        b"GET / HTTP/1.1\r\nHost: proxy.test\r\nX-Bytes: \xfe\r\nX-Line: one\r\nX-Line: two, three\r\n\
          Accept-Encoding: gzip\r\n\r\n",
    );
    assert_eq!(response.start(), "HTTP/1.1 200 Fine");
    assert_eq!(response.body, b"\x1f\x8b??", "it is not decompressed");
    let has = |head: &[u8], line: &[u8]| head.windows(line.len()).any(|window| window == line);
    assert!(has(&response.head, b"x-bytes: \xff\xc3\r\n"), "{}", response.text());
    assert_eq!(response.fields("x-line"), ["one", "two, three"]);
    assert_eq!(response.fields("x-empty"), [""]);
    assert_eq!(response.field("server").as_deref(), Some("theirs"));

    let asked = origin.asked().remove(0);
    assert!(has(&asked.head, b"x-bytes: \xfe\r\n"), "{}", asked.text());
    assert_eq!(asked.fields("x-line"), ["one", "two, three"]);
    assert_eq!(asked.fields("host"), [origin.address.to_string()]);
    let mut names: Vec<_> =
        asked.text().lines().skip(1).filter_map(|l| Some(l.split_once(':')?.0.to_owned())).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        ["accept-encoding", "host", "via", "x-bytes", "x-line", "x-line"],
        "nothing is invented"
    );
}

#[test]
fn fields_of_a_connection_stay_on_it() {
    let place = Place::new();
    let origin = Scripted::answering(
        "HTTP/1.1 200 OK\r\nConnection: x-theirs\r\nX-Theirs: 1\r\nKeep-Alive: timeout=5\r\nUpgrade: h2c\r\n\
         Proxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n",
    );
    let proxy = Proxy::start(&place, &origin.url(), &[]);
    let response = proxy.connect().ask(
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: x-mine, upgrade, close\r\nX-Mine: 1\r\nTE: trailers\r\n\
         Upgrade: websocket\r\nKeep-Alive: 5\r\nProxy-Connection: keep-alive\r\nProxy-Authorization: Basic eA==\r\n\r\n",
    );
    let asked = origin.asked().remove(0);
    for (message, names) in [
        (&response, ["x-theirs", "keep-alive", "upgrade", "proxy-authenticate", "te"]),
        (&asked, ["x-mine", "te", "upgrade", "keep-alive", "connection"]),
        (
            &asked,
            ["proxy-connection", "proxy-authorization", "transfer-encoding", "content-length", "expect"],
        ),
    ] {
        for name in names {
            assert_eq!(message.fields(name), [""; 0], "{name} in {}", message.text());
        }
    }
    assert_eq!(
        (response.fields("via"), asked.fields("via")),
        (vec!["1.1 larder".into()], vec!["1.1 larder".into()])
    );
}

#[test]
fn a_response_says_when_it_came_and_each_way_is_said_once() {
    let place = Place::new();
    let origin = Scripted::answering(
        "HTTP/1.1 200 OK\r\nVia: 1.0 before\r\nCache-Control: max-age=600\r\nContent-Length: 0\r\n\r\n",
    );
    let proxy = Proxy::start(&place, &origin.url(), &[]);
    let [miss, hit] = [(); 2].map(|()| proxy.connect().ask_until_stored(request("GET", "/")));
    assert_eq!(miss.fields("via"), ["1.0 before", "1.1 larder"]);
    assert_eq!(hit.fields("via"), miss.fields("via"));
    assert_eq!((hit.fields("date"), hit.fields("date").len()), (miss.fields("date"), 1));
}

#[test]
fn interim_responses_are_relayed_as_they_come() {
    let place = Place::new();
    let (go_on, goes_on) = channel();
    let goes_on = Mutex::new(goes_on);
    let origin = Scripted::start(move |_, wire| {
        wire.send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\nConnection: x-y\r\nX-Y: 1\r\n\r\n");
        goes_on.lock().expect("no panic").recv().expect("the client has read");
        wire.send("HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 199 Whatever\r\nX-Z: \u{ff}\r\n\r\n");
        goes_on.lock().expect("no panic").recv().expect("the client has read");
        wire.send("HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nContent-Length: 2\r\n\r\nok");
        Then::Keep
    });
    let proxy = Proxy::start(&place, &origin.url(), &[]);
    let mut client = proxy.connect();
    client.send(request("GET", "/"));
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    assert_eq!(text(client.head()), "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\nvia: 1.1 larder\r\n\r\n");
    go_on.send(()).expect("the origin waits");
    assert_eq!(text(client.head()), "HTTP/1.1 102 Processing\r\nvia: 1.1 larder\r\n\r\n");
    assert_eq!(text(client.head()), "HTTP/1.1 199 \r\nx-z: \u{ff}\r\nvia: 1.1 larder\r\n\r\n");
    go_on.send(()).expect("the origin waits");
    assert_eq!(client.message().body, b"ok");
    // What is stored is the final response.
    let hit = client.ask_until_stored(request("GET", "/"));
    assert_eq!((hit.start().as_str(), &*hit.body), ("HTTP/1.1 200 OK", &b"ok"[..]));
}

#[test]
fn an_old_client_gets_no_interim_response_and_no_chunks() {
    let place = Place::new();
    let origin = Scripted::answering(
        "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    );
    let proxy = Proxy::start(&place, &origin.url(), &[]);
    let mut client = proxy.connect();
    client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\nExpect: 100-continue\r\n\r\n");
    let head = String::from_utf8(client.head()).expect("UTF-8");
    assert!(head.contains(" 200 OK\r\n") && !head.contains("transfer-encoding"), "{head}");
    assert!(!head.contains("keep-alive"), "{head}");
    assert_eq!(client.rest(), b"ok");
    let asked = origin.asked().remove(0);
    assert_eq!(
        (asked.start().as_str(), asked.fields("via")),
        ("GET / HTTP/1.1", vec!["1.0 larder".to_owned()])
    );
    assert_eq!(asked.field("expect"), None);
}

#[test]
fn a_response_to_head_keeps_the_length_that_it_names() {
    let place = Place::new();
    let origin = Scripted::answering("HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\n");
    let proxy = Proxy::start(&place, &origin.url(), &[]);
    let mut client = proxy.connect();
    for _ in 0..2 {
        client.send(request("HEAD", "/"));
        let head = String::from_utf8(client.head()).expect("UTF-8");
        assert!(head.contains("content-length: 12345\r\n"), "{head}");
    }
}

#[test]
fn a_request_that_is_forwarded_no_further_is_answered_here() {
    let place = Place::new();
    let origin = Scripted::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let proxy = Proxy::start(&place, &origin.url(), &[]);
    let mut client = proxy.connect();
    let ask =
        |method: &str, left: u8| format!("{method} / HTTP/1.1\r\nHost: a\r\nMax-Forwards: {left}\r\n\r\n");
    assert_eq!(client.ask(ask("OPTIONS", 0)).start(), "HTTP/1.1 204 No Content");
    assert_eq!(client.ask(ask("TRACE", 0)).start(), "HTTP/1.1 405 Method Not Allowed");
    assert_eq!(client.ask(ask("OPTIONS", 7)).start(), "HTTP/1.1 200 OK");
    assert_eq!(
        origin.asked().iter().flat_map(|asked| asked.fields("max-forwards")).collect::<Vec<_>>(),
        ["6"]
    );
}

#[test]
fn a_request_that_goes_round_is_stopped() {
    let place = Place::new();
    let back = Arc::new(Mutex::new(None::<SocketAddr>));
    let address_of_proxy = Arc::clone(&back);
    let origin = Scripted::start(move |request, wire| {
        let address = address_of_proxy.lock().expect("no panic").expect("it runs");
        let answer = Wire::connect(address).ask(&request.head);
        wire.send([answer.head, answer.body].concat());
        Then::Keep
    });
    let proxy = Proxy::start(&place, &origin.url(), &[]);
    *back.lock().expect("no panic") = Some(proxy.address);
    let response = proxy.connect().ask(request("POST", "/"));
    assert_eq!(response.start(), "HTTP/1.1 508 Loop Detected");
    assert_eq!(origin.asked().len(), 8);
}

#[test]
fn the_path_of_the_origin_goes_before_that_of_the_request() {
    let place = Place::new();
    let origin = Scripted::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let proxy = Proxy::start(&place, &format!("{}/v2/", origin.url()), &[]);
    let mut client = proxy.connect();
    for target in ["/", "/a//b?c=%2F", "http://elsewhere.test/d"] {
        assert_eq!(client.ask(request("GET", target)).start(), "HTTP/1.1 200 OK");
    }
    let asked: Vec<_> = origin.asked().iter().map(Message::start).collect();
    assert_eq!(asked, ["GET /v2/ HTTP/1.1", "GET /v2/a//b?c=%2F HTTP/1.1", "GET /v2/d HTTP/1.1"]);
}

#[test]
fn a_target_keeps_its_query_or_is_none() {
    let place = Place::new();
    let origin = Scripted::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let proxy = Proxy::start(&place, &origin.url(), &[]);
    for (method, target, expected) in [
        ("GET", "http://elsewhere.test?x=1", "200"),
        ("GET", "*", "400"),
        ("GET", "elsewhere.test:80", "400"),
        ("OPTIONS", "*", "200"),
    ] {
        let response = proxy.connect().ask(request(method, target));
        assert_eq!(response.start().split(' ').nth(1), Some(expected), "{method} {target}");
    }
    let asked: Vec<_> = origin.asked().iter().map(Message::start).collect();
    assert_eq!(asked, ["GET /?x=1 HTTP/1.1", "OPTIONS * HTTP/1.1"]);
}

#[test]
fn a_head_of_a_megabyte_passes() {
    let place = Place::new();
    let commas = ",".repeat(1 << 20);
    let response = format!(
        "HTTP/1.1 200 OK\r\nX-Commas: {commas}\r\nCache-Control: max-age=600{commas}\r\nContent-Length: 2\r\n\r\nok"
    );
    let origin = Scripted::answering(response);
    let proxy = Proxy::start(&place, &origin.url(), &[]);
    let mut client = proxy.connect();
    for _ in 0..2 {
        let response = client.ask(format!("GET / HTTP/1.1\r\nHost: a\r\nX-Commas: {commas}\r\n\r\n"));
        assert_eq!(response.start(), "HTTP/1.1 200 OK");
        assert!(response.field("x-commas").is_some_and(|value| value == commas));
    }
}

#[test]
fn a_request_has_one_host() {
    let place = Place::new();
    let origin = Scripted::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let proxy = Proxy::start(&place, &origin.url(), &[]);
    for (head, expected) in [
        ("GET / HTTP/1.1\r\n", "400"),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n", "400"),
        ("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n", "400"),
        ("GET / HTTP/1.1\r\nHost:\r\n", "200"),
        ("GET / HTTP/1.0\r\n", "200"),
        ("GET / HTTP/1.1\r\nHost: a b/c@\r\n", "400"),
        ("GET / HTTP/1.1\r\nHost: [::1]:80\r\n", "200"),
    ] {
        let response = proxy.connect().ask(format!("{head}\r\n"));
        assert_eq!(response.start().split(' ').nth(1), Some(expected), "{head:?}");
    }
}

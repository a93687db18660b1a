//! Which fields go where: stored and handed out again, left on the connection, or made by the proxy.
//!
//! What is not named here comes out as it went in, line by line and byte by byte.

use super::super::case::{Case, Verdict, case, get, method, not_reused, program, reused};
use super::super::message::Wire;
use super::super::reply::{not_modified, ok, reply};
use super::super::stage::{PATIENCE, Stage, told};

const FRESH: &str = "Cache-Control: max-age=3600";

pub(super) fn cases() -> Vec<Case> {
    let mut cases = of_the_connection();
    cases.extend(unchanged());
    cases.extend(kept());
    cases.extend(cookies());
    cases.extend(made_by_the_proxy());
    cases.extend(cache_status());
    cases.extend(urls());
    cases.extend(interim());
    cases
}

fn of_the_connection() -> Vec<Case> {
    let section = "9110 7.6.1";
    let hop = |name: &'static str, line: &'static str| {
        case(section, format!("{name} of a response stays on its connection"))
            .then(get().answered(ok(&[FRESH, line])))
            .then(get().cached().lacks(name))
    };
    let asked = |name: &'static str, line: &'static str| {
        case(section, format!("{name} of a request stays on its connection"))
            .then(get().with(line).answered(ok(&[])).misses(name))
    };
    vec![
        hop("Keep-Alive", "Keep-Alive: timeout=5"),
        hop("Proxy-Connection", "Proxy-Connection: keep-alive"),
        hop("TE", "TE: trailers"),
        hop("Upgrade", "Upgrade: x/1"),
        case(section, "a field that Connection names in a response is neither passed on nor stored")
            .then(
                get()
                    .answered(ok(&[
                        FRESH,
                        "Connection: X-Hop, x-other",
                        "X-Hop: 1",
                        "X-Other: 1",
                        "X-Kept: 1",
                    ]))
                    .lacks("X-Hop"),
            )
            .then(get().cached().lacks("X-Hop").lacks("X-Other").shows("X-Kept: 1")),
        case(section, "two Connection lines name fields together")
            .then(get().answered(ok(&[
                FRESH,
                "Connection: x-one",
                "Connection: x-two",
                "X-One: 1",
                "X-Two: 1",
            ])))
            .then(get().cached().lacks("X-One").lacks("X-Two")),
        case(section, "a field that Connection names in a request is not passed on").then(
            get()
                .with("Connection: x-hop")
                .with("X-Hop: 1")
                .with("X-Kept: 1")
                .answered(ok(&[]))
                .misses("X-Hop")
                .sees("X-Kept: 1"),
        ),
        asked("Keep-Alive", "Keep-Alive: timeout=5"),
        asked("Proxy-Connection", "Proxy-Connection: keep-alive"),
        asked("TE", "TE: trailers"),
        hop("Proxy-Authenticate", "Proxy-Authenticate: Basic"),
        hop("Proxy-Authentication-Info", "Proxy-Authentication-Info: x=y"),
        hop("Proxy-Authorization", "Proxy-Authorization: Basic x"),
        case(section, "Connection may name fields in any case and with empty members")
            .then(get().answered(ok(&[FRESH, "Connection: , X-HOP ,,keep-alive", "x-hop: 1"])))
            .then(get().cached().lacks("X-Hop")),
        case(section, "Connection cannot take away what makes a response cacheable for the cache itself")
            .then(get().answered(ok(&["Cache-Control: no-store", "Connection: x-other"])))
            .then(get().answered(ok(&[]))),
    ]
}

fn unchanged() -> Vec<Case> {
    let section = "9110 5.3";
    vec![
        case(section, "the order and number of lines of one name are kept")
            .then(
                get()
                    .answered(ok(&[FRESH, "X-Own: b", "X-Own: a", "X-Own: a"]))
                    .shows_lines("X-Own", &["b", "a", "a"]),
            )
            .then(get().cached().shows_lines("X-Own", &["b", "a", "a"])),
        case(section, "lines of one name with others between them keep their order")
            .then(get().answered(ok(&[FRESH, "Link: <1>", "X-Own: 1", "Link: <2>, <3>"])))
            .then(get().cached().shows_lines("Link", &["<1>", "<2>, <3>"])),
        case("9110 5.5", "bytes beyond ASCII are kept")
            .then(
                get()
                    .answered(ok(&[FRESH]).with(b"X-Own: caf\xe9 \xff\x80".to_vec()))
                    .shows(b"X-Own: caf\xe9 \xff\x80".to_vec()),
            )
            .then(get().cached().shows(b"X-Own: caf\xe9 \xff\x80".to_vec())),
        case("9110 5.5", "an empty value is kept")
            .then(get().answered(ok(&[FRESH, "X-Own:"])).shows("X-Own:"))
            .then(get().cached().shows("X-Own:")),
        case("9110 5.5", "bytes beyond ASCII in a request reach the origin").then(
            get().with(b"X-Own: \xe9\xff".to_vec()).answered(ok(&[])).sees(b"X-Own: \xe9\xff".to_vec()),
        ),
        case("9110 7.7", "encoded content is passed on and kept as it is")
            .then(
                get()
                    .with("Accept-Encoding: gzip")
                    .answered(ok(&[FRESH, "Content-Encoding: gzip"]).text(b"\x1f\x8b no gzip".to_vec()))
                    .sees("Accept-Encoding: gzip"),
            )
            .then(
                get()
                    .with("Accept-Encoding: gzip")
                    .cached()
                    .shows("Content-Encoding: gzip")
                    .text(b"\x1f\x8b no gzip".to_vec()),
            ),
        case("9110 7.7", "a request gets no Accept-Encoding of the proxy's own")
            .then(get().answered(ok(&[])).misses("Accept-Encoding").misses("Range").misses("Cookie")),
        case("9111 3.1", "unknown fields are stored")
            .then(get().answered(ok(&[
                FRESH,
                "X-Unknown-Field: \"v\";a=1",
                "Content-Type: a/b; c=d",
                "Server: s/1",
            ])))
            .then(
                get()
                    .cached()
                    .shows("X-Unknown-Field: \"v\";a=1")
                    .shows("Content-Type: a/b; c=d")
                    .shows("Server: s/1"),
            ),
        case("9112 7.1", "chunked content is stored without its chunks")
            .then(get().answered(ok(&[FRESH]).chunked()))
            .then(get().cached()),
        case("9112 6.3", "content that ends with the connection is complete")
            .then(get().answered(ok(&[FRESH]).until_close()))
            .then(get().cached()),
        case("9111 3", "a response without content is reused")
            .then(get().answered(ok(&[FRESH, "X-Own: 1"]).text("")))
            .then(get().cached().shows("X-Own: 1").shows("Content-Length: 0").text("")),
        case("9111 3", "a megabyte of content is reused")
            .then(get().answered(ok(&[FRESH]).text("m".repeat(1 << 20))))
            .then(get().cached()),
        case("9110 9.3.1", "the credentials of a request reach the origin").then(
            get()
                .with("Authorization: Bearer x")
                .with("Cookie: a=b")
                .answered(ok(&[]))
                .sees("Authorization: Bearer x")
                .sees("Cookie: a=b"),
        ),
    ]
}

/// Fields that mean something to somebody else, and nothing to a cache.
fn kept() -> Vec<Case> {
    [
        "Content-Type: text/plain;charset=utf-8",
        "Content-Language: de, en",
        "Content-Location: /another",
        "Content-Disposition: attachment; filename=\"a, b\"",
        "Content-Encoding: x-own",
        "Content-MD5: rL0Y20zC+Fzt72VPzMSk2A==",
        "Content-Security-Policy: default-src 'self'",
        "Clear-Site-Data: \"cache\"",
        "ETag: \"caf\u{e9}\"",
        "Expires: {now+7200}",
        "Last-Modified: {now-7200}",
        "Link: </a>; rel=next",
        "Location: /elsewhere",
        "Retry-After: 120",
        "Server: s/1 (x)",
        "Accept-Ranges: bytes",
        "Allow: GET, HEAD",
        "Alt-Svc: h2=\":1\"",
        "Strict-Transport-Security: max-age=0",
        "Timing-Allow-Origin: *",
        "Access-Control-Allow-Origin: *",
        "WWW-Authenticate: Basic realm=\"x\"",
        "X-Frame-Options: deny",
        "X-XSS-Protection: 1",
    ]
    .into_iter()
    .map(|line| {
        let name = line.split(':').next().unwrap_or_default();
        case("9111 3.1", format!("{name} is stored and handed out unchanged"))
            .then(get().answered(ok(&[FRESH, line])).shows(line))
            .then(get().cached().shows(line))
    })
    .collect()
}

fn cookies() -> Vec<Case> {
    let section = "9111 7.3";
    vec![
        case(section, "a private cache stores Set-Cookie, line by line")
            .then(get().answered(ok(&[FRESH, "Set-Cookie: a=1; Path=/", "Set-Cookie: b=2"])))
            .then(get().cached().shows_lines("Set-Cookie", &["a=1; Path=/", "b=2"]))
            .private(),
        not_reused(
            section,
            "a shared cache does not reuse a response with Set-Cookie",
            &[FRESH, "Set-Cookie: a=1"],
        )
        .shared(),
        reused(
            section,
            "a shared cache reuses a public response with Set-Cookie",
            &["Cache-Control: public, max-age=3600", "Set-Cookie: a=1"],
        )
        .shared(),
        case("9111 3", "a Cookie in the request does not prevent reuse")
            .then(get().with("Cookie: a=1").answered(ok(&[FRESH])))
            .then(get().with("Cookie: a=1").cached()),
        case(section, "cookies of a private cache are not joined by commas")
            .then(get().answered(ok(&[
                FRESH,
                "Set-Cookie: a=1; Expires=Wed, 01 Jan 2048 00:00:00 GMT",
                "Set-Cookie: b=2",
            ])))
            .then(
                get()
                    .cached()
                    .shows_lines("Set-Cookie", &["a=1; Expires=Wed, 01 Jan 2048 00:00:00 GMT", "b=2"]),
            )
            .private(),
    ]
}

fn made_by_the_proxy() -> Vec<Case> {
    vec![
        case("9111 5.1", "a stored response has an Age, and a new one needs none")
            .then(get().answered(ok(&[FRESH])))
            .then(get().cached().age(0)),
        case("9111 5.1", "the Age of the origin is replaced and not added to")
            .then(get().answered(ok(&[FRESH, "Age: 30"])).shows_lines("Age", &["30"]))
            .then(get().cached().age(30)),
        case("9111 5.1", "two Age lines of the origin become one")
            .then(get().answered(ok(&[FRESH, "Age: 30", "Age: 50"])))
            .then(get().cached().age(30)),
        case("9110 6.6.1", "a stored response keeps its Date")
            .then(get().answered(ok(&[FRESH, "Date: {now-100}"])).shows_lines("Date", &["{now-100}"]))
            .then(get().cached().shows_lines("Date", &["{now-100}"])),
        case("9110 6.6.1", "a response that comes without a Date gets one")
            .then(get().answered(ok(&[]).undated()).shows("Date")),
        case("9110 7.6.3", "the origin sees the proxy in Via").then(get().answered(ok(&[])).sees("Via")),
        case("9110 7.6.3", "the Via of a client is kept before the proxy's own")
            .then(get().with("Via: 1.0 before").answered(ok(&[])).sees("Via")),
        case("9110 7.2", "the origin sees one Host").then(get().answered(ok(&[])).sees("Host")),
    ]
}

fn cache_status() -> Vec<Case> {
    let section = "9211 2";
    let name = "Cache-Status";
    vec![
        case("9211 2.1", "a hit is told in Cache-Status")
            .then(get().answered(ok(&[FRESH])))
            .then(get().cached().mentions(name, "larder; hit")),
        case("9211 2.2", "a miss is told in Cache-Status")
            .then(get().answered(ok(&[FRESH])).mentions(name, "larder; fwd=uri-miss")),
        case("9211 2.2", "another variant is told in Cache-Status")
            .then(get().with("X-A: 1").answered(ok(&[FRESH, "Vary: X-A"])))
            .then(get().with("X-A: 2").answered(ok(&[FRESH, "Vary: X-A"])).mentions(name, "fwd=vary-miss")),
        case("9211 2.2", "a request that forbids what is stored is told in Cache-Status")
            .then(get().answered(ok(&[FRESH])))
            .then(get().with("Cache-Control: no-cache").answered(ok(&[FRESH])).mentions(name, "fwd=request")),
        case("9211 2.2", "a validation is told in Cache-Status")
            .then(get().answered(ok(&["Cache-Control: max-age=1", "ETag: \"a\""])))
            .then(get().later().answered(not_modified(&["ETag: \"a\""])).mentions(name, "fwd=stale")),
        case("9211 2.3", "the status of a validation is told in Cache-Status")
            .then(get().answered(ok(&["Cache-Control: no-cache", "ETag: \"a\""])))
            .then(get().answered(not_modified(&["ETag: \"a\""])).mentions(name, "fwd-status=304")),
        case("9211 2.2", "an unsafe method is told in Cache-Status")
            .then(method("POST").answered(reply(201, &[])).mentions(name, "fwd=method")),
        case("9211 2.4", "the time that is left is told in Cache-Status")
            .then(get().answered(ok(&["Cache-Control: max-age=100000"])))
            .then(get().cached().mentions(name, "ttl=99").mentions(name, "hit")),
        case(section, "the Cache-Status of a cache before it stays first").then(
            get()
                .answered(ok(&[FRESH, "Cache-Status: Origin; hit"]))
                .mentions(name, "Origin; hit, larder; fwd="),
        ),
    ]
}

fn urls() -> Vec<Case> {
    let section = "9111 2";
    let apart = |name: &str, first: &'static str, second: &'static str| {
        case(section, name)
            .then(get().at(first).answered(ok(&[FRESH])))
            .then(get().at(second).answered(ok(&[FRESH])))
            .then(get().at(first).cached().text("answer 1 of {path}"))
    };
    vec![
        case(section, "a URL with a query is reused")
            .then(get().at("?a=1").answered(ok(&[FRESH])))
            .then(get().at("?a=1").cached()),
        apart("two queries are two URLs", "?a=1", "?a=2"),
        apart("a URL with a query is not the URL without", "?a=1", ""),
        apart("the order of a query matters", "?a=1&b=2", "?b=2&a=1"),
        apart("an empty query is not the absence of one", "?", ""),
        apart("the case of a path matters", "/x", "/X"),
        apart("an escaped slash is no slash", "/a%2Fb", "/a/b"),
        apart("an escaped plus is no plus", "?a=1%2B2", "?a=1+2"),
        case("9110 4.2.3", "an escaped letter is the letter")
            .then(get().at("/%61").answered(ok(&[FRESH])))
            .then(get().at("/a").cached().text("answer 1 of {path}")),
        apart("two slashes are not one", "/a//b", "/a/b"),
        apart("a slash at the end matters", "/a/", "/a"),
        apart("an escaped question mark begins no query", "/a%3Fb", "/a?b"),
        apart("a repeated name in a query matters", "?a=1&a=2", "?a=1"),
        apart("an empty value in a query matters", "?a=", "?a"),
    ]
}

fn interim() -> Vec<Case> {
    let section = "9110 15.2";
    let hint = || ok(&[FRESH]).after(103, &["Link: </style.css>; rel=preload"]);
    vec![
        case(section, "a 103 response is passed on before the final one")
            .then(get().answered(hint()).interim(&[103])),
        case(section, "a 102 response is passed on")
            .then(get().answered(ok(&[]).after(102, &[])).interim(&[102])),
        case(section, "several interim responses keep their order").then(
            get()
                .answered(ok(&[]).after(102, &[]).after(103, &["Link: <1>"]).after(103, &["Link: <2>"]))
                .interim(&[102, 103, 103]),
        ),
        case("9111 3", "interim responses are not stored, but the final one is")
            .then(get().answered(hint()).interim(&[103]))
            .then(get().cached().interim(&[]).lacks("Link")),
        case("9111 3", "a lifetime in an interim response means nothing")
            .then(get().answered(ok(&[]).after(103, &[FRESH])).interim(&[103]))
            .then(get().answered(ok(&[]))),
        case("9111 4.3.3", "an interim response before a 304 is passed on")
            .then(get().answered(ok(&["Cache-Control: no-cache", "ETag: \"a\""])))
            .then(get().answered(not_modified(&["ETag: \"a\""]).after(103, &["Link: <1>"])).interim(&[103])),
        program(section, "an interim response comes before the origin has the final one", |stage| {
            Box::pin(interim_at_once(stage))
        }),
    ]
}

async fn interim_at_once(mut stage: Stage) -> Verdict {
    let mut client = Wire::open(stage.proxy).await.map_err(told)?;
    client.send(&stage.request_bytes("GET", "", &[])).await.map_err(told)?;
    let mut asked = stage.next_asked().await?;
    asked.wire.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n").await.map_err(told)?;
    let head = tokio::time::timeout(PATIENCE, client.response_head()).await;
    let head = head.map_err(|_| "the interim response waits for the final one".to_owned())?.map_err(told)?;
    if head.status != 103 || head.fields.text("Link") != "</a>" {
        return Err(format!("the interim response is {head:?}"));
    }
    ok(&[]).answer(asked, b"final", &stage.braces).await.map_err(told)?;
    let response = client.response("GET").await.map_err(told)?;
    if response.content == b"final" { Ok(()) } else { Err(format!("the final response is {response:?}")) }
}

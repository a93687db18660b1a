//! HTTP/1.1 around the cache: connections that are used again, framing, and the forms a request may have.
//!
//! A cache that is right about freshness and wrong about where a message ends is wrong about everything.

use std::time::Duration;

use tokio::time::timeout;

use super::super::case::{Case, Verdict, case, get, method, program};
use super::super::message::{Response, Wire};
use super::super::reply::{ok, reply};
use super::super::stage::{PATIENCE, Stage, told};

const FRESH: &str = "Cache-Control: max-age=3600";

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("9112 9.3", "a client that wants its connection closed gets its answer")
            .then(get().with("Connection: close").answered(ok(&[FRESH])))
            .then(get().with("Connection: close").cached()),
        case("9112 6.3", "an empty chunked response is reused")
            .then(get().answered(ok(&[FRESH]).text("").chunked()))
            .then(get().cached().text("")),
        case("9110 9.3.8", "TRACE and OPTIONS reach the origin")
            .then(method("OPTIONS").answered(ok(&["Allow: GET"])).shows("Allow: GET"))
            .then(method("TRACE").answered(ok(&["Content-Type: message/http"]))),
        case("9110 15.3.5", "a 204 response has no content")
            .then(get().answered(reply(204, &[FRESH])).lacks("Content-Length").text(""))
            .then(get().cached().status(204).text("")),
        program("9112 9.3", "many requests on one connection get their own answers", |stage| {
            Box::pin(one_connection(stage))
        }),
        program("9112 9.3.2", "requests that are sent without waiting are answered in order", |stage| {
            Box::pin(pipelined(stage))
        }),
        program("9112 7.1", "a request in chunks reaches the origin with its content", |stage| {
            Box::pin(chunked_request(stage))
        }),
        program("9110 10.1.1", "a client that waits for 100 gets it or its answer", |stage| {
            Box::pin(expectation(stage))
        }),
        program("9112 7.1.2", "a trailer field does not become a header field of what is stored", |stage| {
            Box::pin(trailer(stage))
        }),
        program("9112 7.1.1", "chunk extensions are not content", |stage| {
            Box::pin(raw(stage, b"HTTP/1.1 200 OK\r\nCache-Control: max-age=3600\r\nTransfer-Encoding: chunked\r\n\r\n4;x=\"1\"\r\nbody\r\n0\r\n\r\n"))
        }),
        program("9112 2.3", "a response of HTTP/1.0 is stored", |stage| {
            Box::pin(raw(
                stage,
                b"HTTP/1.0 200 OK\r\nCache-Control: max-age=3600\r\nContent-Length: 4\r\n\r\nbody",
            ))
        }),
        program("9112 6.3", "a length of two equal values is that length", |stage| {
            Box::pin(raw(stage, b"HTTP/1.1 200 OK\r\nCache-Control: max-age=3600\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\nbody"))
        }),
        program("9112 4", "a response without a reason is stored", |stage| {
            Box::pin(raw(
                stage,
                b"HTTP/1.1 200 \r\nCache-Control: max-age=3600\r\nContent-Length: 4\r\n\r\nbody",
            ))
        }),
        program("9112 3.2.2", "a request whose target is a whole URL is answered", |stage| {
            Box::pin(absolute_form(stage))
        }),
        case("9112 5.1", "white space before a colon does not hide no-store")
            .then(get().answered(ok(&["Cache-Control : no-store", "Expires: {now+3600}"])))
            .then(get().answered(ok(&[]))),
        case("9112 5.2", "a line that goes on on the next one does not hide no-store")
            .then(get().answered(ok(&["Cache-Control: max-age=3600,\r\n no-store"])))
            .then(get().answered(ok(&[]))),
        case("9110 5.4", "a hundred fields of a response are kept")
            .then(
                get()
                    .answered((0..100).fold(ok(&[FRESH]), |reply, at| reply.with(format!("X-{at}: {at}"))))
                    .shows("X-99: 99"),
            )
            .then(get().cached().shows("X-0: 0").shows("X-99: 99")),
        case("9110 5.4", "a field of 60 kB is kept")
            .then(get().answered(ok(&[FRESH]).with(format!("X-Long: {}", "v".repeat(60_000)))))
            .then(get().cached().shows(format!("X-Long: {}", "v".repeat(60_000)))),
        program("9112 6.3", "chunks are stronger than a length", |stage| {
            Box::pin(raw(stage, b"HTTP/1.1 200 OK\r\nCache-Control: max-age=3600\r\nContent-Length: 100\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n"))
        }),
    ]
}

async fn next(client: &mut Wire) -> Result<Response, String> {
    timeout(PATIENCE, client.response("GET")).await.map_err(|_| "no response".to_owned())?.map_err(told)
}

fn is_content(response: &Response, content: &str) -> Verdict {
    if response.head.status == 200 && response.content == content.as_bytes() {
        return Ok(());
    }
    Err(format!("the response is {response:?}, without the content {content}"))
}

async fn one_connection(mut stage: Stage) -> Verdict {
    let mut client = Wire::open(stage.proxy).await.map_err(told)?;
    for (suffix, content) in [("/a", "first"), ("/b", "second")] {
        client.send(&stage.request_bytes("GET", suffix, &[])).await.map_err(told)?;
        let asked = stage.next_asked().await?;
        ok(&[FRESH]).answer(asked, content.as_bytes(), &stage.braces).await.map_err(told)?;
        is_content(&next(&mut client).await?, content)?;
    }
    for (suffix, content) in [("/b", "second"), ("/a", "first"), ("/b", "second")] {
        client.send(&stage.request_bytes("GET", suffix, &[])).await.map_err(told)?;
        is_content(&next(&mut client).await?, content)?;
    }
    Ok(())
}

async fn pipelined(mut stage: Stage) -> Verdict {
    let mut client = Wire::open(stage.proxy).await.map_err(told)?;
    let both = [stage.request_bytes("GET", "/a", &[]), stage.request_bytes("GET", "/b", &[])].concat();
    client.send(&both).await.map_err(told)?;
    for _ in 0..2 {
        let asked = stage.next_asked().await?;
        let content = asked.request.target.clone();
        ok(&[FRESH]).answer(asked, content.as_bytes(), &stage.braces).await.map_err(told)?;
    }
    for suffix in ["/a", "/b"] {
        is_content(&next(&mut client).await?, &format!("{}{suffix}", stage.braces.path))?;
    }
    Ok(())
}

async fn chunked_request(mut stage: Stage) -> Verdict {
    let mut client = Wire::open(stage.proxy).await.map_err(told)?;
    client
        .send(&stage.request_bytes("POST", "", &[b"Transfer-Encoding: chunked".to_vec()]))
        .await
        .map_err(told)?;
    client.send(b"5\r\nfirst\r\n").await.map_err(told)?;
    client.send(b"7\r\n second\r\n0\r\n\r\n").await.map_err(told)?;
    let asked = stage.next_asked().await?;
    if asked.request.content != b"first second" {
        return Err(format!("the origin saw {:?}", asked.request));
    }
    ok(&[]).answer(asked, b"done", &stage.braces).await.map_err(told)?;
    is_content(&next(&mut client).await?, "done")
}

async fn expectation(mut stage: Stage) -> Verdict {
    let mut client = Wire::open(stage.proxy).await.map_err(told)?;
    let lines = [b"Expect: 100-continue".to_vec(), b"Content-Length: 4".to_vec()];
    client.send(&stage.request_bytes("PUT", "", &lines)).await.map_err(told)?;
    // A client does not wait for ever (RFC 9110, section 10.1.1).
    let waited = timeout(Duration::from_secs(1), client.response_head()).await;
    if let Ok(head) = waited
        && head.as_ref().is_ok_and(|head| head.status != 100)
    {
        return Err(format!("the answer to the expectation is {head:?}"));
    }
    client.send(b"body").await.map_err(told)?;
    let asked = stage.next_asked().await?;
    if asked.request.content != b"body" {
        return Err(format!("the origin saw {:?}", asked.request));
    }
    ok(&[]).answer(asked, b"done", &stage.braces).await.map_err(told)?;
    is_content(&next(&mut client).await?, "done")
}

/// Has the origin send `answer`, and asks for its content `body` again.
async fn raw(stage: Stage, answer: &'static [u8]) -> Verdict {
    raw_without(stage, answer, "").await
}

async fn trailer(stage: Stage) -> Verdict {
    let answer = b"HTTP/1.1 200 OK\r\nCache-Control: max-age=3600\r\nTrailer: X-After\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\nX-After: 1\r\n\r\n";
    raw_without(stage, answer, "X-After").await
}

async fn raw_without(mut stage: Stage, answer: &'static [u8], name: &str) -> Verdict {
    let mut client = Wire::open(stage.proxy).await.map_err(told)?;
    client.send(&stage.request_bytes("GET", "", &[])).await.map_err(told)?;
    let mut asked = stage.next_asked().await?;
    asked.wire.send(answer).await.map_err(told)?;
    asked.keep_alive();
    is_content(&next(&mut client).await?, "body")?;
    client.send(&stage.request_bytes("GET", "", &[])).await.map_err(told)?;
    let again = next(&mut client).await?;
    is_content(&again, "body")?;
    if again.head.fields.has(name) || !again.head.fields.has("Age") {
        return Err(format!("the stored response has {:?}", again.head.fields));
    }
    Ok(())
}

async fn absolute_form(mut stage: Stage) -> Verdict {
    let mut client = Wire::open(stage.proxy).await.map_err(told)?;
    let request =
        format!("GET {}{} HTTP/1.1\r\nHost: {}\r\n\r\n", stage.braces.proxy, stage.braces.path, stage.proxy);
    client.send(request.as_bytes()).await.map_err(told)?;
    let asked = stage.next_asked().await?;
    ok(&[FRESH]).answer(asked, b"same", &stage.braces).await.map_err(told)?;
    is_content(&next(&mut client).await?, "same")?;
    client.send(&stage.request_bytes("GET", "", &[])).await.map_err(told)?;
    is_content(&next(&mut client).await?, "same")
}

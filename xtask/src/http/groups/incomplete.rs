//! What happens when a response does not come to its end, and when more comes than belongs to it.
//!
//! Nothing incomplete is stored, and no byte of one response gets into another.

use super::super::case::{Case, Verdict, case, get, head, program};
use super::super::message::Wire;
use super::super::reply::ok;
use super::super::stage::{PATIENCE, Stage, exchange, told};

const FRESH: &str = "Cache-Control: max-age=3600";
const TAG: &str = "ETag: \"a\"";

pub(super) fn cases() -> Vec<Case> {
    let storing = "9111 3.3";
    let long = || "x".repeat(100_000);
    let mut cases = vec![
        case(
            storing,
            "content that breaks off before its length breaks off for the client and is not stored",
        )
        .then(get().answered(ok(&[FRESH]).cut()).breaks_off())
        .then(get().answered(ok(&[FRESH])).lacks("Content-Range"))
        .then(get().cached().text("answer 2 of {path}")),
        case(storing, "chunks that break off break off for the client and are not stored")
            .then(get().answered(ok(&[FRESH]).cut_chunks()).breaks_off())
            .then(get().answered(ok(&[FRESH])))
            .then(get().cached().text("answer 2 of {path}")),
        case(storing, "long content that breaks off is not stored")
            .then(get().answered(ok(&[FRESH]).text(long()).cut()).breaks_off())
            .then(get().answered(ok(&[FRESH]).text("short"))),
        case(storing, "content with a strong tag that breaks off never answers as the whole")
            .then(get().answered(ok(&[FRESH, TAG]).text("0123456789").cut()).breaks_off())
            .then(get().answered(ok(&[FRESH, TAG]).text("0123456789")).status(200))
            .then(get().cached().text("0123456789")),
        case(storing, "content that breaks off leaves what was stored before")
            .then(get().answered(ok(&[FRESH])))
            .then(get().with("Cache-Control: no-cache").answered(ok(&[FRESH]).cut()).breaks_off())
            .then(get().perhaps(ok(&[FRESH])).text_in(&["answer 1 of {path}", "answer 3 of {path}"])),
        case("9112 8", "a HEAD request does not wait for content")
            .then(head().answered(ok(&["Content-Length: 100000"])).text("")),
        case("9112 9.3", "bytes after a response belong to no other response")
            .then(get().answered(
                ok(&["Cache-Control: no-store"]).surplus("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nBAD"),
            ))
            .then(get().answered(ok(&["Cache-Control: no-store"])))
            .then(get().at("/other").answered(ok(&[])))
            .then(get().answered(ok(&[]))),
        case("9112 9.3", "content that is longer than its length is cut there")
            .then(
                get()
                    .answered(ok(&[FRESH, "Content-Length: 4"]).text("0123456789"))
                    .text("0123")
                    .shows("Content-Length: 4"),
            )
            .then(get().cached().text("0123"))
            .then(get().at("/other").answered(ok(&[]))),
    ];
    cases.extend([
        program("9110 15.6.3", "an answer that is not HTTP is answered 502", |stage| {
            Box::pin(garbled(stage, b"NO SUCH PROTOCOL\r\n\r\n"))
        }),
        program("9110 15.6.3", "a head that breaks off is answered 502", |stage| {
            Box::pin(garbled(stage, b"HTTP/1.1 200 OK\r\nContent-Le"))
        }),
        program("9112 6.3", "two lengths that differ are answered 502", |stage| {
            Box::pin(garbled(stage, b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"))
        }),
        program("9112 6.3", "a length that is no number is answered 502", |stage| {
            Box::pin(garbled(stage, b"HTTP/1.1 200 OK\r\nContent-Length: abc\r\n\r\nabc"))
        }),
        program(storing, "content reaches the client while the origin still sends", |stage| {
            Box::pin(streamed(stage))
        }),
    ]);
    cases
}

async fn garbled(mut stage: Stage, answer: &'static [u8]) -> Verdict {
    for _ in 0..2 {
        let request = stage.request_bytes("GET", "", &[]);
        let client = tokio::spawn(exchange(stage.proxy, "GET", request));
        let mut asked = stage.next_asked().await?;
        asked.wire.send(answer).await.map_err(told)?;
        drop(asked);
        let response = client.await.map_err(|error| error.to_string())??;
        if response.head.status != 502 {
            return Err(format!("the status is {} instead of 502", response.head.status));
        }
    }
    Ok(())
}

async fn streamed(mut stage: Stage) -> Verdict {
    let mut client = Wire::open(stage.proxy).await.map_err(told)?;
    client.send(&stage.request_bytes("GET", "", &[])).await.map_err(told)?;
    let mut asked = stage.next_asked().await?;
    asked
        .wire
        .send(b"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 10\r\n\r\n01234")
        .await
        .map_err(told)?;
    let begin = tokio::time::timeout(PATIENCE, async {
        let head = client.response_head().await?;
        let mut first = Vec::new();
        client.exactly(5, &mut first).await?;
        Ok::<_, std::io::Error>((head, first))
    });
    let (head, first) = begin.await.map_err(|_| "the proxy waits for the end".to_owned())?.map_err(told)?;
    asked.wire.send(b"56789").await.map_err(told)?;
    asked.keep_alive();
    let mut rest = Vec::new();
    client.exactly(5, &mut rest).await.map_err(told)?;
    let is_right = head.status == 200 && first == b"01234" && rest == b"56789";
    if is_right { Ok(()) } else { Err(format!("{head:?}, then {first:?} and {rest:?}")) }
}

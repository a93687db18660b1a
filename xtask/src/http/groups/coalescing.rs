//! Several clients that ask for one URL at a time: one request to the origin, and all stream its answer.
//!
//! The origin holds back the second half of its answer until every client has the first.

use std::io;

use tokio::time::timeout;

use super::super::case::{Case, Verdict, program};
use super::super::message::Wire;
use super::super::origin::Asked;
use super::super::stage::{PATIENCE, Stage, told};

const CLIENTS: usize = 8;
const FRESH: &str = "Cache-Control: max-age=3600";

pub(super) fn cases() -> Vec<Case> {
    let section = "9111 4";
    vec![
        program(section, "eight requests at once cost one, and all stream it while it arrives", |stage| {
            Box::pin(all_stream(stage))
        }),
        program(section, "a client that leaves half-way does not break off the others", |stage| {
            Box::pin(first_leaves(stage))
        }),
        program(section, "a client that leaves before the answer does not hold up the others", |stage| {
            Box::pin(first_leaves_early(stage))
        }),
        program(section, "an origin that breaks off breaks off for all who wait", |stage| {
            Box::pin(origin_breaks(stage))
        }),
        program(section, "a response that is not storable answers one client only", |stage| {
            Box::pin(not_storable(stage))
        }),
        program(section, "requests for different variants do not share an answer", |stage| {
            Box::pin(variants(stage))
        }),
        program("9110 9.2.1", "unsafe requests are never combined", |stage| Box::pin(unsafe_apart(stage))),
    ]
}

/// Opens a connection and asks on it.
async fn ask(stage: &Stage, method: &str, lines: &[Vec<u8>]) -> Result<Wire, String> {
    let mut client = Wire::open(stage.proxy).await.map_err(told)?;
    client.send(&stage.request_bytes(method, "", lines)).await.map_err(told)?;
    Ok(client)
}

async fn ask_all(stage: &Stage) -> Result<Vec<Wire>, String> {
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        clients.push(ask(stage, "GET", &[]).await?);
    }
    Ok(clients)
}

/// Sends a head that announces ten bytes, and the first five.
async fn send_half(asked: &mut Asked, line: &str) -> Verdict {
    let head = format!("HTTP/1.1 200 OK\r\n{line}\r\nContent-Length: 10\r\n\r\n01234");
    asked.wire.send(head.as_bytes()).await.map_err(told)
}

/// Sends the last five bytes, and leaves the connection to the next request.
async fn send_rest(mut asked: Asked) -> Verdict {
    asked.wire.send(b"56789").await.map_err(told)?;
    asked.keep_alive();
    Ok(())
}

/// Reads the first half on `client`.
async fn read_half(client: &mut Wire) -> Verdict {
    let read = timeout(PATIENCE, async {
        let head = client.response_head().await?;
        let mut half = Vec::new();
        client.exactly(5, &mut half).await?;
        Ok::<_, io::Error>((head.status, half))
    });
    match read.await {
        Ok(Ok((200, half))) if half == b"01234" => Ok(()),
        Ok(Ok((status, half))) => Err(format!("a client got {status} and {half:?}")),
        Ok(Err(error)) => Err(format!("a client got no first half: {error}")),
        Err(_) => Err("a client waits for the first half".to_owned()),
    }
}

/// Reads the second half on `client`, or how it broke off.
async fn read_rest(client: &mut Wire) -> Verdict {
    let mut half = Vec::new();
    match timeout(PATIENCE, client.exactly(5, &mut half)).await {
        Ok(Ok(())) if half == b"56789" => Ok(()),
        Ok(Ok(())) => Err(format!("a client got {half:?}")),
        Ok(Err(error)) => Err(format!("a client got no second half: {error}")),
        Err(_) => Err("a client waits for the second half".to_owned()),
    }
}

fn asked_once(stage: &mut Stage) -> Verdict {
    match stage.asked.try_recv() {
        Ok(_) => Err("the origin was asked twice".to_owned()),
        Err(_) => Ok(()),
    }
}

async fn all_stream(mut stage: Stage) -> Verdict {
    let mut clients = ask_all(&stage).await?;
    let mut asked = stage.next_asked().await?;
    send_half(&mut asked, FRESH).await?;
    for client in &mut clients {
        read_half(client).await?;
    }
    send_rest(asked).await?;
    for client in &mut clients {
        read_rest(client).await?;
    }
    asked_once(&mut stage)
}

async fn first_leaves(mut stage: Stage) -> Verdict {
    let mut first = ask(&stage, "GET", &[]).await?;
    let mut asked = stage.next_asked().await?;
    let mut others = ask_all(&stage).await?;
    send_half(&mut asked, FRESH).await?;
    read_half(&mut first).await?;
    for client in &mut others {
        read_half(client).await?;
    }
    drop(first);
    send_rest(asked).await?;
    for client in &mut others {
        read_rest(client).await?;
    }
    asked_once(&mut stage)
}

async fn first_leaves_early(mut stage: Stage) -> Verdict {
    let first = ask(&stage, "GET", &[]).await?;
    let mut asked = stage.next_asked().await?;
    let mut others = ask_all(&stage).await?;
    drop(first);
    // The proxy may go on with this request or ask once more; when it has gone, nobody reads what is sent.
    let _ = send_half(&mut asked, FRESH).await;
    let _ = send_rest(asked).await;
    let mut count = 1;
    let mut reading = std::pin::pin!(async {
        for client in &mut others {
            read_half(client).await?;
            read_rest(client).await?;
        }
        Ok(())
    });
    loop {
        tokio::select! {
            verdict = &mut reading => return verdict,
            Some(mut asked) = stage.asked.recv() => {
                count += 1;
                if count > 2 {
                    return Err("the origin was asked more than once again".to_owned());
                }
                send_half(&mut asked, FRESH).await?;
                send_rest(asked).await?;
            }
        }
    }
}

async fn origin_breaks(mut stage: Stage) -> Verdict {
    let mut clients = ask_all(&stage).await?;
    let mut asked = stage.next_asked().await?;
    send_half(&mut asked, FRESH).await?;
    for client in &mut clients {
        read_half(client).await?;
    }
    drop(asked);
    for client in &mut clients {
        if read_rest(client).await.is_ok() {
            return Err("a client got more than the origin sent".to_owned());
        }
    }
    asked_once(&mut stage)
}

async fn not_storable(mut stage: Stage) -> Verdict {
    let mut clients = ask_all(&stage).await?;
    let mut held = Vec::new();
    for _ in 0..CLIENTS {
        let mut asked = stage.next_asked().await?;
        send_half(&mut asked, "Cache-Control: no-store").await?;
        held.push(asked);
    }
    for client in &mut clients {
        read_half(client).await?;
    }
    for asked in held {
        send_rest(asked).await?;
    }
    for client in &mut clients {
        read_rest(client).await?;
    }
    asked_once(&mut stage)
}

async fn variants(mut stage: Stage) -> Verdict {
    let mut clients = Vec::new();
    for language in ["en", "fr"] {
        let client = ask(&stage, "GET", &[format!("Accept-Language: {language}").into_bytes()]).await?;
        clients.push((language, client));
    }
    for _ in 0..clients.len() {
        let mut asked = stage.next_asked().await?;
        let language = asked.request.fields.text("Accept-Language");
        let head = format!(
            "HTTP/1.1 200 OK\r\n{FRESH}\r\nVary: Accept-Language\r\nContent-Length: 2\r\n\r\n{language}"
        );
        asked.wire.send(head.as_bytes()).await.map_err(told)?;
        asked.keep_alive();
    }
    for (language, mut client) in clients {
        let response = timeout(PATIENCE, client.response("GET")).await;
        let response = response.map_err(|_| format!("the client for {language} waits"))?.map_err(told)?;
        if response.content != language.as_bytes() {
            return Err(format!(
                "the client for {language} got {:?}",
                String::from_utf8_lossy(&response.content)
            ));
        }
    }
    asked_once(&mut stage)
}

async fn unsafe_apart(mut stage: Stage) -> Verdict {
    let _first = ask(&stage, "POST", &[]).await?;
    let _second = ask(&stage, "POST", &[]).await?;
    let _first_asked = stage.next_asked().await?;
    let _second_asked = stage.next_asked().await?;
    Ok(())
}

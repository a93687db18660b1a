//! Where a case is played: its path on the proxy, and what the origin is asked for that path.
//!
//! An exchange has a few seconds; a proxy that hangs fails its case and holds up no other.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use tokio::sync::Semaphore;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::timeout;

use super::case::{Case, Script, Step, Verdict, Visit, Visiting};
use super::check;
use super::lines::Braces;
use super::message::{Response, Wire};
use super::origin::{Asked, Origin};
use super::reply::{Reply, reply};

/// How long anything may take that should take no time.
pub(super) const PATIENCE: Duration = Duration::from_secs(8);
/// How long validation may take to begin after the answer that it is behind.
const BEHIND: Duration = Duration::from_secs(3);

/// What one case has to itself.
pub(super) struct Stage {
    /// Where the proxy listens.
    pub(super) proxy: SocketAddr,
    /// The requests that the origin gets for this case.
    pub(super) asked: UnboundedReceiver<Asked>,
    /// The case's own addresses and time.
    pub(super) braces: Braces,
}

impl Stage {
    /// Returns the stage of the case with this number.
    pub(super) fn new(number: usize, proxy: SocketAddr, origin: &Origin) -> Self {
        let path = path(number);
        Self {
            proxy,
            asked: origin.requests_of(&path[1..]),
            braces: Braces {
                now: SystemTime::now(),
                origin: format!("http://{}", origin.address()),
                proxy: format!("http://{proxy}"),
                path,
            },
        }
    }

    /// Plays `case` to its end or its first failure.
    ///
    /// It has one of the `permits`, but not while it waits for time to pass.
    pub(super) async fn play(mut self, case: &Case, permits: &Semaphore) -> Verdict {
        let mut permit = permits.acquire().await;
        self.braces.now = SystemTime::now();
        let steps = match &case.script {
            Script::Program(run) => return run(self).await,
            Script::Steps(steps) => steps,
        };
        let mut answers = HashMap::new();
        for (at, step) in steps.iter().enumerate() {
            if !step.wait.is_zero() {
                drop(permit);
                tokio::time::sleep(step.wait).await;
                permit = permits.acquire().await;
            }
            let own = format!("answer {} of {}", at + 1, self.braces.path).into_bytes();
            self.step(step, &own, &mut answers).await.map_err(|problems| {
                format!("exchange {}, {} {}{}", at + 1, step.method, step.suffix, problems)
            })?;
        }
        drop(permit);
        match self.asked.try_recv() {
            Ok(asked) => Err(format!("in the end, the origin was asked again: {}", shown(&asked))),
            Err(_) => Ok(()),
        }
    }

    /// Plays one exchange; `answers` are the contents that each path was last answered with.
    async fn step<'a>(
        &mut self,
        step: &'a Step,
        own: &[u8],
        answers: &mut HashMap<&'a str, Vec<u8>>,
    ) -> Verdict {
        let client = tokio::spawn(exchange(self.proxy, step.method, self.request(step)));
        tokio::pin!(client);
        let mut visits = Visits { step, own, braces: self.braces.clone(), count: 0, problems: Vec::new() };
        let mut behind = Vec::new();
        let response = timeout(PATIENCE, async {
            loop {
                tokio::select! {
                    response = &mut client => break response,
                    Some(asked) = self.asked.recv() => match step.visiting {
                        Visiting::Behind => behind.push(asked),
                        Visiting::Before | Visiting::Perhaps => visits.visited(asked).await,
                    },
                }
            }
        });
        let response = match response.await {
            Ok(response) => response.map_err(|error| error.to_string()).flatten(),
            Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
        };
        for asked in behind {
            visits.visited(asked).await;
        }
        while step.visiting == Visiting::Behind && visits.count < step.visits.len() {
            let Ok(Some(asked)) = timeout(BEHIND, self.asked.recv()).await else { break };
            visits.visited(asked).await;
        }
        let Visits { count, mut problems, .. } = visits;
        if count < step.visits.len() && !(step.visiting == Visiting::Perhaps && count == 0) {
            problems.push(format!("the origin was asked {count} times instead of {}", step.visits.len()));
        }
        match response {
            Ok(response) => {
                let content = expected_content(step, own, count, answers);
                check::response(step, content.as_deref(), count > 0, &response, &self.braces, &mut problems);
            }
            Err(error) => problems.push(error),
        }
        if problems.is_empty() { Ok(()) } else { Err(format!("\n    {}", problems.join("\n    "))) }
    }

    fn request(&self, step: &Step) -> Vec<u8> {
        let mut lines = step.lines.clone();
        if let Some(content) = step.content {
            lines.push(format!("Content-Length: {}", content.len()).into_bytes());
        }
        let mut request = self.request_bytes(step.method, step.suffix, &lines);
        request.extend_from_slice(step.content.unwrap_or_default().as_bytes());
        request
    }

    /// Returns a request for what is below the case's path, without content.
    pub(super) fn request_bytes(&self, method: &str, suffix: &str, lines: &[Vec<u8>]) -> Vec<u8> {
        let path = &self.braces.path;
        let mut request =
            format!("{method} {path}{suffix} HTTP/1.1\r\nHost: {}\r\n", self.proxy).into_bytes();
        for line in lines {
            request.extend_from_slice(&self.braces.fill(line));
            request.extend_from_slice(b"\r\n");
        }
        request.extend_from_slice(b"\r\n");
        request
    }

    /// Returns the next request that the origin gets for this case.
    pub(super) async fn next_asked(&mut self) -> Result<Asked, String> {
        match timeout(PATIENCE, self.asked.recv()).await {
            Ok(Some(asked)) => Ok(asked),
            _ => Err("the origin was not asked".to_owned()),
        }
    }
}

/// Returns what a case says about `error`.
#[expect(clippy::needless_pass_by_value, reason = "it is the function that map_err takes")]
pub(super) fn told(error: io::Error) -> String {
    error.to_string()
}

/// Returns the path of the case with this number.
pub(super) fn path(number: usize) -> String {
    format!("/c{number}")
}

/// Sends a request on a connection of its own and reads the response to its end.
pub(super) async fn exchange(
    proxy: SocketAddr,
    method: &'static str,
    request: Vec<u8>,
) -> Result<Response, String> {
    let mut wire = Wire::open(proxy).await.map_err(|error| format!("no connection: {error}"))?;
    wire.send(&request).await.map_err(|error| format!("the request broke off: {error}"))?;
    wire.response(method).await.map_err(|error| format!("no response: {error}"))
}

/// The requests that the origin got in one exchange.
struct Visits<'a> {
    step: &'a Step,
    own: &'a [u8],
    braces: Braces,
    count: usize,
    problems: Vec<String>,
}

impl Visits<'_> {
    /// Checks a request against the script and answers it.
    async fn visited(&mut self, asked: Asked) {
        let visit = self.step.visits.get(self.count);
        self.count += 1;
        let Some(visit) = visit else {
            self.problems.push(format!("the origin was asked unexpectedly: {}", shown(&asked)));
            return self.answer(&reply(500, &["Cache-Control: no-store"]), asked).await;
        };
        check::visit(self.step, visit, &asked.request, &self.braces, &mut self.problems);
        if let Visit { reply: Some(reply), .. } = visit {
            self.answer(reply, asked).await;
        }
    }

    async fn answer(&mut self, reply: &Reply, asked: Asked) {
        if let Err(error) = reply.answer(asked, self.own, &self.braces).await {
            self.problems.push(format!("the proxy did not take the origin's response: {error}"));
        }
    }
}

/// Returns the content of the response when the case does not say: the origin's, or the path's last one.
fn expected_content<'a>(
    step: &'a Step,
    own: &[u8],
    count: usize,
    answers: &mut HashMap<&'a str, Vec<u8>>,
) -> Option<Vec<u8>> {
    let last =
        if count == 0 || step.visiting == Visiting::Behind { None } else { step.visits.get(count - 1) };
    let replied = last.and_then(|visit| visit.reply.as_ref()).filter(|reply| reply.status != 304);
    let content = match replied {
        Some(reply) => Some(reply.content(own).to_vec()),
        None => answers.get(step.suffix).cloned(),
    };
    let behind = step.visits.last().filter(|_| step.visiting == Visiting::Behind);
    let stored = replied.or(behind.and_then(|visit| visit.reply.as_ref()));
    if let Some(reply) = stored
        && step.method == "GET"
        && reply.status < 500
        && !matches!(reply.status, 206 | 304 | 412 | 416)
    {
        answers.insert(step.suffix, reply.content(own).to_vec());
    }
    content
}

fn shown(asked: &Asked) -> String {
    format!("{} {} with {:?}", asked.request.method, asked.request.target, asked.request.fields)
}

#[cfg(test)]
mod tests {
    use super::super::case::{case, get, not_reused, reused};
    use super::super::reply::ok;
    use super::*;

    /// Plays `case` with nothing between the client and the origin.
    async fn without_a_cache(case: Case) -> Verdict {
        let origin = Origin::listen().await.expect("a free port");
        let stage = Stage::new(1, origin.address(), &origin);
        stage.play(&case, &Semaphore::new(1)).await
    }

    #[tokio::test]
    async fn what_the_origin_answers_every_time_is_not_reused() {
        let lines = &["Cache-Control: max-age=3600"];
        let failure =
            without_a_cache(reused("9111 4", "reused", lines)).await.expect_err("there is no cache");
        assert!(failure.contains("exchange 2, GET"), "{failure}");
        assert!(failure.contains("the origin was asked unexpectedly"), "{failure}");
        without_a_cache(not_reused("9111 4", "not reused", lines)).await.expect("the origin answers both");
    }

    #[tokio::test]
    async fn what_is_not_seen_is_told() {
        let exchange = get().with("X-A: 1").answered(ok(&["X-B: 2"]).after(103, &[]).text("body").cut());
        let exchange =
            exchange.sees("X-A: 2").misses("Host").status(201).shows("X-B: 3").lacks("X-B").age(5).text("y");
        let failure =
            without_a_cache(case("9110 1", "nothing is right").then(exchange)).await.expect_err("wrong");
        for told in [
            "did not see \"X-A: 2\"",
            "saw Host",
            "status is 200 instead of [201]",
            "no \"X-B: 3\"",
            "there is X-B: 2",
            "Age is \"\"",
            "broke off",
            "content is \"bo\" instead of \"y\"",
        ] {
            assert!(failure.contains(told), "{told:?} is not in {failure}");
        }
    }
}

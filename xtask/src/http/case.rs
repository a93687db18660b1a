//! A case: the exchanges that show one sentence of a standard, as data.
//!
//! Names are sentences, unique, and stable: documents cite them.

use std::time::Duration;

use futures_util::future::BoxFuture;

use super::reply::{Reply, ok};
use super::stage::Stage;

/// Which kind of cache the proxy is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mode {
    Shared,
    Private,
}

impl Mode {
    pub(super) const ALL: [Self; 2] = [Self::Shared, Self::Private];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Shared => "shared",
            Self::Private => "private",
        }
    }
}

/// One case.
pub(super) struct Case {
    /// The section that it shows, such as `9111 4.2.1`.
    pub(super) section: &'static str,
    /// What holds.
    pub(super) name: String,
    /// The one mode that it is about, or none for both.
    pub(super) only: Option<Mode>,
    /// What happens.
    pub(super) script: Script,
}

/// What happens in a case.
pub(super) enum Script {
    /// Exchanges, one after the other.
    Steps(Vec<Step>),
    /// What exchanges one after the other cannot say.
    Program(fn(Stage) -> BoxFuture<'static, Verdict>),
}

/// How a case ended: the error says what was expected and what was seen.
pub(super) type Verdict = Result<(), String>;

/// Returns a case without exchanges.
pub(super) fn case(section: &'static str, name: impl Into<String>) -> Case {
    Case { section, name: name.into(), only: None, script: Script::Steps(Vec::new()) }
}

/// Returns a case that is a program.
pub(super) fn program(
    section: &'static str,
    name: &str,
    run: fn(Stage) -> BoxFuture<'static, Verdict>,
) -> Case {
    Case { section, name: name.to_owned(), only: None, script: Script::Program(run) }
}

/// Returns a case where a 200 response with these lines answers a second request for it.
pub(super) fn reused(section: &'static str, name: impl Into<String>, lines: &[&str]) -> Case {
    case(section, name).then(get().answered(ok(lines))).then(get().cached())
}

/// Returns a case where a 200 response with these lines leaves a second request to the origin.
pub(super) fn not_reused(section: &'static str, name: impl Into<String>, lines: &[&str]) -> Case {
    case(section, name).then(get().answered(ok(lines))).then(get().answered(ok(&[])))
}

impl Case {
    /// Adds an exchange.
    pub(super) fn then(mut self, step: Step) -> Self {
        if let Script::Steps(steps) = &mut self.script {
            steps.push(step);
        }
        self
    }

    /// Is about a shared cache alone.
    pub(super) fn shared(mut self) -> Self {
        self.only = Some(Mode::Shared);
        self
    }

    /// Is about a private cache alone.
    pub(super) fn private(mut self) -> Self {
        self.only = Some(Mode::Private);
        self
    }
}

/// One exchange: a request, what the origin is asked for it, and what the client sees.
pub(super) struct Step {
    pub(super) method: &'static str,
    pub(super) suffix: &'static str,
    pub(super) lines: Vec<Vec<u8>>,
    pub(super) content: Option<&'static str>,
    pub(super) wait: Duration,
    pub(super) visits: Vec<Visit>,
    pub(super) visiting: Visiting,
    pub(super) expected: Vec<Expected>,
}

/// One request that the origin sees, and its answer.
#[derive(Default)]
pub(super) struct Visit {
    /// The answer, or none when the origin breaks the connection.
    pub(super) reply: Option<Reply>,
    /// Lines that the request has, or names of them.
    pub(super) sees: Vec<Vec<u8>>,
    /// Names of lines that the request does not have.
    pub(super) misses: Vec<&'static str>,
}

/// Whether the visits of an exchange take place.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Visiting {
    /// All of them, before the client has its answer.
    #[default]
    Before,
    /// None or all of them.
    Perhaps,
    /// All of them, and the client has its answer while they wait.
    Behind,
}

/// What the client sees.
pub(super) enum Expected {
    /// One of these status codes.
    Status(Vec<u16>),
    /// This line among the others, or any line when there is only a name.
    Shows(Vec<u8>),
    /// Exactly these values of lines with this name, in this order.
    Lines(&'static str, Vec<Vec<u8>>),
    /// A line of this name with this text in it.
    Mentions(&'static str, &'static str),
    /// No line of this name.
    Lacks(&'static str),
    /// One `Age`, at least and at most these seconds.
    Age(u64, u64),
    /// One of these contents, or any when there are none.
    Text(Vec<Vec<u8>>),
    /// Interim responses of these status codes.
    Interim(Vec<u16>),
    /// A response that breaks off.
    Broken,
}

/// A GET request.
pub(super) fn get() -> Step {
    method("GET")
}

/// A HEAD request.
pub(super) fn head() -> Step {
    method("HEAD")
}

/// A request with any method.
pub(super) fn method(method: &'static str) -> Step {
    Step {
        method,
        suffix: "",
        lines: Vec::new(),
        content: None,
        wait: Duration::ZERO,
        visits: Vec::new(),
        visiting: Visiting::Before,
        expected: Vec::new(),
    }
}

/// What the client asks.
impl Step {
    /// Asks for what is below the case's own path, or for a query of it.
    pub(super) fn at(mut self, suffix: &'static str) -> Self {
        self.suffix = suffix;
        self
    }

    /// Asks with this line.
    pub(super) fn with(mut self, line: impl Into<Vec<u8>>) -> Self {
        self.lines.push(line.into());
        self
    }

    /// Asks with this content.
    pub(super) fn sending(mut self, content: &'static str) -> Self {
        self.content = Some(content);
        self
    }

    /// Asks after what was stored with `max-age=1` has become stale.
    pub(super) fn later(mut self) -> Self {
        self.wait = Duration::from_millis(2100);
        self
    }
}

/// What the origin does.
impl Step {
    /// The origin is asked, and answers this; once more for each further reply.
    pub(super) fn answered(mut self, reply: Reply) -> Self {
        self.visits.push(Visit { reply: Some(reply), ..Visit::default() });
        self
    }

    /// The origin may be asked, and answers this.
    pub(super) fn perhaps(mut self, reply: Reply) -> Self {
        self.visiting = Visiting::Perhaps;
        self.answered(reply)
    }

    /// The origin is asked, and answers this, but the client does not wait for it.
    pub(super) fn behind(mut self, reply: Reply) -> Self {
        self.visiting = Visiting::Behind;
        self.answered(reply)
    }

    /// The origin is asked, and breaks the connection without a byte.
    pub(super) fn broken_off(mut self) -> Self {
        self.visits.push(Visit::default());
        self
    }

    /// The origin is not asked.
    pub(super) fn cached(self) -> Self {
        assert!(self.visits.is_empty(), "a step is answered by the origin or by the cache");
        self
    }

    /// The origin sees this line, or any line of this name, in the last request mentioned.
    pub(super) fn sees(mut self, line: impl Into<Vec<u8>>) -> Self {
        self.visit().sees.push(line.into());
        self
    }

    /// The origin sees no line of this name in the last request mentioned.
    pub(super) fn misses(mut self, name: &'static str) -> Self {
        self.visit().misses.push(name);
        self
    }

    fn visit(&mut self) -> &mut Visit {
        self.visits.last_mut().expect("a step says first that the origin is asked")
    }
}

/// What the client sees.
impl Step {
    /// The response has this status; otherwise the origin's, or 200.
    pub(super) fn status(self, status: u16) -> Self {
        self.status_in(&[status])
    }

    /// The response has one of these status codes.
    pub(super) fn status_in(self, statuses: &[u16]) -> Self {
        self.expect(Expected::Status(statuses.to_vec()))
    }

    /// The response has this line, or any line of this name.
    pub(super) fn shows(self, line: impl Into<Vec<u8>>) -> Self {
        self.expect(Expected::Shows(line.into()))
    }

    /// The lines of this name have these values in this order.
    pub(super) fn shows_lines(self, name: &'static str, values: &[&str]) -> Self {
        self.expect(Expected::Lines(name, values.iter().map(|value| value.as_bytes().to_vec()).collect()))
    }

    /// A line of this name has this text in it.
    pub(super) fn mentions(self, name: &'static str, text: &'static str) -> Self {
        self.expect(Expected::Mentions(name, text))
    }

    /// The response has no line of this name.
    pub(super) fn lacks(self, name: &'static str) -> Self {
        self.expect(Expected::Lacks(name))
    }

    /// The response has one `Age` of at least `least` seconds, and not half a minute more.
    pub(super) fn age(self, least: u64) -> Self {
        self.expect(Expected::Age(least, least + 30))
    }

    /// The response has this content; otherwise the origin's, or what the path was last answered with.
    pub(super) fn text(self, text: impl Into<Vec<u8>>) -> Self {
        self.expect(Expected::Text(vec![text.into()]))
    }

    /// The response has one of these contents.
    pub(super) fn text_in(self, texts: &[&str]) -> Self {
        self.expect(Expected::Text(texts.iter().map(|text| text.as_bytes().to_vec()).collect()))
    }

    /// The response has any content.
    pub(super) fn any_text(self) -> Self {
        self.expect(Expected::Text(Vec::new()))
    }

    /// Interim responses of these status codes come first.
    pub(super) fn interim(self, statuses: &[u16]) -> Self {
        self.expect(Expected::Interim(statuses.to_vec()))
    }

    /// The response breaks off.
    pub(super) fn breaks_off(self) -> Self {
        self.expect(Expected::Broken)
    }

    fn expect(mut self, expected: Expected) -> Self {
        self.expected.push(expected);
        self
    }
}

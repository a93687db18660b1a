//! Python's aiohttp-client-cache, whose interface larder descends from, in a process of its own.
//!
//! It is installed in a virtual environment, and asked round by round over a pipe; it takes the time itself, so that
//! the pipe costs nothing.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use larder_core::BoxError;
use serde_json::{Value, json};

use crate::contender::{Survives, Terms};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/python/file_backend.py");
const REQUIREMENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/python/requirements.txt");

/// What is asked of the backend of aiohttp-client-cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the script knows these")]
pub enum PythonOperation {
    /// Reads an entry.
    Read,
    /// Writes an entry that is not there.
    Write,
    /// Writes an entry over another.
    Replace,
    /// Asks whether an entry is there.
    Contains,
    /// Deletes an entry.
    Delete,
}

impl PythonOperation {
    fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Replace => "replace",
            Self::Contains => "contains",
            Self::Delete => "delete",
        }
    }
}

/// A process that measures aiohttp-client-cache's `FileBackend`, at one task.
///
/// Its interface blocks: a process is asked by a thread that has nothing else to do.
#[derive(Debug)]
pub struct Python {
    process: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Python {
    /// What a table calls the backend.
    pub const NAME: &'static str = "aiohttp-client-cache, FileBackend (Python)";

    /// Starts a process, with a cache of its own in `directory`.
    ///
    /// What it needs is installed in `environment`, unless that was done before.
    ///
    /// # Errors
    ///
    /// When there is no Python 3, or its packages cannot be installed.
    pub fn start(environment: &Path, directory: &Path) -> Result<Self, BoxError> {
        install(environment)?;
        let mut process = Command::new(program(environment))
            .arg(SCRIPT)
            .arg(directory.join("python"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let questions = process.stdin.take();
        let answers = process.stdout.take().ok_or("the process has no output")?;
        Ok(Self { process, questions, answers: BufReader::new(answers) })
    }

    /// Starts a process as [`Python::start`] does; where that fails, says so on the standard error and returns `None`.
    #[must_use]
    pub fn start_or_say(environment: &Path, directory: &Path) -> Option<Self> {
        match Self::start(environment, directory) {
            Ok(python) => Some(python),
            Err(error) => {
                eprintln!("!!! {} IS NOT MEASURED: {error}", Self::NAME);
                None
            }
        }
    }

    /// Returns what the backend promises.
    #[must_use]
    pub fn terms() -> Terms {
        Terms {
            durability: "the process's end; a write that is interrupted leaves a torn entry",
            survives: Survives::Torn,
            verification: "nothing",
            processes: "many processes, but a reader sees writes that are not done",
            in_memory: false,
        }
    }

    /// Returns how long one `operation` on a body of `bytes` bytes takes, as the mean of `count`.
    ///
    /// # Errors
    ///
    /// When the backend failed, or returned other bytes than those that were written.
    pub fn measure(
        &mut self,
        operation: PythonOperation,
        bytes: usize,
        count: u32,
    ) -> Result<Duration, BoxError> {
        let question = json!({ "operation": operation.name(), "bytes": bytes, "count": count });
        Ok(self.ask(&question)? / count.max(1))
    }

    /// Returns how long a hit of the whole client takes, as the mean of `count`.
    ///
    /// The origin is asked for `url` once at most, before the measurement; its body has `bytes` bytes.
    ///
    /// # Errors
    ///
    /// When a request failed, or its response did not come from the cache.
    pub fn hit(&mut self, url: &str, bytes: usize, count: u32) -> Result<Duration, BoxError> {
        let question = json!({ "operation": "hit", "url": url, "bytes": bytes, "count": count });
        Ok(self.ask(&question)? / count.max(1))
    }

    fn ask(&mut self, question: &Value) -> Result<Duration, BoxError> {
        let questions = self.questions.as_mut().ok_or("the process has no input")?;
        writeln!(questions, "{question}")?;
        questions.flush()?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        if answer.is_empty() {
            return Err(format!("the process ended: {}", self.process.wait()?).into());
        }
        let answer: Value = serde_json::from_str(&answer)?;
        match answer["ns"].as_u64() {
            Some(nanoseconds) => Ok(Duration::from_nanos(nanoseconds)),
            None => Err(answer["error"].as_str().unwrap_or("the process does not say why").into()),
        }
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        // The process ends when its input does.
        self.questions = None;
        if let Err(error) = self.process.wait() {
            eprintln!("{} did not end: {error}", Self::NAME);
        }
    }
}

/// Makes a virtual environment with what the script needs, unless it is there.
fn install(environment: &Path) -> Result<(), BoxError> {
    let requirements = fs::read_to_string(REQUIREMENTS)?;
    let installed = environment.join("installed.txt");
    if fs::read_to_string(&installed).is_ok_and(|installed| installed == requirements) {
        return Ok(());
    }
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(environment))?;
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"];
    run(Command::new(program(environment)).args(pip).arg(REQUIREMENTS))?;
    Ok(fs::write(installed, requirements)?)
}

fn run(command: &mut Command) -> Result<(), BoxError> {
    let program = command.get_program().to_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{} cannot be run: {error}", program.display()))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{command:?}: {}, {}", output.status, String::from_utf8_lossy(&output.stderr).trim()).into())
}

fn program(environment: &Path) -> PathBuf {
    let (folder, program) = if cfg!(windows) { ("Scripts", "python.exe") } else { ("bin", "python") };
    environment.join(folder).join(program)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::origin::Origin;

    const BYTES: usize = 10 << 10;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "installs packages from the network"]
    async fn every_operation_is_measured_and_a_hit_asks_nothing() {
        let directory = tempfile::tempdir().expect("a directory");
        let environment = directory.path().join("environment");
        let mut python = Python::start(&environment, directory.path()).expect("started");
        let operations = [
            PythonOperation::Read,
            PythonOperation::Write,
            PythonOperation::Replace,
            PythonOperation::Contains,
            PythonOperation::Delete,
        ];
        for operation in operations {
            let taken = python.measure(operation, BYTES, 100).expect("measured");
            assert!(taken > Duration::ZERO, "{operation:?}");
            println!("{operation:?} {taken:?}");
        }
        let origin = Origin::start(BYTES).await.expect("an origin");
        let url = origin.url(1);
        for _ in 0..2 {
            let taken = tokio::task::block_in_place(|| python.hit(&url, BYTES, 100)).expect("measured");
            println!("hit {taken:?}");
            assert_eq!(origin.asked(), 1);
        }
    }

    #[test]
    fn what_cannot_be_installed_is_said() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("file");
        fs::write(&file, "").expect("written");
        assert!(Python::start(&file.join("environment"), directory.path()).is_err());
        assert!(Python::start_or_say(&file.join("environment"), directory.path()).is_none());
    }
}

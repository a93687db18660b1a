//! The proxy as a process, and what the system knows about it.

use std::fmt;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::{Outcome, run};

/// A running proxy; it is killed when this is dropped.
pub(super) struct Process {
    child: Child,
    address: SocketAddr,
}

/// How much of the system a process holds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Level {
    descriptors: usize,
    threads: usize,
}

/// Reads every entry in `directory` by the program, which complains about each that is bad.
pub(super) fn verify(program: &Path, directory: &Path) -> Outcome {
    let verified = run::output_of(Command::new(program).arg("verify").arg("--dir").arg(directory))?;
    println!("verify: {}", verified.trim());
    Ok(())
}

/// Returns the names in `directory`.
pub(super) fn names(directory: &Path) -> Outcome<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    Ok(names)
}

impl Process {
    /// Starts `program` before the origin, and waits until it listens.
    pub(super) fn start(program: &Path, directory: &Path, origin: SocketAddr) -> Outcome<Self> {
        let mut child = Command::new(program)
            .args([
                "proxy",
                "--quiet",
                "--listen",
                "127.0.0.1:0",
                "--origin",
                &format!("http://{origin}"),
                "--dir",
            ])
            .arg(directory)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = child.stdout.take().ok_or("the proxy has no output")?;
        let mut process = Self { child, address: origin };
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let address =
            line.trim_end().strip_prefix("listening on http://").ok_or("the proxy does not listen")?;
        process.address = address.parse()?;
        Ok(process)
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns what it holds now.
    pub(super) fn level(&self) -> Outcome<Level> {
        let count = |of: &str| names(&self.proc().join(of)).map(|names| names.len());
        Ok(Level { descriptors: count("fd")?, threads: count("task")? })
    }

    /// Returns the most memory that it ever had.
    pub(super) fn peak_kib(&self) -> Outcome<u64> {
        let status = std::fs::read_to_string(self.proc().join("status"))?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        Ok(peak
            .ok_or("the system does not tell the peak memory")?
            .trim()
            .trim_end_matches("kB")
            .trim()
            .parse()?)
    }

    /// Ends it by a signal, and returns how long that took.
    ///
    /// # Errors
    ///
    /// When it does not end with code 0.
    pub(super) fn end(&mut self) -> Outcome<Duration> {
        let start = Instant::now();
        kill_process(Pid::from_child(&self.child), Signal::TERM)?;
        let status = self.child.wait()?;
        if status.success() {
            Ok(start.elapsed())
        } else {
            Err(format!("the proxy ended with {status}").into())
        }
    }

    fn proc(&self) -> PathBuf {
        PathBuf::from(format!("/proc/{}", self.child.id()))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Level {
    /// Returns the lower of each.
    pub(super) fn min(self, other: Self) -> Self {
        Self {
            descriptors: self.descriptors.min(other.descriptors),
            threads: self.threads.min(other.threads),
        }
    }

    /// Returns whether nothing is higher than in `other`.
    pub(super) fn is_within(self, other: Self) -> bool {
        self.descriptors <= other.descriptors && self.threads <= other.threads
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} descriptors, {} threads", self.descriptors, self.threads)
    }
}

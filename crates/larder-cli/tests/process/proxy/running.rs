//! A proxy that runs until a test has seen what it wanted.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Stdio};
use std::thread::JoinHandle;

use rustix::process::{Pid, Signal, kill_process};

use super::wire::Wire;
use crate::support::Place;

/// A running proxy; it is killed when this is dropped.
pub(crate) struct Proxy {
    process: Child,
    pub(crate) address: SocketAddr,
    /// Kept, because a reader that has gone is another test.
    _stdout: BufReader<ChildStdout>,
    stderr: Option<JoinHandle<String>>,
}

impl Proxy {
    /// Starts a proxy before `origin`, and waits until it accepts connections.
    pub(crate) fn start(place: &Place, origin: &str, options: &[&str]) -> Self {
        let mut process = place
            .larder(&["proxy", "--listen", "127.0.0.1:0", "--origin", origin])
            .args(options)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it can be run");
        let mut stdout = BufReader::new(process.stdout.take().expect("piped"));
        let mut stderr = process.stderr.take().expect("piped");
        let stderr = std::thread::spawn(move || {
            let mut text = String::new();
            stderr.read_to_string(&mut text).map(|_| text).expect("UTF-8")
        });
        let mut line = String::new();
        stdout.read_line(&mut line).expect("a line");
        let address = line.trim_end().strip_prefix("listening on http://");
        let address = address.unwrap_or_else(|| panic!("{line:?}: {}", process.id()));
        let address = address.parse().expect("an address");
        Self { process, address, _stdout: stdout, stderr: Some(stderr) }
    }

    pub(crate) fn connect(&self) -> Wire {
        Wire::connect(self.address)
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.process), signal).expect("it runs");
    }

    /// Waits for the end, and returns the exit code and what went to standard error.
    pub(crate) fn wait(mut self) -> (Option<i32>, String) {
        let status = self.process.wait().expect("it ends");
        let stderr = self.stderr.take().expect("only once").join().expect("no panic");
        (status.code(), stderr)
    }

    /// Ends it in order, and returns the lines that it wrote to standard error.
    pub(crate) fn end(self) -> Vec<String> {
        self.signal(Signal::TERM);
        let (code, stderr) = self.wait();
        assert_eq!(code, Some(0), "{stderr}");
        stderr.lines().map(str::to_owned).collect()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

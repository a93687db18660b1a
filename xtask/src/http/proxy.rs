//! The proxy as its users start it: the program, on a free port, over a directory of its own.
//!
//! What it writes to standard error is kept, so that a panic in it fails the run.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tempfile::TempDir;

use super::case::Mode;
use crate::Outcome;

/// A running proxy, ended when it is dropped.
pub(super) struct Proxy {
    child: Child,
    address: SocketAddr,
    log: Arc<Mutex<Vec<String>>>,
    _directory: TempDir,
}

impl Proxy {
    /// Starts `program` before the origin at `origin`, and waits until it listens.
    ///
    /// # Errors
    ///
    /// When it cannot be started, ends, or does not say within ten seconds that it listens.
    pub(super) fn start(program: &Path, mode: Mode, origin: SocketAddr) -> Outcome<Self> {
        let directory = tempfile::Builder::new().prefix("larder-exchanges-").tempdir()?;
        let mut child = Command::new(program)
            .args(["proxy", "--listen", "127.0.0.1:0", "--origin", &format!("http://{origin}"), "--dir"])
            .arg(directory.path())
            .arg(format!("--{}", mode.name()))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let (sender, listening) = channel();
        let log = Arc::new(Mutex::new(Vec::new()));
        let outputs: [Option<Box<dyn Read + Send>>; 2] = [
            child.stdout.take().map(|out| Box::new(out) as _),
            child.stderr.take().map(|out| Box::new(out) as _),
        ];
        for output in outputs.into_iter().flatten() {
            let (sender, log) = (sender.clone(), Arc::clone(&log));
            std::thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    if let Some(address) = line.split("listening on http://").nth(1) {
                        // Nobody waits any more when it is said twice.
                        let _ = sender.send(address.trim_end_matches('/').to_owned());
                    }
                    log.lock().expect("nothing panics with the lock").push(line);
                }
            });
        }
        drop(sender);
        let address = listening.recv_timeout(Duration::from_secs(10));
        let mut proxy = Self { child, address: origin, log, _directory: directory };
        match address.ok().and_then(|address| address.parse().ok()) {
            Some(address) => proxy.address = address,
            None => return Err(format!("the proxy does not listen: {}", proxy.log_text()).into()),
        }
        Ok(proxy)
    }

    /// Returns where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns what it wrote about panics, with the lines around them.
    pub(super) fn panics(&self) -> Vec<String> {
        let log = self.log.lock().expect("nothing panics with the lock");
        let at = log.iter().enumerate().filter(|(_, line)| line.contains("panicked at"));
        at.map(|(at, _)| log[at..log.len().min(at + 3)].join("\n    ")).collect()
    }

    /// Returns what it wrote about the case with this path.
    pub(super) fn lines_about(&self, path: &str) -> String {
        let is_path =
            |word: &str| word.split('?').next().is_some_and(|word| word.split('/').nth(1) == path.get(1..));
        let log = self.log.lock().expect("nothing panics with the lock");
        let lines = log.iter().filter(|line| line.split(' ').any(is_path));
        lines.flat_map(|line| ["\n    > ", line]).collect()
    }

    fn log_text(&self) -> String {
        self.log.lock().expect("nothing panics with the lock").join("\n")
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

//! Where and how the numbers were measured.

use std::fmt;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

use serde_json::{Value, json};

/// The machine, its software and the command.
#[derive(Debug, Clone)]
pub(crate) struct Machine {
    processor: String,
    processors: usize,
    memory: String,
    kernel: String,
    file_system: String,
    rustc: String,
    date: String,
    command: String,
}

impl Machine {
    /// Looks at this machine, and at the file system of `directory`.
    pub(crate) fn here(directory: &Path, command: String) -> Self {
        let of_system = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let value_of = |text: &str, name: &str| {
            let line = text.lines().find(|line| line.starts_with(name));
            line.and_then(|line| line.split_once(':'))
                .map_or_else(|| "unknown".to_owned(), |(_, value)| value.trim().to_owned())
        };
        Self {
            processor: value_of(&of_system("/proc/cpuinfo"), "model name"),
            processors: std::thread::available_parallelism().map_or(1, usize::from),
            memory: value_of(&of_system("/proc/meminfo"), "MemTotal"),
            kernel: of_system("/proc/sys/kernel/osrelease").trim().to_owned(),
            file_system: file_system(&of_system("/proc/self/mounts"), directory),
            rustc: output("rustc", "--version"),
            date: httpdate::fmt_http_date(SystemTime::now()),
            command,
        }
    }

    /// Returns everything.
    pub(crate) fn json(&self) -> Value {
        json!({
            "processor": self.processor,
            "processors": self.processors,
            "memory": self.memory,
            "kernel": self.kernel,
            "file_system": self.file_system,
            "rustc": self.rustc,
            "date": self.date,
            "command": self.command,
        })
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { processor, processors, memory, kernel, file_system, rustc, date, command } = self;
        write!(
            f,
            "`{command}`, {date}: {processor}, {processors} processors, {memory}, Linux {kernel}, {file_system}, {rustc}."
        )
    }
}

/// Returns the type of the file system that holds `directory`, of the mount that is nearest to it.
fn file_system(mounts: &str, directory: &Path) -> String {
    let directory = directory.canonicalize().unwrap_or_else(|_| directory.to_owned());
    let mounts = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ').skip(1);
        Some((fields.next()?, fields.next()?))
    });
    let nearest = mounts.filter(|(at, _)| directory.starts_with(at)).max_by_key(|(at, _)| at.len());
    nearest.map_or_else(|| "unknown file system".to_owned(), |(_, kind)| kind.to_owned())
}

fn output(program: &str, argument: &str) -> String {
    let output = Command::new(program).arg(argument).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    text.unwrap_or_else(|_| format!("{program} unknown"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_mount_decides() {
        let mounts = "/dev/a / ext4 rw 0 0\ntmpfs /dev tmpfs rw 0 0\n";
        assert_eq!(file_system(mounts, Path::new("/")), "ext4");
        assert_eq!(file_system(mounts, Path::new("/dev/absent")), "tmpfs");
        assert_eq!(file_system("", Path::new("/")), "unknown file system");
    }
}

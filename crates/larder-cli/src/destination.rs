//! Where a response goes: to standard output, or to a file that is there whole or not at all.
//!
//! A file is written beside its place and put there at the end. What stands there and is no regular file, such as a
//! device, is never replaced, but written to.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::output::{Output, escaped};
use crate::status::{Failure, Result};

pub(crate) enum Destination<'a> {
    Output {
        output: &'a mut Output,
        /// What protects the terminal, if it is one.
        guard: Option<Guard>,
    },
    File {
        file: NamedTempFile,
        path: PathBuf,
    },
    Device {
        file: File,
        path: PathBuf,
    },
}

impl<'a> Destination<'a> {
    /// Opens `path`; without one, and for `-`, it is standard output.
    ///
    /// Without one, a terminal is protected from bodies that would steer it.
    pub(crate) fn open(path: Option<&Path>, output: &'a mut Output) -> Result<Self> {
        let Some(path) = path else {
            let guard = output.is_terminal().then(Guard::default);
            return Ok(Self::Output { output, guard });
        };
        if path == Path::new("-") {
            return Ok(Self::Output { output, guard: None });
        }
        let failed = cannot_write(path);
        // Through links, so that what they lead to is replaced, and not the link.
        let there = match path.canonicalize() {
            Ok(there) => there,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Self::beside(path, None).map_err(failed);
            }
            Err(error) => return Err(failed(error)),
        };
        let metadata = there.metadata().map_err(cannot_write(path))?;
        if metadata.is_file() {
            // What may not be written may not be replaced either.
            File::options().write(true).open(&there).map_err(cannot_write(path))?;
            return Self::beside(&there, Some(metadata.permissions())).map_err(failed);
        }
        let file = File::options().write(true).open(&there).map_err(failed)?;
        Ok(Self::Device { file, path: there })
    }

    /// Makes a file beside `path`, as one that is made by that name would be, or with the permissions of what is there.
    fn beside(path: &Path, permissions: Option<std::fs::Permissions>) -> io::Result<Self> {
        let path = std::path::absolute(path)?;
        let directory = path.parent().unwrap_or(&path);
        let mut builder = tempfile::Builder::new();
        builder.prefix(".larder-");
        #[cfg(unix)]
        builder
            .permissions(permissions.unwrap_or_else(|| std::os::unix::fs::PermissionsExt::from_mode(0o666)));
        #[cfg(not(unix))]
        drop(permissions);
        Ok(Self::File { file: builder.tempfile_in(directory)?, path })
    }

    /// Returns whether what is written is on the user's screen, where a progress bar would be in its way.
    pub(crate) fn is_terminal(&self) -> bool {
        matches!(self, Self::Output { output, .. } if output.is_terminal())
    }

    /// Returns whether something is to be taken away if it does not come to the end.
    pub(crate) fn is_file(&self) -> bool {
        matches!(self, Self::File { .. })
    }

    /// Writes one line; control characters in it are escaped.
    pub(crate) fn line(&mut self, text: &str) -> Result<()> {
        match self {
            Self::Output { output, .. } => output.line(text),
            _ => self.write(format!("{}\n", escaped(text)).as_bytes()),
        }
    }

    /// Writes the next bytes of a body.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        match self {
            Self::Output { output, guard } => {
                if guard.as_mut().is_some_and(|guard| guard.is_steered_by(bytes)) {
                    return Err(Failure::new(
                        "the body holds control characters, which may steer the terminal: \
                         say -o FILE, or -o - to have them all the same",
                    ));
                }
                output.bytes(bytes)?;
                // What trickles in is seen as it does.
                output.flush()
            }
            Self::File { file, path } => file.write_all(bytes).map_err(cannot_write(path)),
            Self::Device { file, path } => file.write_all(bytes).map_err(cannot_write(path)),
        }
    }

    /// Puts what was written in its place.
    pub(crate) fn finish(self) -> Result<()> {
        match self {
            Self::Output { output, .. } => output.flush(),
            Self::Device { .. } => Ok(()),
            Self::File { file, path } => {
                file.persist(&path).map(drop).map_err(|error| cannot_write(&path)(error.error))
            }
        }
    }
}

fn cannot_write(path: &Path) -> impl FnOnce(io::Error) -> Failure {
    let path = path.display().to_string();
    move |error| Failure::new(format!("cannot write {path}")).because(error)
}

/// Finds control characters other than those of plain text, in UTF-8 that comes in pieces.
#[derive(Debug, Default)]
pub(crate) struct Guard {
    last: u8,
}

impl Guard {
    fn is_steered_by(&mut self, bytes: &[u8]) -> bool {
        bytes.iter().any(|&byte| {
            let before = std::mem::replace(&mut self.last, byte);
            match byte {
                b'\t' | b'\n' | b'\r' => false,
                // U+0080 to U+009F, the second set of control characters, are two bytes in UTF-8.
                0x80..=0x9f => before == 0xc2,
                _ => byte.is_ascii_control(),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_guarded_from_control_characters_only() {
        for (pieces, expected) in [
            (&["plain\r\n\ttext".as_bytes(), "Grüße, 日本語 ÀŸ".as_bytes()][..], false),
            (&[b"\x1b[2J"], true),
            (&[b"a\0b"], true),
            (&[b"\x7f"], true),
            (&["\u{9b}2J".as_bytes()], true),
            (&[b"a\xc2", b"\x9b2J"], true),
            (&[b"\x9b2J"], false),
        ] {
            let mut guard = Guard::default();
            assert_eq!(pieces.iter().any(|piece| guard.is_steered_by(piece)), expected, "{pieces:?}");
        }
    }
}

//! What is in a directory: names, and what they name, from the listing alone where the system has it there.
//!
//! On Linux 64 KiB of a directory are taken at a time, which is what makes a walk over very many names cheap.

use std::io;

/// The entries of a directory.
#[derive(Debug)]
pub(crate) enum Listing {
    #[cfg(target_os = "linux")]
    Linux(linux::Names),
    Portable(portable::Names),
}

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Dir,
    Other,
}

/// One entry of a directory.
#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) name: String,
    pub(crate) is_file: bool,
    pub(crate) is_dir: bool,
}

impl Listing {
    /// Goes on to the next name that is text, which all of ours are; returns what it stands for.
    pub(crate) fn advance(&mut self) -> Option<io::Result<Kind>> {
        match self {
            #[cfg(target_os = "linux")]
            Self::Linux(names) => names.advance(),
            Self::Portable(names) => names.advance(),
        }
    }

    /// Returns the name that it stands at.
    pub(crate) fn name(&self) -> &str {
        match self {
            #[cfg(target_os = "linux")]
            Self::Linux(names) => names.name(),
            Self::Portable(names) => names.name(),
        }
    }
}

impl Iterator for Listing {
    type Item = io::Result<Listed>;

    fn next(&mut self) -> Option<Self::Item> {
        let advanced = self.advance()?;
        Some(advanced.map(|kind| Listed {
            name: self.name().to_owned(),
            is_file: kind == Kind::File,
            is_dir: kind == Kind::Dir,
        }))
    }
}

#[cfg(target_os = "linux")]
pub(super) mod linux {
    use std::io;

    use rustix::fd::{AsFd, OwnedFd};
    use rustix::fs::{self, AtFlags, FileType, Mode, OFlags, RawDir};
    use rustix::io::Errno;

    use super::Kind;

    /// How much of a directory is taken at a time.
    const BUFFER: usize = 64 * 1024;

    #[derive(Debug)]
    pub(crate) struct Names {
        fd: OwnedFd,
        buffer: Vec<u8>,
        /// The names that were taken, one behind the other.
        text: String,
        /// Where each of them ends, and what it stands for.
        marks: Vec<(usize, Kind)>,
        /// How many were handed out.
        taken: usize,
    }

    impl Names {
        pub(crate) fn open(dir: impl AsFd) -> io::Result<Self> {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
            let fd = fs::openat(dir, ".", flags, Mode::empty())?;
            let buffer = Vec::with_capacity(BUFFER);
            Ok(Self { fd, buffer, text: String::new(), marks: Vec::new(), taken: 0 })
        }

        pub(super) fn advance(&mut self) -> Option<io::Result<Kind>> {
            while self.taken == self.marks.len() {
                match self.refill() {
                    Ok(true) => {}
                    Ok(false) => return None,
                    Err(error) => return Some(Err(error)),
                }
            }
            self.taken += 1;
            Some(Ok(self.marks[self.taken - 1].1))
        }

        pub(super) fn name(&self) -> &str {
            let end = |taken: usize| taken.checked_sub(1).map_or(0, |last| self.marks[last].0);
            &self.text[end(self.taken.saturating_sub(1))..end(self.taken)]
        }

        /// Takes the next part of the directory; returns whether there was one.
        fn refill(&mut self) -> io::Result<bool> {
            self.text.clear();
            self.marks.clear();
            self.taken = 0;
            let mut raw = RawDir::new(&self.fd, self.buffer.spare_capacity_mut());
            while let Some(entry) = raw.next() {
                let entry = match entry {
                    // The directory was removed meanwhile, which is its end.
                    Err(Errno::NOENT) => return Ok(false),
                    entry => entry?,
                };
                if let Ok(name) = entry.file_name().to_str()
                    && !matches!(name, "." | "..")
                    && let Some(kind) = kind_of(&self.fd, name, entry.file_type())?
                {
                    self.text.push_str(name);
                    self.marks.push((self.text.len(), kind));
                }
                if raw.is_buffer_empty() {
                    return Ok(true);
                }
            }
            Ok(false)
        }
    }

    /// Returns what `name` stands for; `None` if it is gone.
    fn kind_of(dir: &OwnedFd, name: &str, listed: FileType) -> io::Result<Option<Kind>> {
        let kind = match listed {
            FileType::Unknown => match fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => FileType::from_raw_mode(stat.st_mode),
                Err(Errno::NOENT) => return Ok(None),
                Err(error) => return Err(error.into()),
            },
            known => known,
        };
        Ok(Some(match kind {
            FileType::RegularFile => Kind::File,
            FileType::Directory => Kind::Dir,
            _ => Kind::Other,
        }))
    }
}

pub(super) mod portable {
    use std::fs::ReadDir;
    use std::io;
    use std::path::Path;

    use super::Kind;

    #[derive(Debug)]
    pub(crate) struct Names {
        entries: ReadDir,
        name: String,
    }

    impl Names {
        pub(crate) fn open(path: &Path) -> io::Result<Self> {
            Ok(Self { entries: std::fs::read_dir(path)?, name: String::new() })
        }

        pub(super) fn name(&self) -> &str {
            &self.name
        }

        pub(super) fn advance(&mut self) -> Option<io::Result<Kind>> {
            loop {
                let entry = match self.entries.next()? {
                    Ok(entry) => entry,
                    Err(error) => return Some(Err(error)),
                };
                let Ok(name) = entry.file_name().into_string() else { continue };
                match entry.file_type() {
                    Ok(kind) => {
                        self.name = name;
                        return Some(Ok(match (kind.is_file(), kind.is_dir()) {
                            (true, _) => Kind::File,
                            (_, true) => Kind::Dir,
                            _ => Kind::Other,
                        }));
                    }
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Some(Err(error)),
                }
            }
        }
    }
}

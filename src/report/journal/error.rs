//! Why a journal cannot be had, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

/// Why a journal cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// There is none at that path.
    #[error("there is no journal {}; start the run without --resume", .0.display())]
    Missing(PathBuf),
    /// Nothing was sent under it: no more than a torn header is there.
    #[error("the journal {} is empty, nothing was sent; start the run without --resume", .0.display())]
    Empty(PathBuf),
    /// A journal is there already.
    #[error("the journal {} of an unfinished run is there; go on with --resume, or start over with --restart", .0.display())]
    Exists(PathBuf),
    /// Another process has it.
    #[error("the journal {} is in use by {}; wait until that has ended", path.display(), process(*pid))]
    Locked {
        /// The journal.
        path: PathBuf,
        /// The other process, where the system lets it be read.
        pid: Option<u32>,
    },
    /// Some other file is there.
    #[error("{} is no journal of imimport and is left as it is; give another path with --journal", .0.display())]
    Foreign(PathBuf),
    /// Written by another version of this program.
    #[error(
        "the journal {} is of version {version}, and this imimport knows version {}; \
         resume with the imimport that wrote it, or start over with --restart",
        path.display(), super::record::VERSION
    )]
    Version {
        /// The journal.
        path: PathBuf,
        /// What its header says.
        version: u64,
    },
    /// Damage that is no torn tail: the disk failed, or someone edited it.
    #[error(
        "record {record} of the journal {} is damaged; start over with --restart, \
         which is safe: importing an account again only updates it",
        path.display()
    )]
    Damaged {
        /// The journal.
        path: PathBuf,
        /// Counted from 1, which is the header.
        record: u64,
    },
    /// The disk or the file system refuses.
    #[error("cannot {doing} the journal {}: {source}; {advice}", path.display())]
    Io {
        /// A verb.
        doing: &'static str,
        /// The journal.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
        /// What to do.
        advice: &'static str,
    },
}

impl JournalError {
    /// It could not be made, or opened.
    pub(super) fn opening(doing: &'static str, path: &Path, source: io::Error) -> Self {
        let advice = "give a path on a local disk that can be written with --journal";
        Self::Io { doing, path: path.into(), source, advice }
    }

    /// It could not be kept: nothing more may be sent.
    pub(super) fn keeping(doing: &'static str, path: &Path, source: io::Error) -> Self {
        use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        let advice = match source.kind() {
            StorageFull | QuotaExceeded | FileTooLarge => {
                "the disk is full and the run stops: make room, then go on with --resume"
            }
            _ => "the run stops: mend what is wrong with the disk, then go on with --resume",
        };
        Self::Io { doing, path: path.into(), source, advice }
    }
}

fn process(pid: Option<u32>) -> String {
    pid.map_or_else(|| "another process".into(), |pid| format!("process {pid}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_called_so_and_the_run_can_be_resumed() {
        let full = io::Error::from(io::ErrorKind::StorageFull);
        let text = JournalError::keeping("write", Path::new("a.imimport-journal"), full).to_string();
        for part in ["a.imimport-journal", "disk is full", "the run stops", "--resume"] {
            assert!(text.contains(part), "{text}");
        }
    }
}

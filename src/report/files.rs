//! Files that are written whole or not at all, and paths that mean the same file.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// A file that the run needs and cannot have.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the {what} {}: {source}; {advice}", path.display())]
pub struct FileError {
    pub(super) what: &'static str,
    pub(super) path: PathBuf,
    pub(super) source: io::Error,
    pub(super) advice: &'static str,
}

impl FileError {
    pub(super) fn scratch(source: io::Error) -> Self {
        let advice = "make room there, or set TMPDIR to another folder";
        Self { what: "scratch file in", path: std::env::temp_dir(), source, advice }
    }
}

/// Where a document of the run goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Asked for as `-`.
    Stdout,
    /// Written whole, in the place of what was there.
    File(PathBuf),
}

impl Output {
    /// What an option's value means.
    pub fn of(path: &Path) -> Self {
        if path == Path::new("-") { Self::Stdout } else { Self::File(path.into()) }
    }

    /// Finds out, before anything is sent, whether it can be written and is none of the `inputs`. `what` is the
    /// word for it in messages.
    pub fn check(&self, what: &'static str, inputs: &[PathBuf]) -> Result<(), FileError> {
        let Self::File(path) = self else { return Ok(()) };
        let refuse = |source, advice| Err(FileError { what, path: path.clone(), source, advice });
        if inputs.iter().any(|input| same_file(input, path)) {
            return refuse(io::Error::other("it is an input"), "name another file");
        }
        ensure_replaceable(path).or_else(|e| refuse(e, "name a file in a folder that can be written"))
    }

    /// Writes it whole; `stdout` is where `-` goes.
    pub(super) fn write(
        &self,
        stdout: &mut dyn Write,
        content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        match self {
            Self::Stdout => content(stdout).and_then(|()| stdout.flush()),
            Self::File(path) => replace(path, content),
        }
    }

    /// The file, if it is one.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Stdout => None,
            Self::File(path) => Some(path),
        }
    }

    /// For messages.
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Stdout => Path::new("-"),
            Self::File(path) => path,
        }
    }
}

/// Writes `path` as `content` does: to a temporary file beside it, synced, renamed. What is no regular file, such
/// as `/dev/null` or a pipe, is written in place.
pub(super) fn replace(path: &Path, content: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    if is_special(path) {
        let mut out = BufWriter::new(File::options().write(true).open(path)?);
        content(&mut out)?;
        return out.flush();
    }
    let path = resolved(path);
    let mut beside = beside(&path)?;
    let mut out = BufWriter::new(beside.as_file_mut());
    content(&mut out)?;
    out.flush()?;
    drop(out);
    beside.as_file().sync_all()?;
    beside.persist(&path)?;
    sync_folder(&path)
}

/// Finds out, leaving nothing behind, whether [`replace`] could write `path`.
pub(super) fn ensure_replaceable(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder"));
    }
    if is_special(path) {
        return Ok(());
    }
    beside(&resolved(path))?.close()
}

/// A link stays a link: the file that it leads to is replaced.
pub(super) fn resolved(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf())
}

fn beside(path: &Path) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".imimport-").suffix(".tmp");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // What any new file gets; the umask takes its part.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder(path))
}

/// Whether something is there that a rename would destroy: a device, a pipe.
pub(super) fn is_special(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|there| !there.is_file() && !there.is_dir())
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes the creation, renaming or removal of `path` survive a power cut, where the system offers it.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    use io::ErrorKind::{InvalidInput, Unsupported};
    if !cfg!(unix) {
        return Ok(());
    }
    // A folder may be writable but not readable, and some network file systems know no sync of folders.
    let Ok(folder) = File::open(folder(path)) else { return Ok(()) };
    match folder.sync_all() {
        Err(e) if !matches!(e.kind(), InvalidInput | Unsupported) => Err(e),
        _ => Ok(()),
    }
}

/// Whether both paths lead to one existing file, links included.
pub(super) fn same_file(one: &Path, other: &Path) -> bool {
    match (fs::canonicalize(one), fs::canonicalize(other)) {
        (Ok(a), Ok(b)) => a == b || same_inode(&a, &b),
        _ => false,
    }
}

fn same_inode(one: &Path, other: &Path) -> bool {
    match (fs::metadata(one), fs::metadata(other)) {
        (Ok(a), Ok(b)) => identity(&a).is_some_and(|id| identity(&b) == Some(id)),
        _ => false,
    }
}

/// Whether `path` still leads to the open `file`: another process may have removed it meanwhile.
pub(super) fn is_still_at(file: &File, path: &Path) -> io::Result<bool> {
    match fs::metadata(path) {
        Ok(there) => Ok(identity(&there) == identity(&file.metadata()?)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(e) => Err(e),
    }
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere there is none to be had")]
fn identity(file: &fs::Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    Some((file.dev(), file.ino()))
}

#[cfg(not(unix))]
fn identity(_: &fs::Metadata) -> Option<(u64, u64)> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_nothing_else_is_left_in_its_folder() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out");
        fs::write(&path, "a longer text than the new one").unwrap();
        replace(&path, |out| out.write_all(b"new")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 1);
    }

    #[test]
    fn a_failed_write_leaves_the_old_file_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out");
        fs::write(&path, "old").unwrap();
        let failed = replace(&path, |out| {
            out.write_all(b"half")?;
            Err(io::Error::other("no more"))
        });
        assert_eq!(failed.unwrap_err().to_string(), "no more");
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 1);
    }

    #[test]
    fn a_path_in_no_folder_and_a_folder_cannot_be_written() {
        let dir = tempfile::tempdir().unwrap();
        assert!(ensure_replaceable(&dir.path().join("no/such/out")).is_err());
        assert!(ensure_replaceable(dir.path()).is_err());
        ensure_replaceable(&dir.path().join("out")).unwrap();
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 0, "a look leaves nothing");
    }

    #[test]
    fn an_input_is_no_place_for_an_output_however_it_is_spelled() {
        let dir = tempfile::tempdir().unwrap();
        let input = dir.path().join("accounts.csv");
        fs::write(&input, "UserID\nada\n").unwrap();
        let spelled = dir.path().join(".").join("accounts.csv");
        let refused =
            Output::of(&spelled).check("report", std::slice::from_ref(&input)).unwrap_err().to_string();
        assert!(refused.contains("accounts.csv: it is an input; name another"), "{refused}");
        Output::of(&dir.path().join("other.csv")).check("report", &[input]).unwrap();
        assert_eq!(Output::of(Path::new("-")), Output::Stdout);
    }

    #[cfg(unix)]
    #[test]
    fn links_of_both_kinds_are_seen_through() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::write(at("a"), "a").unwrap();
        fs::write(at("b"), "a").unwrap();
        fs::hard_link(at("a"), at("hard")).unwrap();
        std::os::unix::fs::symlink(at("a"), at("soft")).unwrap();
        assert!(same_file(&at("a"), &at("hard")) && same_file(&at("soft"), &at("a")));
        assert!(!same_file(&at("a"), &at("b")) && !same_file(&at("a"), &at("none")));
        replace(&at("soft"), |out| out.write_all(b"through")).unwrap();
        assert_eq!(fs::read(at("a")).unwrap(), b"through");
        assert!(at("soft").is_symlink());
    }

    #[cfg(unix)]
    #[test]
    fn a_device_is_written_in_place_and_stays_a_device() {
        let null = Path::new("/dev/null");
        ensure_replaceable(null).unwrap();
        replace(null, |out| out.write_all(b"gone")).unwrap();
        assert!(is_special(null));
    }
}

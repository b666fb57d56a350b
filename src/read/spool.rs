//! A pipe copied to disk, so that it can be read twice.

use super::{Error, Progress};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

const PIECE: usize = 1 << 20;

/// A copy that is deleted when it is dropped, unless it was given a lasting name.
#[derive(Debug)]
pub struct Spool {
    file: NamedTempFile,
}

/// Copies all of `pipe` to a file in `folder` that only its owner can read; `progress` is told its path, too.
pub fn spool(
    mut pipe: impl Read,
    folder: &Path,
    progress: &mut dyn FnMut(&Path, Progress),
) -> Result<Spool, Error> {
    let unwritable = |error: std::io::Error| {
        Error::Unusable(format!(
            "what came through the pipe cannot be kept in {}: {error}: make room, or put the journal elsewhere with --journal",
            folder.display()
        ))
    };
    let mut file = tempfile::Builder::new()
        .prefix(".")
        .suffix(".imimport-spool")
        .tempfile_in(folder)
        .map_err(unwritable)?;
    progress(file.path(), Progress { bytes: 0, total_bytes: None });
    let (mut bytes, mut piece) = (0, Vec::with_capacity(PIECE));
    loop {
        piece.clear();
        (&mut pipe).take(PIECE as u64).read_to_end(&mut piece).map_err(|error| {
            Error::Unusable(format!("the pipe cannot be read: {error}: run the command again"))
        })?;
        if piece.is_empty() {
            break;
        }
        file.write_all(&piece).map_err(unwritable)?;
        bytes += piece.len() as u64;
        progress(file.path(), Progress { bytes, total_bytes: None });
    }
    Ok(Spool { file })
}

impl Spool {
    /// Where the copy is now.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Gives the copy the name `path`, in place of what had it, on the same file system; it then survives the process.
    pub fn persist(self, path: &Path) -> Result<PathBuf, Error> {
        let kept = self.file.as_file().sync_all().and_then(|()| Ok(self.file.persist(path)?));
        kept.map(|_| path.to_owned()).map_err(|error| {
            let path = path.display();
            Error::Unusable(format!(
                "the copy of the pipe cannot be kept as {path}: {error}: check the folder"
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_is_copied_whole_and_the_copy_goes_unless_it_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let bytes: Vec<u8> = (0..3_000_000u32).map(|at| at.to_le_bytes()[1]).collect();
        let mut seen = Vec::new();
        let copy = spool(&bytes[..], folder.path(), &mut |_, progress| seen.push(progress.bytes)).unwrap();
        assert_eq!(seen, [0, 1 << 20, 2 << 20, 3_000_000]);
        assert_eq!(std::fs::read(copy.path()).unwrap(), bytes);
        drop(copy);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);

        let kept = folder.path().join("stdin.imimport-spool");
        spool(&bytes[..], folder.path(), &mut |_, _| {}).unwrap().persist(&kept).unwrap();
        assert_eq!(std::fs::read(kept).unwrap(), bytes);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_can_read_the_copy() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let kept = folder.path().join("kept");
        spool(&b"x"[..], folder.path(), &mut |_, _| {}).unwrap().persist(&kept).unwrap();
        assert_eq!(std::fs::metadata(kept).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_named() {
        let folder = tempfile::tempdir().unwrap().path().join("none");
        let error = spool(&b"x"[..], &folder, &mut |_, _| {}).unwrap_err().to_string();
        assert!(error.contains(&folder.display().to_string()), "{error}");
    }
}

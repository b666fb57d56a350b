//! One process has a journal at a time, and nobody else reads it.

use super::{JournalError, scan};
use crate::report::files;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;

pub(super) fn access() -> fs::OpenOptions {
    let mut access = File::options();
    access.read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut access, 0o600);
    access
}

pub(super) fn make_private(file: &File) -> io::Result<()> {
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    let _ = file;
    Ok(())
}

pub(super) fn open_locked(path: &Path) -> Result<File, JournalError> {
    let file = access().open(path).map_err(|e| match e.kind() {
        io::ErrorKind::NotFound => JournalError::Missing(path.into()),
        _ => JournalError::opening("open", path, e),
    })?;
    lock(&file, path)?;
    Ok(file)
}

pub(super) fn lock(file: &File, path: &Path) -> Result<(), JournalError> {
    locked(file.try_lock(), file, path)?;
    // Whoever had it may have removed it between our opening and our locking.
    match files::is_still_at(file, path) {
        Ok(true) => Ok(()),
        Ok(false) => Err(JournalError::Missing(path.into())),
        Err(e) => Err(JournalError::opening("open", path, e)),
    }
}

pub(super) fn locked(tried: Result<(), TryLockError>, file: &File, path: &Path) -> Result<(), JournalError> {
    tried.map_err(|e| match e {
        TryLockError::WouldBlock => JournalError::Locked { path: path.into(), pid: scan::latest_pid(file) },
        TryLockError::Error(e) => JournalError::opening("lock", path, e),
    })
}

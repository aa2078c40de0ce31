//! The folders of a local cloud: its objects, the executors' scratch space, and the program that executors run.

use super::LocalSettings;
use crate::exit::Failure;
use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Others may pass through to what is theirs, and see nothing else.
const PASSAGE: u32 = 0o711;
const PRIVATE: u32 = 0o700;

/// Held by who uses the folder, and by nobody once that one is gone, in whatever way.
const LOCK: &str = "lock";
const PREFIX: &str = "mayfly-";

pub struct Folder {
    temporary: TempDir,
    _lock: File,
    data: PathBuf,
    program: PathBuf,
}

impl Folder {
    pub fn new(settings: &LocalSettings) -> Result<Folder, Failure> {
        let failed = |error: io::Error| Failure::broken("cannot make the local cloud's folders", error);
        remove_leftovers(&std::env::temp_dir());
        let temporary = tempfile::Builder::new().prefix(PREFIX).tempdir().map_err(failed)?;
        let lock = lock(temporary.path()).map_err(failed)?;
        fs::set_permissions(temporary.path(), Permissions::from_mode(PASSAGE)).map_err(failed)?;
        let data = match &settings.data {
            Some(data) => data.clone(),
            None => temporary.path().join("data"),
        };
        DirBuilder::new()
            .recursive(true)
            .mode(PRIVATE)
            .create(&data)
            .map_err(failed)?;
        let program = match settings.executor_user {
            Some(_) => reachable(&settings.program, temporary.path()).map_err(failed)?,
            None => settings.program.clone(),
        };
        Ok(Folder {
            temporary,
            _lock: lock,
            data,
            program,
        })
    }

    pub fn data(&self) -> &Path {
        &self.data
    }

    pub fn scratch(&self) -> PathBuf {
        self.temporary.path().join("scratch")
    }

    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Removes what is temporary.
    pub fn remove(self) -> Result<(), Failure> {
        let path = self.temporary.path().display().to_string();
        self.temporary
            .close()
            .map_err(|error| Failure::broken(format!("cannot remove {path}"), error))
    }
}

/// Locks the file before it has its name: who finds it finds it locked.
fn lock(folder: &Path) -> io::Result<File> {
    let unnamed = folder.join("unlocked");
    let file = File::create(&unnamed)?;
    file.lock()?;
    fs::rename(unnamed, folder.join(LOCK))?;
    Ok(file)
}

/// Removes the folders of local clouds that were killed. What cannot be removed stays, and is tried again at the next start.
fn remove_leftovers(folder: &Path) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let named = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX));
    for left in named.map(|entry| entry.path()).filter(|path| is_left(path)) {
        match fs::remove_dir_all(&left) {
            Ok(()) => tracing::info!(folder = %left.display(), "removed what a killed process had left"),
            Err(error) => {
                tracing::warn!(folder = %left.display(), %error, "cannot remove what a killed process has left")
            }
        }
    }
}

/// A folder of this user's, whose owner is gone.
fn is_left(path: &Path) -> bool {
    let is_own =
        fs::symlink_metadata(path).is_ok_and(|about| about.is_dir() && about.uid() == nix::unistd::geteuid().as_raw());
    let lock = OpenOptions::new().read(true).open(path.join(LOCK));
    is_own && lock.is_ok_and(|lock| lock.try_lock().is_ok())
}

/// The program in a place that another user can reach: home folders are often closed to others.
fn reachable(program: &Path, folder: &Path) -> io::Result<PathBuf> {
    let name = folder.join(program.file_name().unwrap_or(OsStr::new("executor")));
    if fs::hard_link(program, &name).is_err() {
        fs::copy(program, &name)?;
    }
    Ok(name)
}

#[cfg(test)]
mod tests;

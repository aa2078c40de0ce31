//! The folders of a local cloud: its objects, the executors' scratch space, and the program that executors run.

use super::LocalSettings;
use crate::exit::Failure;
use std::ffi::OsStr;
use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Others may pass through to what is theirs, and see nothing else.
const PASSAGE: u32 = 0o711;
const PRIVATE: u32 = 0o700;

pub struct Folder {
    temporary: TempDir,
    data: PathBuf,
    program: PathBuf,
}

impl Folder {
    pub fn new(settings: &LocalSettings) -> Result<Folder, Failure> {
        let failed = |error: io::Error| Failure::broken("cannot make the local cloud's folders", error);
        let temporary = tempfile::Builder::new().prefix("mayfly-").tempdir().map_err(failed)?;
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

/// The program in a place that another user can reach: home folders are often closed to others.
fn reachable(program: &Path, folder: &Path) -> io::Result<PathBuf> {
    let name = folder.join(program.file_name().unwrap_or(OsStr::new("executor")));
    if fs::hard_link(program, &name).is_err() {
        fs::copy(program, &name)?;
    }
    Ok(name)
}

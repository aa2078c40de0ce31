//! The entries of a mounted bucket's folders, in the order of their keys. A folder is read again when its modification time has moved, so
//! that a listing of many pages reads it once. What the entries are (size, time) is left to who asks for them.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

/// Entries kept over all folders; beyond it everything is forgotten.
const ENTRIES_MAX: usize = 1_000_000;
/// A folder that changed this recently may change again without its time moving.
const SETTLED: Duration = Duration::from_secs(2);

/// One name in a folder.
#[derive(Debug)]
pub(super) struct Entry {
    /// With a final `/` if it is a folder: so sorted, entries lie in the order of their keys.
    pub name: String,
    /// Neither folder nor plain file.
    pub is_link: bool,
}

impl Entry {
    pub fn is_folder(&self) -> bool {
        self.name.ends_with('/')
    }
}

#[derive(Debug, Default)]
pub(super) struct Folders {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    folders: BTreeMap<PathBuf, (SystemTime, Arc<Vec<Entry>>)>,
    entries: usize,
}

impl Folders {
    /// The folder's entries as they are now, sorted; none if it is gone.
    pub fn entries(&self, folder: &Path) -> io::Result<Arc<Vec<Entry>>> {
        let modified = match folder.metadata() {
            Ok(metadata) if metadata.is_dir() => metadata.modified()?,
            Ok(_) => return Ok(Arc::default()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Arc::default()),
            Err(error) => return Err(error),
        };
        if let Some((known, entries)) = self.lock().folders.get(folder)
            && *known == modified
        {
            return Ok(entries.clone());
        }
        let entries = Arc::new(read(folder)?);
        if modified + SETTLED < SystemTime::now() {
            self.lock().keep(folder, modified, &entries);
        }
        Ok(entries)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().expect("no holder panics")
    }
}

impl Known {
    fn keep(&mut self, folder: &Path, modified: SystemTime, entries: &Arc<Vec<Entry>>) {
        if self.entries + entries.len() > ENTRIES_MAX {
            *self = Known::default();
        }
        self.entries += entries.len();
        let before = self.folders.insert(folder.to_owned(), (modified, entries.clone()));
        self.entries -= before.map_or(0, |(_, entries)| entries.len());
    }
}

fn read(folder: &Path) -> io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        // A name that is no UTF-8 cannot be a key.
        let Ok(mut name) = entry.file_name().into_string() else {
            continue;
        };
        let kind = entry.file_type()?;
        if kind.is_dir() {
            name.push('/');
        }
        let is_link = !kind.is_dir() && !kind.is_file();
        entries.push(Entry { name, is_link });
    }
    entries.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(entries)
}

//! A folder of the user's files as a read-only bucket: listed from disk at each request, never copied, never written. Symbolic links are
//! followed, to files and to folders, as long as they stay inside the folder; one that leads out of it, to nothing, or back to a folder
//! above it is left out, and named in a warning. What is remembered of folders is in [`folders`].

mod folders;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fs::Metadata;
use std::io;
use std::ops::Bound;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex};

use md5::{Digest, Md5};

use self::folders::{Entry, Folders};
use super::listing::Ordered;
use super::object::{About, DataFile, Object, Segment};
use crate::settings::{Mount, StartError};

#[derive(Debug)]
pub(crate) struct MountedBucket {
    /// Without symbolic links.
    root: PathBuf,
    pub created_ms: u64,
    folders: Folders,
    /// Links that were warned of: once is enough.
    warned: Mutex<BTreeSet<PathBuf>>,
}

/// Warnings that are remembered; beyond them everything is forgotten, and said again.
const WARNED_MAX: usize = 10_000;

type Found = (String, About);

impl Ordered for MountedBucket {
    fn first(&self, from: Bound<&str>, prefix: &str) -> io::Result<Option<Found>> {
        self.first_in(&self.root, "", from, prefix)
    }
}

impl MountedBucket {
    pub fn open(mount: &Mount) -> Result<MountedBucket, StartError> {
        let refused = |reason: String| StartError::Mount {
            bucket: mount.bucket.clone(),
            folder: mount.folder.clone(),
            reason,
        };
        if !s3s::path::check_bucket_name(&mount.bucket) {
            return Err(refused("not a valid bucket name".to_owned()));
        }
        let root = mount
            .folder
            .canonicalize()
            .map_err(|error| refused(error.to_string()))?;
        let metadata = root.metadata().map_err(|error| refused(error.to_string()))?;
        if !metadata.is_dir() {
            return Err(refused("not a folder".to_owned()));
        }
        Ok(MountedBucket {
            root,
            created_ms: modified_ms(&metadata),
            folders: Folders::default(),
            warned: Mutex::default(),
        })
    }

    /// The file that `key` names, as it is now.
    pub fn object(&self, key: &str) -> Option<Object> {
        let path = self.root.join(key);
        let plain = path
            .strip_prefix(&self.root)
            .ok()?
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
        // `a//b` and `a/` would name a file by another key than the one it is listed under.
        let canonical_key = !key.is_empty() && key.split('/').all(|part| !part.is_empty() && part != ".");
        if !plain || !canonical_key {
            return None;
        }
        self.file(&path)
    }

    /// The first file in `folder` or below it within the bound whose key starts with `prefix`.
    fn first_in(&self, folder: &Path, folder_key: &str, from: Bound<&str>, prefix: &str) -> io::Result<Option<Found>> {
        let entries = self.folders.entries(folder)?;
        let entries = self.followed(folder, entries);
        let skipped = entries.partition_point(|entry| is_before(&format!("{folder_key}{}", entry.name), from));
        for entry in &entries[skipped..] {
            let (key, path) = (format!("{folder_key}{}", entry.name), folder.join(&entry.name));
            let leads_there = key.starts_with(prefix) || (entry.is_folder() && prefix.starts_with(&key));
            if !leads_there {
                break;
            }
            let found = match entry.is_folder() {
                true => self.first_in(&path, &key, from, prefix)?,
                false => self.listed(entry, &path).map(|object| (key, object.about)),
            };
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// The entries with each link to a folder as a folder, in the order of their keys.
    fn followed(&self, folder: &Path, entries: Arc<Vec<Entry>>) -> Arc<Vec<Entry>> {
        if !entries.iter().any(|entry| entry.is_link) {
            return entries;
        }
        let follow = |entry: &Entry| {
            let is_folder = entry.is_link && self.is_linked_folder(&folder.join(&entry.name));
            let name = if is_folder {
                format!("{}/", entry.name)
            } else {
                entry.name.clone()
            };
            Entry {
                name,
                is_link: entry.is_link && !is_folder,
            }
        };
        let mut followed: Vec<Entry> = entries.iter().map(follow).collect();
        followed.sort_by(|one, other| one.name.cmp(&other.name));
        Arc::new(followed)
    }

    fn is_linked_folder(&self, link: &Path) -> bool {
        let real = match link.canonicalize() {
            Ok(real) if real.starts_with(&self.root) => real,
            Ok(real) => {
                return self.left_out(
                    link,
                    &format!("it leads out of the mounted folder, to {}", real.display()),
                );
            }
            Err(error) => return self.left_out(link, &error.to_string()),
        };
        if !real.is_dir() {
            return false;
        }
        let mut above = link
            .ancestors()
            .skip(1)
            .take_while(|folder| folder.starts_with(&self.root));
        if above.any(|folder| folder.canonicalize().is_ok_and(|folder| folder == real)) {
            return self.left_out(link, "it leads to a folder that it lies in");
        }
        true
    }

    fn left_out(&self, link: &Path, why: &str) -> bool {
        let mut warned = self.warned.lock().expect("no holder panics");
        if warned.len() >= WARNED_MAX {
            warned.clear();
        }
        if warned.insert(link.to_owned()) {
            tracing::warn!(link = %link.display(), why, "a link in a mounted folder is left out");
        }
        false
    }

    fn listed(&self, entry: &Entry, path: &Path) -> Option<Object> {
        if entry.is_link {
            return self.file(path);
        }
        let metadata = path.symlink_metadata().ok()?;
        metadata.is_file().then(|| object(path.to_owned(), &metadata))
    }

    fn file(&self, path: &Path) -> Option<Object> {
        let real = path.canonicalize().ok()?;
        let metadata = real.metadata().ok()?;
        (real.starts_with(&self.root) && metadata.is_file()).then(|| object(real, &metadata))
    }
}

/// Whether the file with this key, or every file in the folder with it, lies before the bound.
fn is_before(key: &str, from: Bound<&str>) -> bool {
    let inside = |bound: &str| key.ends_with('/') && bound.starts_with(key);
    match from {
        Bound::Unbounded => false,
        Bound::Included(bound) => key < bound && !inside(bound),
        Bound::Excluded(bound) => key <= bound && !inside(bound),
    }
}

fn object(path: PathBuf, metadata: &Metadata) -> Object {
    let size = metadata.len();
    let segments = vec![Segment {
        file: Arc::new(DataFile::of_user(path)),
        size,
    }];
    let about = About {
        size,
        etag: etag(metadata),
        modified_ms: modified_ms(metadata),
        ..About::default()
    };
    Object { segments, about }
}

/// Changes when the file is written or replaced, without reading it. The suffix keeps clients from taking it for an MD5 of the content.
fn etag(metadata: &Metadata) -> String {
    let mut hash = Md5::new();
    for part in [
        metadata.len() as i64,
        metadata.mtime(),
        metadata.mtime_nsec(),
        metadata.ino() as i64,
    ] {
        hash.update(part.to_le_bytes());
    }
    format!("{}-1", hex::encode(hash.finalize()))
}

fn modified_ms(metadata: &Metadata) -> u64 {
    let ms = metadata.mtime() * 1000 + metadata.mtime_nsec() / 1_000_000;
    u64::try_from(ms).unwrap_or(0)
}

//! A folder of the user's files as a read-only bucket: listed from disk at each request, never copied, never written. A symbolic link
//! counts only if it is a file that leads to another place inside the folder.

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use md5::{Digest, Md5};

use super::object::{About, DataFile, Object, Segment};
use crate::settings::{Mount, StartError};

#[derive(Debug)]
pub(crate) struct MountedBucket {
    /// Without symbolic links.
    root: PathBuf,
    pub created_ms: u64,
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
        if !plain || !canonical_key || path.parent()?.canonicalize().ok()? != path.parent()? {
            return None;
        }
        self.file(&path)
    }

    /// Every file whose key starts with `prefix`.
    pub fn objects(&self, prefix: &str) -> io::Result<BTreeMap<String, Object>> {
        let mut found = BTreeMap::new();
        let mut folders = vec![(self.root.clone(), String::new())];
        while let Some((folder, folder_key)) = folders.pop() {
            for entry in std::fs::read_dir(&folder)? {
                let entry = entry?;
                // A name that is no UTF-8 cannot be a key.
                let Ok(name) = entry.file_name().into_string() else {
                    continue;
                };
                let key = format!("{folder_key}{name}");
                if entry.file_type()?.is_dir() {
                    let key = format!("{key}/");
                    if key.starts_with(prefix) || prefix.starts_with(&key) {
                        folders.push((entry.path(), key));
                    }
                } else if key.starts_with(prefix)
                    && let Some(object) = self.file(&entry.path())
                {
                    found.insert(key, object);
                }
            }
        }
        Ok(found)
    }

    fn file(&self, path: &Path) -> Option<Object> {
        let real = path.canonicalize().ok()?;
        let metadata = real.metadata().ok()?;
        (real.starts_with(&self.root) && metadata.is_file()).then(|| object(real, &metadata))
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

//! An object as the store holds it: immutable data files plus what a HEAD tells about them. Knows no key: keys live in the index.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::{Deserialize, Serialize};

/// One version of an object. Never changed: an overwrite puts another `Object` in its place, so that a reader that holds this one reads on.
#[derive(Debug)]
pub(crate) struct Object {
    /// In order; a multipart object has one per part, so that completing it copies nothing.
    pub segments: Vec<Segment>,
    pub about: About,
}

/// What HEAD and LIST tell of an object, as it stands in the index log.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct About {
    pub size: u64,
    /// Without quotes.
    pub etag: String,
    /// Since the epoch.
    pub modified_ms: u64,
    #[serde(default, skip_serializing_if = "is_default")]
    pub headers: Headers,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub checksums: Checksums,
}

/// Headers that S3 keeps with an object and gives back.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Headers {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_encoding: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_language: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_disposition: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_control: Option<String>,
}

/// Base64 digests that came with an upload and were found right.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Checksums {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crc32: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crc32c: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crc64nvme: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha1: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub file: Arc<DataFile>,
    pub size: u64,
}

/// A file that holds bytes of objects. A file of ours is removed once no index entry links to it and no reader holds it.
#[derive(Debug)]
pub(crate) struct DataFile {
    pub path: PathBuf,
    owner: Owner,
}

#[derive(Debug)]
enum Owner {
    Store { id: u64, links: AtomicUsize },
    User,
}

impl DataFile {
    /// A file of the store, not yet linked: dropped before [`link`](DataFile::link) it vanishes, as a failed upload must.
    pub fn of_store(id: u64, path: PathBuf) -> DataFile {
        DataFile {
            path,
            owner: Owner::Store {
                id,
                links: AtomicUsize::new(0),
            },
        }
    }

    /// A file under a mount: never ours to remove.
    pub fn of_user(path: PathBuf) -> DataFile {
        DataFile {
            path,
            owner: Owner::User,
        }
    }

    /// Its number in the store, which the index log names it by.
    pub fn id(&self) -> Option<u64> {
        match &self.owner {
            Owner::Store { id, .. } => Some(*id),
            Owner::User => None,
        }
    }

    /// Counts one more index entry that names this file.
    pub fn link(&self) {
        if let Owner::Store { links, .. } = &self.owner {
            links.fetch_add(1, Ordering::AcqRel);
        }
    }

    pub fn unlink(&self) {
        if let Owner::Store { links, .. } = &self.owner {
            let before = links.fetch_sub(1, Ordering::AcqRel);
            assert!(before > 0, "unlinked a data file that nothing linked to");
        }
    }
}

impl Drop for DataFile {
    fn drop(&mut self) {
        if let Owner::Store { links, .. } = &self.owner
            && links.load(Ordering::Acquire) == 0
        {
            // Missing when the upload failed before its first byte; any other failure leaves an orphan that the next start removes.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

impl Object {
    /// All of its bytes.
    pub fn read(&self) -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        for segment in &self.segments {
            let file = std::fs::File::open(&segment.file.path)?;
            std::io::Read::read_to_end(&mut std::io::Read::take(file, segment.size), &mut bytes)?;
        }
        Ok(bytes)
    }

    pub fn link(&self) {
        self.segments.iter().for_each(|segment| segment.file.link());
    }

    pub fn unlink(&self) {
        self.segments.iter().for_each(|segment| segment.file.unlink());
    }
}

//! Buckets, objects and uploads: an ordered index in memory, a log that restores it, a data file per object or part. Condition check and index swap happen
//! under one lock, after the body was received and hashed: racing creators have one winner. Knows no HTTP.

mod expiry;
mod parts;

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard};

use s3s::{S3Error, S3Result, s3_error};

use super::condition::WriteCondition;
use super::lifecycle::Rule;
use super::listing::{Page, PageRequest};
use super::log::{FileRecord, Log, Record};
use super::mount::MountedBucket;
use super::now_ms;
use super::object::{DataFile, Object, Segment};
use super::restore::restore;
use super::upload::Uploads;
use crate::settings::{Mount, StartError};

/// Data files are spread over this many folders, so that no folder grows huge.
const FOLDERS: u64 = 256;

pub(crate) struct Store {
    objects: PathBuf,
    file_next: AtomicU64,
    index: RwLock<Index>,
    pub uploads: Uploads,
    /// Whether data files are synced to the disk before their object is acknowledged.
    pub syncs: bool,
    /// Held until the end: a second emulator on the same folder would tear the log.
    _lock: File,
}

struct Index {
    buckets: BTreeMap<String, Bucket>,
    log: Log,
}

enum Bucket {
    Stored(StoredBucket),
    Mounted(Arc<MountedBucket>),
}

#[derive(Default)]
pub(super) struct StoredBucket {
    pub created_ms: u64,
    pub lifecycle: Vec<Rule>,
    pub objects: BTreeMap<String, Arc<Object>>,
}

/// Where a bucket's objects come from, once the index lock is released.
enum Source {
    Object(Arc<Object>),
    Mount(Arc<MountedBucket>),
}

impl Store {
    /// `syncs`: whether what is acknowledged is on the disk, and survives the death of the machine.
    pub fn open(data: &Path, mounts: &[Mount], syncs: bool) -> Result<Store, StartError> {
        let failed = |cause| StartError::Data {
            folder: data.to_owned(),
            cause,
        };
        let objects = data.join("objects");
        (0..FOLDERS)
            .try_for_each(|n| std::fs::create_dir_all(objects.join(format!("{n:02x}"))))
            .map_err(failed)?;
        let lock = File::create(data.join("lock")).map_err(failed)?;
        lock.try_lock().map_err(|_| StartError::DataInUse {
            folder: data.to_owned(),
        })?;
        let restored = restore(&data.join("index.log"), &objects, syncs).map_err(failed)?;
        let buckets = restored.buckets.into_iter();
        let mut index = Index {
            buckets: buckets.map(|(name, bucket)| (name, Bucket::Stored(bucket))).collect(),
            log: restored.log,
        };
        index.mount(mounts)?;
        Ok(Store {
            objects,
            file_next: AtomicU64::new(restored.file_next),
            index: RwLock::new(index),
            uploads: Uploads::new(restored.uploads),
            syncs,
            _lock: lock,
        })
    }

    /// A data file that does not exist yet. It vanishes with its last holder unless an object with it is put.
    pub fn new_file(&self) -> DataFile {
        let id = self.file_next.fetch_add(1, Ordering::Relaxed);
        DataFile::of_store(id, file_path(&self.objects, id))
    }

    pub fn buckets(&self) -> Vec<(String, u64)> {
        let index = self.read();
        index
            .buckets
            .iter()
            .map(|(name, bucket)| (name.clone(), bucket.created_ms()))
            .collect()
    }

    pub fn check_bucket(&self, bucket: &str) -> S3Result<()> {
        self.read().bucket(bucket).map(|_| ())
    }

    /// Refuses what a write to `bucket` would be refused for, before its body is received.
    pub fn check_writable(&self, bucket: &str) -> S3Result<()> {
        match self.read().bucket(bucket)? {
            Bucket::Stored(_) => Ok(()),
            Bucket::Mounted(_) => Err(read_only()),
        }
    }

    pub fn create_bucket(&self, bucket: &str) -> S3Result<()> {
        let mut index = self.write();
        if index.buckets.contains_key(bucket) {
            return Err(s3_error!(
                BucketAlreadyOwnedByYou,
                "Your previous request to create the named bucket succeeded."
            ));
        }
        let created_ms = now_ms();
        index.append(&Record::CreateBucket {
            bucket: bucket.to_owned(),
            created_ms,
        })?;
        let stored = StoredBucket {
            created_ms,
            ..StoredBucket::default()
        };
        index.buckets.insert(bucket.to_owned(), Bucket::Stored(stored));
        Ok(())
    }

    pub fn delete_bucket(&self, bucket: &str) -> S3Result<()> {
        let mut index = self.write();
        if !index.stored(bucket)?.objects.is_empty() {
            return Err(s3_error!(BucketNotEmpty, "The bucket you tried to delete is not empty"));
        }
        index.append(&Record::DeleteBucket {
            bucket: bucket.to_owned(),
        })?;
        index.buckets.remove(bucket);
        Ok(())
    }

    /// The current version of an object. It stays readable while it is held, whatever becomes of the key.
    pub fn object(&self, bucket: &str, key: &str) -> S3Result<Arc<Object>> {
        let source = match self.read().bucket(bucket)? {
            Bucket::Stored(stored) => stored.objects.get(key).cloned().map(Source::Object),
            Bucket::Mounted(mounted) => Some(Source::Mount(mounted.clone())),
        };
        let object = match source {
            Some(Source::Object(object)) => Some(object),
            Some(Source::Mount(mount)) => mount.object(key).map(Arc::new),
            None => None,
        };
        object.ok_or_else(|| s3_error!(NoSuchKey, "The specified key does not exist."))
    }

    /// Makes `object` the current version, if `condition` holds at that moment.
    pub fn put(&self, bucket: &str, key: &str, object: Object, condition: &WriteCondition) -> S3Result<Arc<Object>> {
        let object = Arc::new(object);
        let replaced = {
            let mut index = self.write();
            condition.check(index.stored(bucket)?.objects.get(key).map(Arc::as_ref))?;
            index.append(&put_record(bucket, key, &object))?;
            object.link();
            index.stored(bucket)?.objects.insert(key.to_owned(), object.clone())
        };
        // Outside the lock: the last holder of a replaced version removes its files.
        replaced.inspect(|replaced| replaced.unlink());
        Ok(object)
    }

    /// Removes a key; one that is not there is removed already.
    pub fn delete(&self, bucket: &str, key: &str, condition: &WriteCondition) -> S3Result<()> {
        let removed = {
            let mut index = self.write();
            let current = index.stored(bucket)?.objects.get(key).cloned();
            condition.check(current.as_deref())?;
            if current.is_none() {
                return Ok(());
            }
            index.append(&Record::Delete {
                bucket: bucket.to_owned(),
                key: key.to_owned(),
            })?;
            index.stored(bucket)?.objects.remove(key)
        };
        removed.inspect(|removed| removed.unlink());
        Ok(())
    }

    pub fn list(&self, bucket: &str, request: &PageRequest) -> S3Result<Page> {
        let mount = match self.read().bucket(bucket)? {
            Bucket::Stored(stored) => return request.page(&stored.objects).map_err(internal),
            Bucket::Mounted(mount) => mount.clone(),
        };
        request.page(mount.as_ref()).map_err(internal)
    }

    fn read(&self) -> RwLockReadGuard<'_, Index> {
        self.index.read().expect("no holder of the index lock panics")
    }

    fn write(&self) -> RwLockWriteGuard<'_, Index> {
        self.index.write().expect("no holder of the index lock panics")
    }
}

impl Index {
    fn bucket(&self, bucket: &str) -> S3Result<&Bucket> {
        self.buckets.get(bucket).ok_or_else(|| no_such_bucket(bucket))
    }

    fn stored(&mut self, bucket: &str) -> S3Result<&mut StoredBucket> {
        match self.buckets.get_mut(bucket) {
            Some(Bucket::Stored(stored)) => Ok(stored),
            Some(Bucket::Mounted(_)) => Err(read_only()),
            None => Err(no_such_bucket(bucket)),
        }
    }

    fn append(&mut self, record: &Record) -> S3Result<()> {
        self.log.append(record).map_err(internal)
    }

    fn mount(&mut self, mounts: &[Mount]) -> Result<(), StartError> {
        for mount in mounts {
            let mounted = MountedBucket::open(mount)?;
            if self
                .buckets
                .insert(mount.bucket.clone(), Bucket::Mounted(Arc::new(mounted)))
                .is_some()
            {
                let reason = "a bucket of that name exists already".to_owned();
                return Err(StartError::Mount {
                    bucket: mount.bucket.clone(),
                    folder: mount.folder.clone(),
                    reason,
                });
            }
        }
        Ok(())
    }
}

impl Bucket {
    fn created_ms(&self) -> u64 {
        match self {
            Bucket::Stored(stored) => stored.created_ms,
            Bucket::Mounted(mounted) => mounted.created_ms,
        }
    }
}

pub(super) fn file_path(objects: &Path, id: u64) -> PathBuf {
    objects.join(format!("{:02x}", id % FOLDERS)).join(format!("{id:016x}"))
}

fn put_record(bucket: &str, key: &str, object: &Object) -> Record {
    Record::Put {
        bucket: bucket.to_owned(),
        key: key.to_owned(),
        files: object.segments.iter().map(file_record).collect(),
        about: object.about.clone(),
    }
}

fn file_record(segment: &Segment) -> FileRecord {
    FileRecord {
        id: segment.file.id().expect("only the store's own files are put"),
        size: segment.size,
    }
}

pub(crate) fn internal(error: io::Error) -> S3Error {
    tracing::error!(%error, "the store failed");
    s3_error!(
        error,
        InternalError,
        "We encountered an internal error. Please try again."
    )
}

fn no_such_bucket(bucket: &str) -> S3Error {
    s3_error!(NoSuchBucket, "The specified bucket does not exist: {bucket}")
}

fn read_only() -> S3Error {
    s3_error!(AccessDenied, "This bucket is a mounted folder and read-only")
}

//! From the index log back to the index: the last word on each key and upload, their data files, and a shorter log where most of it is
//! history. Data files that nothing names any more are removed.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;
use std::path::Path;
use std::sync::Arc;

use super::lifecycle::Rule;
use super::log::{FileRecord, Log, PartRecord, Record};
use super::object::{About, DataFile, Object, Segment};
use super::store::{StoredBucket, file_path};
use super::upload::{Part, Upload};

/// What the log told.
pub(super) struct Restored {
    pub log: Log,
    pub buckets: BTreeMap<String, StoredBucket>,
    pub uploads: BTreeMap<String, Upload>,
    /// No file has this number or a higher one.
    pub file_next: u64,
}

/// The last word on everything.
#[derive(Default)]
struct Latest {
    buckets: BTreeMap<String, BucketRecord>,
    uploads: BTreeMap<String, UploadRecord>,
}

#[derive(Default)]
struct BucketRecord {
    created_ms: u64,
    lifecycle: Vec<Rule>,
    puts: BTreeMap<String, (Vec<FileRecord>, About)>,
}

struct UploadRecord {
    bucket: String,
    key: String,
    initiated_ms: u64,
    about: About,
    parts: BTreeMap<i32, PartRecord>,
}

pub(super) fn restore(path: &Path, objects: &Path, syncs: bool) -> io::Result<Restored> {
    let (mut log, records) = Log::open(path, syncs)?;
    let history = records.len();
    let latest = Latest::of(records);
    let mut files = Files {
        objects,
        known: HashMap::new(),
    };
    let buckets = latest.buckets.iter().map(|(name, record)| {
        let objects = record
            .puts
            .iter()
            .map(|(key, put)| (key.clone(), Arc::new(files.object(put))));
        let bucket = StoredBucket {
            created_ms: record.created_ms,
            lifecycle: record.lifecycle.clone(),
            objects: objects.collect(),
        };
        (name.clone(), bucket)
    });
    let buckets = buckets.collect();
    let uploads = latest
        .uploads
        .iter()
        .map(|(id, upload)| (id.clone(), files.upload(upload)));
    let uploads = uploads.collect();
    if history > 2 * latest.records() + 64 {
        log = Log::rewrite(path, latest.snapshot(), syncs)?;
    }
    let file_last = remove_orphans(objects, &files.known.keys().copied().collect())?;
    Ok(Restored {
        log,
        buckets,
        uploads,
        file_next: file_last + 1,
    })
}

impl Latest {
    fn of(records: Vec<Record>) -> Latest {
        let mut latest = Latest::default();
        records.into_iter().for_each(|record| latest.apply(record));
        let Latest { buckets, uploads } = &mut latest;
        uploads.retain(|_, upload| buckets.contains_key(&upload.bucket));
        latest
    }

    fn apply(&mut self, record: Record) {
        match record {
            Record::CreateBucket { bucket, created_ms } => {
                let record = BucketRecord {
                    created_ms,
                    ..BucketRecord::default()
                };
                self.buckets.insert(bucket, record);
            }
            Record::DeleteBucket { bucket } => {
                self.buckets.remove(&bucket);
            }
            Record::SetLifecycle { bucket, rules } => {
                self.buckets.entry(bucket).or_default().lifecycle = rules;
            }
            Record::Put {
                bucket,
                key,
                files,
                about,
            } => {
                self.buckets.entry(bucket).or_default().puts.insert(key, (files, about));
            }
            Record::Delete { bucket, key } => {
                self.buckets.entry(bucket).or_default().puts.remove(&key);
            }
            Record::CreateUpload {
                id,
                bucket,
                key,
                initiated_ms,
                about,
            } => {
                let upload = UploadRecord {
                    bucket,
                    key,
                    initiated_ms,
                    about,
                    parts: BTreeMap::new(),
                };
                self.uploads.insert(id, upload);
            }
            Record::AddPart { id, number, part } => {
                self.uploads
                    .get_mut(&id)
                    .and_then(|upload| upload.parts.insert(number, part));
            }
            Record::EndUpload { id } => {
                self.uploads.remove(&id);
            }
        }
    }

    /// How many records a log without history has.
    fn records(&self) -> usize {
        let of_bucket = |bucket: &BucketRecord| 1 + usize::from(!bucket.lifecycle.is_empty()) + bucket.puts.len();
        let of_buckets: usize = self.buckets.values().map(of_bucket).sum();
        of_buckets
            + self
                .uploads
                .values()
                .map(|upload| 1 + upload.parts.len())
                .sum::<usize>()
    }

    fn snapshot(self) -> impl Iterator<Item = Record> {
        let buckets = self.buckets.into_iter().flat_map(|(bucket, record)| {
            let create = Record::CreateBucket {
                bucket: bucket.clone(),
                created_ms: record.created_ms,
            };
            let lifecycle = (!record.lifecycle.is_empty()).then(|| Record::SetLifecycle {
                bucket: bucket.clone(),
                rules: record.lifecycle,
            });
            let put = move |(key, (files, about))| Record::Put {
                bucket: bucket.clone(),
                key,
                files,
                about,
            };
            let puts = record.puts.into_iter().map(put);
            std::iter::once(create).chain(lifecycle).chain(puts)
        });
        let uploads = self.uploads.into_iter().flat_map(|(id, upload)| {
            let create = Record::CreateUpload {
                id: id.clone(),
                bucket: upload.bucket,
                key: upload.key,
                initiated_ms: upload.initiated_ms,
                about: upload.about,
            };
            let add = move |(number, part)| Record::AddPart {
                id: id.clone(),
                number,
                part,
            };
            std::iter::once(create).chain(upload.parts.into_iter().map(add))
        });
        buckets.chain(uploads)
    }
}

/// Data files by number: copies of one object share theirs again.
struct Files<'a> {
    objects: &'a Path,
    known: HashMap<u64, Arc<DataFile>>,
}

impl Files<'_> {
    fn segment(&mut self, record: &FileRecord) -> Segment {
        let file = self.known.entry(record.id).or_insert_with(|| {
            let path = file_path(self.objects, record.id);
            Arc::new(DataFile::of_store(record.id, path))
        });
        Segment {
            file: file.clone(),
            size: record.size,
        }
    }

    fn object(&mut self, (records, about): &(Vec<FileRecord>, About)) -> Object {
        let object = Object {
            segments: records.iter().map(|record| self.segment(record)).collect(),
            about: about.clone(),
        };
        object.link();
        object
    }

    fn upload(&mut self, record: &UploadRecord) -> Upload {
        let parts = record.parts.iter().map(|(number, part)| {
            let segment = self.segment(&part.file);
            segment.file.link();
            let part = Part {
                segment,
                md5: part.md5,
                checksums: part.checksums.clone(),
                modified_ms: part.modified_ms,
            };
            (*number, part)
        });
        Upload {
            bucket: record.bucket.clone(),
            key: record.key.clone(),
            initiated_ms: record.initiated_ms,
            about: record.about.clone(),
            parts: parts.collect(),
        }
    }
}

/// Removes what a killed process left half-written or had already replaced. Gives the highest number in use.
fn remove_orphans(objects: &Path, live: &HashSet<u64>) -> io::Result<u64> {
    for folder in std::fs::read_dir(objects)? {
        for file in std::fs::read_dir(folder?.path())? {
            let file = file?;
            let id = file
                .file_name()
                .to_str()
                .and_then(|name| u64::from_str_radix(name, 16).ok());
            if id.is_some_and(|id| !live.contains(&id)) {
                std::fs::remove_file(file.path())?;
            }
        }
    }
    Ok(live.iter().copied().max().unwrap_or(0))
}

//! The files of a table, now: a LIST, and footers read once per ETag. What is remembered saves requests and never changes an answer.

use crate::footer::{self, RawFooter};
use crate::whole::{self, Whole};
use crate::{Location, TableFile, error};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use mayfly_protocol::{ErrorCode, QueryError};
use mayfly_store::{Listed, Store};
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataWriter};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Footers that are read at once.
const FOOTER_READS_MAX: usize = 32;

/// Parquet files of a table whose footers are all read. Of more files a sample speaks for all, and what can be left out within a file
/// is found when it is scanned.
const FOOTERS_MAX: usize = 4_000;

/// Footers that speak for all.
const SAMPLE_FILES: usize = 64;

/// Files of one table. More would make planning unbounded.
const FILES_MAX: usize = 100_000;

/// Tables whose footers stay in memory; the one with the smallest key makes room.
const TABLES_CACHED_MAX: usize = 1_024;

/// Largest object of persisted footers; beyond it they are read again after a restart.
const PERSISTED_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Since 3 it says whether it is whole: what it says of a file decides which rows are read.
const VERSION: u32 = 3;

type Known = BTreeMap<String, Arc<TableFile>>;

/// Footers by location and key, in memory.
#[derive(Default)]
pub(crate) struct FileCache {
    tables: Mutex<BTreeMap<Location, Arc<Known>>>,
}

impl FileCache {
    fn known(&self, location: &Location) -> Option<Arc<Known>> {
        let tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        tables.get(location).cloned()
    }

    fn remember(&self, location: &Location, files: &[Arc<TableFile>]) {
        let known: Known = files.iter().map(|file| (file.key.clone(), file.clone())).collect();
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        tables.insert(location.clone(), Arc::new(known));
        if tables.len() > TABLES_CACHED_MAX {
            tables.pop_first();
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Persisted {
    v: u32,
    files: Vec<PersistedFile>,
}

#[derive(Serialize, Deserialize)]
struct PersistedFile {
    key: String,
    etag: String,
    size_bytes: u64,
    /// As at the end of a file: page indexes if there are any, the footer, its length, and the magic.
    footer: String,
    has_pages: bool,
}

/// Where the footers of one table are persisted.
pub(crate) struct Shelf<'a> {
    pub store: &'a Store,
    pub bucket: &'a str,
    /// `None`: memory is enough.
    pub key: Option<String>,
}

/// The data files at the location, in key order: a folder's, or the one object of that name.
pub(crate) async fn list(store: &Store, location: &Location) -> Result<Vec<Listed>, QueryError> {
    let mut files = in_folder(store, location).await?;
    if files.is_empty() && !location.prefix.is_empty() {
        files.extend(single(store, location).await?);
    }
    files.sort_by(|a, b| a.key.cmp(&b.key));
    few_enough(location, files)
}

/// The data files below the location.
pub(crate) async fn in_folder(store: &Store, location: &Location) -> Result<Vec<Listed>, QueryError> {
    let listed = store
        .list(&location.bucket, &location.folder())
        .await
        .map_err(|cause| error::store(&location.to_string(), &cause))?;
    Ok(listed.into_iter().filter(|listed| is_data(location, listed)).collect())
}

pub(crate) fn few_enough(location: &Location, files: Vec<Listed>) -> Result<Vec<Listed>, QueryError> {
    if files.len() > FILES_MAX {
        let message = format!("'{location}' has {} files, more than {FILES_MAX}", files.len());
        return Err(QueryError::new(ErrorCode::TooManyTasks, message));
    }
    Ok(files)
}

/// Markers and hidden names are no data: `_SUCCESS`, `.part.crc`, `_temporary/…`, and the empty objects that stand for folders.
pub(crate) fn is_data(location: &Location, listed: &Listed) -> bool {
    let below = listed.key.strip_prefix(&location.folder()).unwrap_or(&listed.key);
    let hidden = |segment: &str| segment.starts_with('_') && !segment.contains('=') || segment.starts_with('.');
    listed.size_bytes > 0 && !below.is_empty() && !below.split('/').any(hidden)
}

/// The object of exactly that name: a table may be one file.
pub(crate) async fn single(store: &Store, location: &Location) -> Result<Option<Listed>, QueryError> {
    let listed = store
        .list(&location.bucket, &location.prefix)
        .await
        .map_err(|cause| error::store(&location.to_string(), &cause))?;
    Ok(listed.into_iter().find(|listed| listed.key == location.prefix))
}

/// The table's files with their footers, or with those of a sample.
pub(crate) async fn resolve(
    cache: &FileCache,
    shelf: &Shelf<'_>,
    location: &Location,
    listed: &[Listed],
) -> Result<Vec<Arc<TableFile>>, QueryError> {
    if listed.len() <= FOOTERS_MAX {
        return with_footers(cache, shelf, location, listed).await;
    }
    let step = listed.len().div_ceil(SAMPLE_FILES);
    let sample: Vec<Listed> = listed.iter().step_by(step).cloned().collect();
    let mut sampled = with_footers(cache, shelf, location, &sample)
        .await?
        .into_iter()
        .peekable();
    let file = |listed: &Listed| match sampled.next_if(|file| file.key == listed.key) {
        Some(file) => file,
        None => Arc::new(TableFile::unread(listed)),
    };
    Ok(listed.iter().map(file).collect())
}

/// From memory, else from the shelf, else from the files themselves.
async fn with_footers(
    cache: &FileCache,
    shelf: &Shelf<'_>,
    location: &Location,
    listed: &[Listed],
) -> Result<Vec<Arc<TableFile>>, QueryError> {
    let mut known = cache.known(location).map(|known| (*known).clone()).unwrap_or_default();
    if missing(&known, listed).next().is_some() {
        known.extend(unshelve(shelf, location, listed).await);
    }
    let wanted: Vec<&Listed> = missing(&known, listed).collect();
    let read = read_all(shelf.store, location, &wanted).await?;
    let changed = !read.is_empty();
    known.extend(read.into_iter().map(|file| (file.key.clone(), file)));
    let files: Vec<Arc<TableFile>> = listed
        .iter()
        .filter_map(|listed| known.get(&listed.key).cloned())
        .collect();
    debug_assert_eq!(files.len(), listed.len(), "every listed file was resolved");
    cache.remember(location, &files);
    if changed {
        put_on_shelf(shelf, &files).await;
    }
    Ok(files)
}

/// Listed objects whose footer is not known at their present version.
fn missing<'a>(known: &'a Known, listed: &'a [Listed]) -> impl Iterator<Item = &'a Listed> {
    let current = |listed: &Listed| {
        known
            .get(&listed.key)
            .is_some_and(|file| file.etag == listed.etag && file.size_bytes == listed.size_bytes)
    };
    listed.iter().filter(move |listed| !current(listed))
}

async fn read_all(store: &Store, location: &Location, wanted: &[&Listed]) -> Result<Vec<Arc<TableFile>>, QueryError> {
    stream::iter(wanted)
        .map(async |listed| {
            let raw = footer::read(store, location, listed).await?;
            footer::decode(location, raw).await.map(Arc::new)
        })
        .buffered(FOOTER_READS_MAX)
        .try_collect()
        .await
}

/// Footers persisted by an earlier server. Whatever is wrong with them, the files themselves are still there to be read.
async fn unshelve(shelf: &Shelf<'_>, location: &Location, listed: &[Listed]) -> Known {
    let Some(key) = &shelf.key else { return Known::new() };
    let Ok(object) = whole::read(shelf.store, shelf.bucket, key).await else {
        return Known::new();
    };
    let Some(files) = decode(&object.bytes) else {
        return Known::new();
    };
    let current: BTreeMap<&str, &str> = listed.iter().map(|l| (l.key.as_str(), l.etag.as_str())).collect();
    let usable = files
        .into_iter()
        .filter(|file| current.get(file.key.as_str()) == Some(&file.etag.as_str()));
    let mut known = Known::new();
    for file in usable {
        if let Some(file) = decode_persisted(location, file).await {
            known.insert(file.key.clone(), Arc::new(file));
        }
    }
    known
}

/// What the object holds, if it is whole and of this version.
fn decode(bytes: &[u8]) -> Option<Vec<PersistedFile>> {
    if whole::look(bytes) != Whole::Yes {
        return None;
    }
    let persisted: Persisted = serde_json::from_slice(bytes).ok()?;
    (persisted.v == VERSION).then_some(persisted.files)
}

async fn decode_persisted(location: &Location, file: PersistedFile) -> Option<TableFile> {
    let bytes = BASE64_STANDARD.decode(&file.footer).ok()?;
    let raw = RawFooter {
        key: file.key,
        etag: file.etag,
        size_bytes: file.size_bytes,
        ends_at: bytes.len() as u64,
        bytes: Bytes::from(bytes),
        pages: match file.has_pages {
            true => PageIndexPolicy::Optional,
            false => PageIndexPolicy::Skip,
        },
    };
    footer::decode(location, raw).await.ok()
}

/// Best effort: a lost write costs the next server some GETs.
async fn put_on_shelf(shelf: &Shelf<'_>, files: &[Arc<TableFile>]) {
    let Some(key) = &shelf.key else { return };
    let Some(bytes) = encode(files) else { return };
    if let Err(cause) = shelf.store.put(shelf.bucket, key, bytes).await {
        tracing::warn!(key, %cause, "footers were not persisted");
    }
}

fn encode(files: &[Arc<TableFile>]) -> Option<Bytes> {
    let mut total = 0;
    let mut persisted = Vec::with_capacity(files.len());
    for file in files {
        let metadata = &file.footer.as_ref()?.metadata;
        let footer = BASE64_STANDARD.encode(footer_bytes(metadata)?);
        total += footer.len() + file.key.len();
        if total > PERSISTED_BYTES_MAX {
            return None;
        }
        persisted.push(PersistedFile {
            key: file.key.clone(),
            etag: file.etag.clone(),
            size_bytes: file.size_bytes,
            footer,
            has_pages: metadata.offset_index().is_some(),
        });
    }
    let object = Persisted {
        v: VERSION,
        files: persisted,
    };
    serde_json::to_vec(&object).ok().map(whole::seal).map(Bytes::from)
}

/// The end of the file, written anew from what was decoded.
fn footer_bytes(metadata: &ParquetMetaData) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    ParquetMetaDataWriter::new(&mut bytes, metadata).finish().ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests;

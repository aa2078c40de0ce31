//! How a bound scan reads its splits: every request pinned to the split's ETag, no HEAD, near ranges in one GET.
//!
//! Parquet's decoder sees only the split's row groups: the footer that it is handed holds no others.

use super::ahead::{Ahead, Fetched};
use super::fetch;
use super::footer::{FooterCache, FooterKey};
use bytes::Bytes;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::runtime::SpawnedTask;
use datafusion::common::{DataFusionError, Result, internal_datafusion_err};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::ParquetFileReaderFactory;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, TryStreamExt};
use mayfly_protocol::{FileRange, Split};
use mayfly_store::{Store, StoreError};
use parquet::arrow::arrow_reader::ArrowReaderOptions;
use parquet::arrow::async_reader::{AsyncFileReader, MetadataFetch};
use parquet::errors::ParquetError;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataBuilder, ParquetMetaDataReader};
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// Bytes of a file's end that are read at once, in the hope that its footer is within.
pub const FOOTER_READ_BYTES: usize = 64 * 1024;

/// GETs of one reader under way at a time.
pub const GETS_AT_ONCE_MAX: usize = 8;

/// Text files that an error may be about: readers open the next before the last has yielded all.
const TEXTS_OPEN: usize = 2;

/// What the scans of one task have read.
#[derive(Debug, Default)]
pub struct ScanMeter {
    bytes: AtomicU64,
    /// The file that each partition of each scan opened last: decoding errors do not name theirs.
    open: Mutex<BTreeMap<(u32, usize), String>>,
    texts: AtomicUsize,
}

impl ScanMeter {
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Files that were being read lately.
    pub fn open_files(&self) -> Vec<String> {
        let open = self.open.lock().expect("no panic happens while the lock is held");
        let mut files: Vec<String> = open.values().cloned().collect();
        files.sort();
        files.dedup();
        files
    }

    /// Notes a text file. Its readers are not known, so the last few count as open.
    pub fn opened_text(&self, file: String) {
        let turn = self.texts.fetch_add(1, Ordering::Relaxed) % TEXTS_OPEN;
        self.opened((u32::MAX, turn), file);
    }

    /// Counts bytes that arrived.
    pub fn read(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    fn opened(&self, reader: (u32, usize), file: String) {
        self.open
            .lock()
            .expect("no panic happens while the lock is held")
            .insert(reader, file);
    }
}

/// A file that is not what its catalog entry says.
#[derive(Debug, thiserror::Error)]
pub enum SplitError {
    #[error("cannot read {file}")]
    Store {
        file: String,
        #[source]
        cause: StoreError,
    },
    #[error("{file} is not a readable Parquet file")]
    BadFooter {
        file: String,
        #[source]
        cause: ParquetError,
    },
    #[error("{file} has another schema than its table: {why}")]
    Schema { file: String, why: String },
    #[error("{} cannot be read", files.join(" or "))]
    BadText {
        /// Those that it may be.
        files: Vec<String>,
        #[source]
        cause: Box<DataFusionError>,
    },
    #[error("{file} cannot be read: {place}: {why}")]
    Record {
        file: String,
        /// Its line, or where else it stands.
        place: String,
        why: String,
    },
    #[error("{file} has {found} row groups, and row groups {start}..{end} were planned")]
    RowGroups {
        file: String,
        found: usize,
        start: u32,
        end: u32,
    },
}

/// Makes readers for the splits of one scan.
#[derive(Clone)]
pub struct SplitReaderFactory {
    scan: u32,
    store: Store,
    footers: Arc<FooterCache>,
    meter: Arc<ScanMeter>,
    columns: Option<SchemaRef>,
    reads_ahead: bool,
}

impl fmt::Debug for SplitReaderFactory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SplitReaderFactory")
    }
}

impl SplitReaderFactory {
    pub fn new(scan: u32, store: Store, footers: Arc<FooterCache>, meter: Arc<ScanMeter>) -> SplitReaderFactory {
        SplitReaderFactory {
            scan,
            store,
            footers,
            meter,
            columns: None,
            reads_ahead: true,
        }
    }

    /// The table's own columns. Files whose footers the planner did not see are held to them.
    pub fn with_columns(mut self, columns: SchemaRef) -> SplitReaderFactory {
        self.columns = Some(columns);
        self
    }

    /// The footer of the split's whole file.
    pub async fn footer(&self, split: &Split) -> Result<Arc<ParquetMetaData>> {
        let get = self.get(split.clone());
        let found = self.footers.get(&key(split), async || get.footer().await).await;
        found.map_err(DataFusionError::from)
    }

    fn get(&self, split: Split) -> RangeGet {
        RangeGet {
            store: self.store.clone(),
            meter: Arc::clone(&self.meter),
            split: Arc::new(split),
        }
    }

    /// Whether readers ask for a row group before it is wanted; a scan that may stop early should not.
    pub fn with_reads_ahead(mut self, reads_ahead: bool) -> SplitReaderFactory {
        self.reads_ahead = reads_ahead;
        self
    }
}

impl ParquetFileReaderFactory for SplitReaderFactory {
    fn create_reader(
        &self,
        partition: usize,
        file: PartitionedFile,
        _: Option<usize>,
        _: &ExecutionPlanMetricsSet,
    ) -> Result<Box<dyn AsyncFileReader + Send>> {
        let split = file.extension::<Split>().cloned();
        let split = split.ok_or_else(|| internal_datafusion_err!("a file to scan is not a split"))?;
        self.meter.opened((self.scan, partition), name(&split));
        Ok(Box::new(SplitReader {
            get: self.get(split),
            footers: Arc::clone(&self.footers),
            columns: self.columns.clone(),
            ahead: self.reads_ahead.then(Ahead::default),
        }))
    }
}

fn key(split: &Split) -> FooterKey {
    FooterKey {
        bucket: split.bucket.clone(),
        key: split.key.clone(),
        etag: split.etag.clone(),
    }
}

pub(super) fn name(split: &Split) -> String {
    format!("s3://{}/{}", split.bucket, split.key)
}

fn external(error: SplitError) -> ParquetError {
    ParquetError::External(Box::new(error))
}

/// Ranged GETs on one split's object.
#[derive(Clone)]
struct RangeGet {
    store: Store,
    meter: Arc<ScanMeter>,
    split: Arc<Split>,
}

impl RangeGet {
    async fn one(&self, range: Range<u64>) -> Result<Bytes, ParquetError> {
        let (bucket, key) = (&self.split.bucket, &self.split.key);
        let bytes = self.store.get_range(bucket, key, range, Some(&self.split.etag)).await;
        let bytes = bytes.map_err(|cause| {
            let file = name(&self.split);
            external(SplitError::Store { file, cause })
        })?;
        self.meter.read(bytes.len());
        Ok(bytes)
    }

    async fn many(&self, ranges: Vec<Range<u64>>) -> Result<Vec<Bytes>, ParquetError> {
        let gets = futures::stream::iter(fetch::gets(&ranges));
        let gets = gets.map(|get| async move { Ok::<_, ParquetError>((get.clone(), self.one(get).await?)) });
        let fetched: Vec<_> = gets.buffered(GETS_AT_ONCE_MAX).try_collect().await?;
        let cut = |range| {
            let bytes = fetch::slice(&fetched, range);
            bytes.ok_or_else(|| ParquetError::General(format!("bytes {range:?} were not fetched")))
        };
        ranges.iter().map(cut).collect()
    }

    async fn footer(&self) -> Result<ParquetMetaData, ParquetError> {
        let reader = ParquetMetaDataReader::new().with_prefetch_hint(Some(FOOTER_READ_BYTES));
        let footer = reader.load_and_finish(self.clone(), self.split.size_bytes).await;
        let trusted = footer.and_then(mayfly_files::trusted);
        trusted.map_err(|cause| match cause {
            ParquetError::External(_) => cause,
            cause => {
                let file = name(&self.split);
                external(SplitError::BadFooter { file, cause })
            }
        })
    }
}

impl MetadataFetch for RangeGet {
    fn fetch(&mut self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes, ParquetError>> {
        self.one(range).boxed()
    }
}

/// Reads one split.
struct SplitReader {
    get: RangeGet,
    footers: Arc<FooterCache>,
    columns: Option<SchemaRef>,
    ahead: Option<Ahead>,
}

impl SplitReader {
    /// The ranges, as they were asked for ahead or by requests of their own; and meanwhile what should be next.
    async fn ranges(&mut self, ranges: Vec<Range<u64>>) -> Fetched {
        let Some(ahead) = &mut self.ahead else {
            return self.get.many(ranges).await;
        };
        let early = ahead.take(&ranges);
        let bytes = match early {
            Some(task) => match task.join().await {
                Ok(bytes) => bytes?,
                Err(cause) => return Err(ParquetError::External(Box::new(cause))),
            },
            None => self.get.many(ranges.clone()).await?,
        };
        let get = self.get.clone();
        ahead.guess(&ranges, |next| {
            let get = get.clone();
            SpawnedTask::spawn(async move { get.many(next).await })
        });
        Ok(bytes)
    }
}

impl AsyncFileReader for SplitReader {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes, ParquetError>> {
        async {
            let mut bytes = self.get.many(vec![range]).await?;
            bytes
                .pop()
                .ok_or_else(|| ParquetError::General("a range was not fetched".to_owned()))
        }
        .boxed()
    }

    fn get_byte_ranges(&mut self, ranges: Vec<Range<u64>>) -> BoxFuture<'_, Result<Vec<Bytes>, ParquetError>> {
        self.ranges(ranges).boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        _: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, Result<Arc<ParquetMetaData>, ParquetError>> {
        let split = Arc::clone(&self.get.split);
        async move {
            let footer = self.footers.get(&key(&split), async || self.get.footer().await).await?;
            if let Some(columns) = self.columns.as_ref().filter(|_| split.range == FileRange::All) {
                agree(&footer, columns, &split)?;
            }
            let footer = restrict(footer, &split)?;
            if let Some(ahead) = &mut self.ahead {
                ahead.begin(Arc::clone(&footer));
            }
            Ok(footer)
        }
        .boxed()
    }
}

/// Whether the file can be read as its table.
fn agree(footer: &ParquetMetaData, columns: &SchemaRef, split: &Split) -> Result<(), ParquetError> {
    let places = mayfly_files::read_as(columns, &mayfly_files::schema(footer)?);
    places.map(drop).map_err(|why| {
        let file = name(split);
        external(SplitError::Schema { file, why })
    })
}

/// The footer with the split's row groups alone.
fn restrict(footer: Arc<ParquetMetaData>, split: &Split) -> Result<Arc<ParquetMetaData>, ParquetError> {
    let FileRange::RowGroups { start, end } = split.range else {
        return Ok(footer);
    };
    let found = footer.num_row_groups();
    if (start, end as usize) == (0, found) {
        return Ok(footer);
    }
    let Some(row_groups) = footer.row_groups().get(start as usize..end as usize) else {
        let file = name(split);
        return Err(external(SplitError::RowGroups {
            file,
            found,
            start,
            end,
        }));
    };
    let restricted = ParquetMetaDataBuilder::new(footer.file_metadata().clone());
    Ok(Arc::new(restricted.set_row_groups(row_groups.to_vec()).build()))
}

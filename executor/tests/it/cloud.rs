//! An S3 on loopback with the two tables in it, and an executor's environment that reads there.

use crate::split_table::{TABLES, batch};
use bytes::Bytes;
use local_emulator::{Credentials, Emulator, Settings};
use mayfly_executor::{Environment, EnvironmentSettings};
use mayfly_fragment::AllowedLocations;
use mayfly_protocol::{EpochMs, FileRange, Split};
use mayfly_store::{AccessKey, S3Settings, Store};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tempfile::TempDir;

pub const TABLE_BUCKET: &str = "tables";
pub const CONTROL_BUCKET: &str = "mayfly";

/// Row groups per file; `sales` is two files.
const ROW_GROUP_ROWS: usize = 2_500;
const FILES: usize = 2;

pub struct Cloud {
    pub store: Store,
    pub environment: Environment,
    settings: S3Settings,
    pub spill: TempDir,
    _emulator: Emulator,
    _data: TempDir,
}

impl Cloud {
    pub async fn start() -> Cloud {
        let data = tempfile::tempdir().expect("a folder");
        let scratch = data.path().join("scratch");
        let emulator = Emulator::start(Settings::new(data.path().join("data"), scratch))
            .await
            .expect("ports are free");
        let Credentials {
            access_key_id,
            secret_access_key,
        } = Credentials::default();
        let settings = S3Settings {
            endpoint: Some(emulator.endpoints().s3),
            access_key: Some(AccessKey::new(access_key_id, secret_access_key)),
            ..S3Settings::default()
        };
        let store = Store::connect(&settings).await;
        store.ensure_bucket(TABLE_BUCKET).await.expect("a bucket");
        store.ensure_bucket(CONTROL_BUCKET).await.expect("a bucket");
        let spill = tempfile::tempdir().expect("a folder");
        let environment = environment(&settings, &spill, TABLE_BUCKET);
        Cloud {
            store,
            environment,
            settings,
            spill,
            _emulator: emulator,
            _data: data,
        }
    }

    /// An environment that may read tables from `allowed` only.
    pub fn environment(&self, allowed: &str) -> Environment {
        environment(&self.settings, &self.spill, allowed)
    }

    /// Writes a table and returns its splits, one per row group.
    pub async fn load(&self, table: &str) -> Vec<Split> {
        let rows = batch(table);
        let share = rows.num_rows().div_ceil(FILES);
        let mut splits = Vec::new();
        for file in 0..FILES {
            let start = file * share;
            let bytes = parquet(&rows.slice(start, share.min(rows.num_rows() - start)));
            let key = format!("{table}/{file}.parquet");
            splits.extend(self.put(&key, bytes).await);
        }
        splits
    }

    pub async fn put(&self, key: &str, bytes: Bytes) -> Vec<Split> {
        let size_bytes = bytes.len() as u64;
        let groups = share_count(&bytes);
        let etag = self
            .store
            .put(TABLE_BUCKET, key, bytes)
            .await
            .expect("the bucket is there");
        let split = |group: u32| Split {
            bucket: TABLE_BUCKET.to_owned(),
            key: key.to_owned(),
            etag: etag.clone(),
            size_bytes,
            range: FileRange::RowGroups {
                start: group,
                end: group + 1,
            },
            scan_bytes: size_bytes / u64::from(groups),
            rows: ROW_GROUP_ROWS as u64,
            partition_values: Vec::new(),
        };
        (0..groups).map(split).collect()
    }

    /// Both tables, in the order of [`TABLES`].
    pub async fn load_all(&self) -> Vec<Vec<Split>> {
        let mut all = Vec::new();
        for table in TABLES {
            all.push(self.load(table).await);
        }
        all
    }
}

fn environment(settings: &S3Settings, spill: &TempDir, allowed: &str) -> Environment {
    Environment::new(EnvironmentSettings {
        s3: settings.clone(),
        allowed: AllowedLocations::parse(allowed),
        control: Some(CONTROL_BUCKET.to_owned()),
        memory_bytes: Some(512 * 1024 * 1024),
        spill_folder: spill.path().to_owned(),
        spill_bytes_max: 256 * 1024 * 1024,
    })
}

/// A Parquet file of several row groups.
pub fn parquet(rows: &datafusion::arrow::record_batch::RecordBatch) -> Bytes {
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .build();
    let mut writer = ArrowWriter::try_new(Vec::new(), rows.schema(), Some(properties)).expect("a plain schema");
    writer.write(rows).expect("memory suffices");
    writer.into_inner().expect("memory suffices").into()
}

/// Row groups of a file; 1 for what is none.
fn share_count(bytes: &Bytes) -> u32 {
    use parquet::file::metadata::ParquetMetaDataReader;
    let footer = ParquetMetaDataReader::new().parse_and_finish(bytes);
    footer.map_or(1, |footer| footer.num_row_groups() as u32)
}

pub fn deadline(after: Duration) -> EpochMs {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    EpochMs(now.as_millis() as u64) + after
}

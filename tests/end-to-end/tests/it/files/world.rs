//! A folder that is mounted as a bucket, and a server over it.

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{Field, Schema};
use mayfly_end_to_end::client::{Client, QueryFailure};
use mayfly_end_to_end::server::Server;
use parquet::arrow::ArrowWriter;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader, ParquetMetaDataWriter};
use parquet::file::properties::WriterProperties;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The magic and the length of the footer, at the end of a file.
const FOOTER_END_BYTES: usize = 8;

/// The server stops, and the folder goes, when this is dropped.
pub struct World {
    client: Client,
    _server: Server,
    _folder: Option<tempfile::TempDir>,
}

impl World {
    /// Over `s3://files/`.
    pub fn over(folder: tempfile::TempDir) -> World {
        let mut world = World::over_path(folder.path());
        world._folder = Some(folder);
        world
    }

    pub fn over_path(folder: &Path) -> World {
        let server = Server::start(&["--mount", &format!("files={}", folder.display())]);
        World {
            client: Client::new(&server.url, "default"),
            _server: server,
            _folder: None,
        }
    }

    pub async fn run(&self, sql: &str) {
        let ran = self.client.query(sql).await;
        ran.unwrap_or_else(|failure| panic!("{sql}: {failure:?}"));
    }

    /// A table of the folder of its name.
    pub async fn table(&self, name: &str, columns: &str, format: &str) {
        self.run(&statement(name, columns, format)).await;
    }

    /// Why there is no such table.
    pub async fn no_table(&self, name: &str, columns: &str, format: &str) -> QueryFailure {
        let sql = statement(name, columns, format);
        self.client.query(&sql).await.map(drop).expect_err(&sql)
    }

    /// The answer in every shape; rows by `;`, cells by `,`, in any order.
    pub async fn check(&self, sql: &str, expected: &str) {
        for (shape, client) in self.shapes() {
            answers(shape, &client, sql, expected).await;
        }
    }

    /// The same in default shape alone, for tables of very many files.
    pub async fn check_once(&self, sql: &str, expected: &str) {
        answers("default", &self.client, sql, expected).await;
    }

    /// The failure, which must be the same kind in every shape.
    pub async fn fails(&self, sql: &str, code: &str, with: &[&str]) {
        for (shape, client) in self.shapes() {
            ends(shape, &client, sql, code, with).await;
        }
    }

    pub async fn fails_once(&self, sql: &str, code: &str, with: &[&str]) {
        ends("default", &self.client, sql, code, with).await;
    }

    fn shapes(&self) -> [(&'static str, Client); 3] {
        let forced = |partitions: u32| {
            let client = self.client.clone().with("target_task_bytes", "1000B");
            client.with("target_partitions", partitions)
        };
        [
            ("default", self.client.clone()),
            ("forced, 1", forced(1)),
            ("forced, 3", forced(3)),
        ]
    }
}

async fn answers(shape: &str, client: &Client, sql: &str, expected: &str) {
    let mut expected: Vec<&str> = expected.split(';').filter(|row| !row.is_empty()).collect();
    expected.sort_unstable();
    let answer = client.query(sql).await;
    let answer = answer.unwrap_or_else(|failure| panic!("{shape}: {sql}: {failure:?}"));
    let cell = |cell: &Option<String>| cell.clone().unwrap_or_else(|| "NULL".to_owned());
    let row = |row: &Vec<Option<String>>| row.iter().map(cell).collect::<Vec<_>>().join(",");
    let mut rows: Vec<String> = answer.table.rows.iter().map(row).collect();
    rows.sort_unstable();
    assert_eq!(rows, expected, "{shape}: {sql}");
}

async fn ends(shape: &str, client: &Client, sql: &str, code: &str, with: &[&str]) {
    let failure = client.query(sql).await.map(drop).expect_err(sql);
    assert_eq!(failure.name, code, "{shape}: {sql}: {}", failure.message);
    for part in with {
        assert!(
            failure.message.contains(part),
            "{shape}: {sql}: {part}: {}",
            failure.message
        );
    }
}

fn statement(name: &str, columns: &str, format: &str) -> String {
    let (format, options) = format.split_once(' ').unwrap_or((format, ""));
    let folder = name.trim_matches('"');
    format!("CREATE EXTERNAL TABLE {name} {columns} STORED AS {format} LOCATION 's3://files/{folder}/' {options}")
}

pub fn path(folder: &Path, file: &str) -> PathBuf {
    let path = folder.join(file);
    std::fs::create_dir_all(path.parent().expect("a file lies in a folder")).expect("writable");
    path
}

/// A column that may hold NULL.
pub fn optional(name: &str, values: ArrayRef) -> (Field, ArrayRef) {
    (Field::new(name, values.data_type().clone(), true), values)
}

pub fn required(name: &str, values: ArrayRef) -> (Field, ArrayRef) {
    (Field::new(name, values.data_type().clone(), false), values)
}

/// A Parquet file, with a row group for each so many rows, without page indexes.
pub fn parquet(folder: &Path, file: &str, columns: Vec<(Field, ArrayRef)>, group_rows: usize) -> PathBuf {
    let path = path(folder, file);
    let (fields, arrays): (Vec<Field>, Vec<ArrayRef>) = columns.into_iter().unzip();
    let rows = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).expect("columns of one length");
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(group_rows))
        .set_offset_index_disabled(true)
        .set_statistics_enabled(parquet::file::properties::EnabledStatistics::Chunk)
        .build();
    let file = std::fs::File::create(&path).expect("writable");
    let mut writer = ArrowWriter::try_new(file, rows.schema(), Some(properties)).expect("a valid schema");
    writer.write(&rows).expect("written");
    writer.close().expect("closed");
    path
}

/// The file with another footer, as another writer would have left it.
pub fn edit(path: &Path, change: impl FnOnce(ParquetMetaData) -> ParquetMetaData) {
    let mut bytes = std::fs::read(path).expect("it was written");
    let metadata = ParquetMetaDataReader::new().parse_and_finish(&bytes::Bytes::from(bytes.clone()));
    let end = bytes.len() - FOOTER_END_BYTES;
    let length: [u8; 4] = bytes[end..end + 4].try_into().expect("four bytes");
    bytes.truncate(end - u32::from_le_bytes(length) as usize);
    let mut footer = Vec::new();
    let metadata = change(metadata.expect("a footer"));
    let writer = ParquetMetaDataWriter::new(&mut footer, &metadata);
    writer.finish().expect("written");
    std::fs::write(path, [bytes, footer].concat()).expect("writable");
}

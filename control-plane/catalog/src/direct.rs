//! Files that a query names itself: `FROM 's3://bucket/folder/*.csv'`. They make a table for one planning; the catalog keeps nothing of it
//! but footers in memory.

use crate::place::Place;
use crate::{CATALOG_NAME, Catalog, Location, NewTable, Table, TableDefinition, TableRef, error, files, partition};
use arrow::datatypes::Field;
use mayfly_protocol::{Compression, CsvFormat, ErrorCode, FileFormat, JsonFormat, QueryError};
use mayfly_store::Listed;
use std::sync::Arc;

/// The schema of such tables, which no statement can create.
pub const DIRECT_SCHEMA: &str = "(files)";

/// Files as a query names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectFiles {
    /// The text in the query: it names the table in plans and messages.
    pub text: String,
    /// Each `s3://bucket/…`: a file, a folder, or a pattern.
    pub places: Vec<String>,
    /// `None`: what the files' names say.
    pub format: Option<FileFormat>,
    /// Whether folders such as `day=2026-01-01` are columns; `None`: where all files have the same.
    pub hive: Option<bool>,
}

impl DirectFiles {
    /// What the table is called for the planning.
    pub fn name(&self) -> TableRef {
        TableRef {
            catalog: CATALOG_NAME.to_owned(),
            schema: DIRECT_SCHEMA.to_owned(),
            table: self.text.clone(),
        }
    }
}

impl Catalog {
    /// The files, as a table. All places are checked before the first request.
    pub async fn direct(&self, wanted: &DirectFiles) -> Result<Arc<Table>, QueryError> {
        let parse = |text: &String| Place::parse(text, self.allowed(), self.bucket());
        let places: Vec<Place> = wanted.places.iter().map(parse).collect::<Result<_, _>>()?;
        let location = common(&places)?;
        let listed = self.listed(&places).await?;
        let format = match &wanted.format {
            Some(format) => format.clone(),
            None => format_of(&location, &listed)?,
        };
        let folders = folders(&location, &listed, wanted.hive)?;
        let new = NewTable {
            name: wanted.name(),
            location: location.to_string(),
            format,
            columns: None,
            partitions: None,
            if_not_exists: false,
        };
        let definition: TableDefinition = self.define(&new.name, location, &listed, &new, folders).await?;
        self.open_listed(definition, &listed).await
    }

    async fn listed(&self, places: &[Place]) -> Result<Vec<Listed>, QueryError> {
        let mut listed = Vec::new();
        for place in places {
            listed.extend(place.list(self.store()).await?);
        }
        listed.sort_by(|a, b| a.key.cmp(&b.key));
        listed.dedup_by(|a, b| a.key == b.key);
        files::few_enough(&places[0].location, listed)
    }
}

/// The folder above all files: one bucket, and no folder that is a column's value.
fn common(places: &[Place]) -> Result<Location, QueryError> {
    let Some(first) = places.first() else {
        return Err(QueryError::new(
            ErrorCode::InvalidArguments,
            "the list of files is empty",
        ));
    };
    let bucket = &first.location.bucket;
    if let Some(other) = places.iter().find(|place| place.location.bucket != *bucket) {
        let message = format!(
            "files of two buckets, '{bucket}' and '{}', in one list are not supported",
            other.location.bucket
        );
        let error = QueryError::new(ErrorCode::NotSupported, message);
        return Err(error.hint("UNION ALL of two lists reads both"));
    }
    let mut folders = first.folders();
    for place in &places[1..] {
        let other = place.folders();
        let same = folders.iter().zip(&other).take_while(|(a, b)| a == b).count();
        folders.truncate(same);
    }
    let above = folders.iter().take_while(|folder| !folder.contains('='));
    Ok(Location {
        bucket: bucket.clone(),
        prefix: above.copied().collect::<Vec<_>>().join("/"),
    })
}

fn folders(location: &Location, listed: &[Listed], hive: Option<bool>) -> Result<Vec<Field>, QueryError> {
    let keys: Vec<&str> = listed.iter().map(|file| file.key.as_str()).collect();
    if hive == Some(false) {
        return Ok(Vec::new());
    }
    let first = partition::of_key(location, keys[0]).into_iter().map(|(name, _)| name);
    let wanted: Option<Vec<String>> = (hive == Some(true)).then(|| first.collect());
    partition::infer(location, &keys, wanted.as_deref())
        .map_err(|cause| cause.hint("hive_partitioning => false reads the files without columns for their folders"))
}

/// The one format that all names tell.
fn format_of(location: &Location, listed: &[Listed]) -> Result<FileFormat, QueryError> {
    let unknown = |file: &Listed| {
        let message = format!("the name of '{}' tells no format", location.file(&file.key));
        QueryError::new(ErrorCode::NotSupported, message).hint(
            "names end in .parquet, .csv, .tsv, .json, .jsonl or .ndjson, text also in .gz, .bz2, .xz or .zst after it; read_parquet, read_csv and read_json read any name",
        )
    };
    let first = &listed[0];
    let format = named(&first.key).ok_or_else(|| unknown(first))?;
    for file in listed {
        let other = named(&file.key).ok_or_else(|| unknown(file))?;
        if other != format {
            return Err(error::two_formats(
                &location.file(&first.key),
                &location.file(&file.key),
            ));
        }
    }
    Ok(format)
}

/// What the ending of a key says of its format.
fn named(key: &str) -> Option<FileFormat> {
    let key = key.to_ascii_lowercase();
    let packed = Compression::KNOWN
        .iter()
        .find_map(|(_, ending)| key.strip_suffix(ending)?.strip_suffix('.'));
    let (_, ending) = packed.unwrap_or(&key).rsplit_once('.')?;
    match ending {
        "parquet" | "parq" | "pq" if packed.is_none() => Some(FileFormat::Parquet),
        "csv" => Some(FileFormat::Csv(CsvFormat::default())),
        "tsv" => Some(FileFormat::Csv(CsvFormat {
            delimiter: '\t',
            ..CsvFormat::default()
        })),
        "json" | "jsonl" | "ndjson" => Some(FileFormat::Json(JsonFormat::default())),
        _ => None,
    }
}

#[cfg(test)]
mod tests;

//! A planned scan over a task's splits becomes DataFusion's own scan of files.

use super::by_name::ByName;
use super::pinned;
use super::reader::{ScanMeter, SplitReaderFactory};
use super::sampled::SampledScanExec;
use super::text::TextScanExec;
use crate::node::split_scan::SplitScanExec;
use datafusion::arrow::datatypes::{FieldRef, Schema};
use datafusion::common::{Result, ScalarValue, TableReference, internal_datafusion_err, plan_err};
use datafusion::config::{ConfigOptions, TableParquetOptions};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, FileSource, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::limit::LocalLimitExec;
use mayfly_protocol::{FileFormat, FileRange, Split};
use std::sync::Arc;

/// Scheme of the one store that our registry knows. Text is read from it, Parquet past it.
pub const SPLITS_SCHEME: &str = "splits";

/// Text is spread over partitions in units of so many bytes.
const TEXT_UNIT_BYTES: usize = 1 << 20;

/// The scan of `splits`, spread over `partitions` in order.
pub fn bind_scan(
    scan: &SplitScanExec,
    splits: &[Split],
    partitions: usize,
    readers: SplitReaderFactory,
    meter: &Arc<ScanMeter>,
    config: &ConfigOptions,
) -> Result<Arc<dyn ExecutionPlan>> {
    let schema = table_schema(scan);
    let shares = spread(splits, partitions);
    if scan.format == FileFormat::Parquet {
        let readers = readers.with_columns(Arc::clone(schema.file_schema()));
        return match scan.sample {
            None => {
                let source = parquet(scan, schema, Arc::new(readers), config);
                data_source(scan, source, files(scan, shares)?)
            }
            Some(sample) => {
                // The row groups that are left out should not be fetched ahead.
                let readers = Arc::new(readers.with_reads_ahead(false));
                let source = parquet(scan, schema, Arc::clone(&readers), config);
                let sampled = SampledScanExec::new(scan, sample, source, readers, shares);
                Ok(limited(scan, Arc::new(sampled)))
            }
        };
    }
    let with_folders = |split: Split| partition_values(&split, scan).map(|folders| (split, folders));
    let shares = shares
        .into_iter()
        .map(|share| share.into_iter().map(with_folders).collect());
    let shares = shares.collect::<Result<Vec<_>>>()?;
    let whole: Arc<dyn ExecutionPlan> = Arc::new(TextScanExec::new(
        scan,
        shares,
        config.execution.batch_size.get(),
        meter,
    ));
    Ok(limited(scan, whole))
}

fn limited(scan: &SplitScanExec, whole: Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan> {
    match scan.limit {
        Some(limit) => Arc::new(LocalLimitExec::new(whole, limit)),
        None => whole,
    }
}

fn files(scan: &SplitScanExec, shares: Vec<Vec<Split>>) -> Result<Vec<Vec<PartitionedFile>>> {
    let files = |splits: Vec<Split>| splits.into_iter().map(|split| file(split, scan)).collect();
    shares.into_iter().map(files).collect()
}

/// DataFusion's scan of the files of each partition.
pub(super) fn data_source(
    scan: &SplitScanExec,
    source: Arc<dyn FileSource>,
    files: Vec<Vec<PartitionedFile>>,
) -> Result<Arc<dyn ExecutionPlan>> {
    let groups = files.into_iter().map(FileGroup::new).collect();
    let config = FileScanConfigBuilder::new(store_url()?, source)
        .with_projection_indices(Some(scan.projection.clone()))?
        .with_limit(scan.limit)
        .with_expr_adapter(Some(Arc::new(ByName)))
        .with_file_groups(groups)
        .build();
    let bound: Arc<dyn ExecutionPlan> = DataSourceExec::from_data_source(config);
    if bound.schema() != scan.schema() {
        return Err(internal_datafusion_err!(
            "the scan of {} yields other columns than planned",
            scan.table
        ));
    }
    Ok(bound)
}

/// The store of a task's splits.
pub fn store_url() -> Result<ObjectStoreUrl> {
    ObjectStoreUrl::parse(format!("{SPLITS_SCHEME}://task"))
}

fn table_schema(scan: &SplitScanExec) -> TableSchema {
    let fields = scan.table_schema.fields();
    let (held, folders) = fields.split_at(fields.len() - scan.partition_columns);
    let held = Arc::new(Schema::new(held.to_vec()));
    TableSchema::builder(held)
        .with_table_partition_cols(folders.to_vec())
        .build()
}

fn parquet(
    scan: &SplitScanExec,
    schema: TableSchema,
    readers: Arc<SplitReaderFactory>,
    config: &ConfigOptions,
) -> Arc<dyn FileSource> {
    let mut options = TableParquetOptions {
        global: config.execution.parquet.clone(),
        ..TableParquetOptions::default()
    };
    options.global.pushdown_filters |= scan.late;
    // Nanoseconds end in 2262, and beyond that they wrap.
    options.global.coerce_int96 = Some("us".to_owned());
    let source = ParquetSource::new(schema)
        .with_table_parquet_options(options)
        .with_parquet_file_reader_factory(readers);
    Arc::new(match &scan.predicate {
        Some(predicate) => source.with_predicate(Arc::clone(predicate)),
        None => source,
    })
}

pub(super) fn file(split: Split, scan: &SplitScanExec) -> Result<PartitionedFile> {
    let mut file = PartitionedFile::new(pinned::path(&split).to_string(), split.size_bytes);
    if let FileRange::Bytes { start, end } = split.range {
        file = file.with_range(start as i64, end as i64);
    }
    file.object_meta.location = pinned::path(&split);
    file.partition_values = partition_values(&split, scan)?;
    file.table_reference = Some(TableReference::bare(scan.table.as_ref()));
    Ok(file.with_extension(split))
}

fn partition_values(split: &Split, scan: &SplitScanExec) -> Result<Vec<ScalarValue>> {
    let fields = scan.table_schema.fields();
    let folders = &fields[fields.len() - scan.partition_columns..];
    if split.partition_values.len() != folders.len() {
        return plan_err!("a split of {} lacks values of its folders", scan.table);
    }
    let value = |(text, field): (&Option<String>, &FieldRef)| match text {
        Some(text) => ScalarValue::try_from_string(text.clone(), field.data_type()),
        None => ScalarValue::try_from(field.data_type()),
    };
    split.partition_values.iter().zip(folders).map(value).collect()
}

/// Contiguous shares of nearly equal weight, one per partition. Splits are cut between row groups where that evens them out, so that
/// a task of one large split keeps all its vCPUs busy.
fn spread(splits: &[Split], partitions: usize) -> Vec<Vec<Split>> {
    let units: Vec<Split> = match partitions {
        1 => splits.to_vec(),
        _ => splits.iter().flat_map(units).collect(),
    };
    let total: u64 = units.iter().map(weight).sum();
    let mut shares = vec![Vec::new(); partitions];
    let mut before = 0;
    for unit in units {
        // The middle of the unit decides, in units of 1/partitions of the whole.
        let middle = u128::from(before) * 2 + u128::from(weight(&unit));
        let share = (middle * partitions as u128 / (u128::from(total) * 2)) as usize;
        before += weight(&unit);
        push(&mut shares[share.min(partitions - 1)], unit);
    }
    shares
}

/// At least 1, so that shares are defined whatever the planner knew.
fn weight(split: &Split) -> u64 {
    split.scan_bytes.max(split.rows).max(1)
}

/// The split by single row groups, or by ranges of text, each with an equal part of its bytes and rows.
fn units(split: &Split) -> Vec<Split> {
    let ranges: Vec<FileRange> = match split.range {
        FileRange::All => vec![FileRange::All],
        FileRange::RowGroups { start, end } => {
            let group = |start| FileRange::RowGroups { start, end: start + 1 };
            (start..end).map(group).collect()
        }
        FileRange::Bytes { start, end } => {
            let starts = (start..end).step_by(TEXT_UNIT_BYTES);
            let unit = |from: u64| FileRange::Bytes {
                start: from,
                end: end.min(from + TEXT_UNIT_BYTES as u64),
            };
            starts.map(unit).collect()
        }
    };
    let count = ranges.len().max(1) as u64;
    let unit = |range| Split {
        range,
        scan_bytes: split.scan_bytes / count,
        rows: split.rows / count,
        ..split.clone()
    };
    ranges.into_iter().map(unit).collect()
}

/// Appends, joining a unit to its predecessor in the same file.
fn push(share: &mut Vec<Split>, unit: Split) {
    if let Some(last) = share.last_mut() {
        let same = (&last.bucket, &last.key, &last.etag) == (&unit.bucket, &unit.key, &unit.etag);
        if same && extend(&mut last.range, &unit.range) {
            last.scan_bytes += unit.scan_bytes;
            last.rows += unit.rows;
            return;
        }
    }
    share.push(unit);
}

/// Whether the second range begins where the first ends, which then covers both.
fn extend(first: &mut FileRange, second: &FileRange) -> bool {
    match (first, second) {
        (FileRange::RowGroups { end, .. }, FileRange::RowGroups { start, end: last }) if end == start => *end = *last,
        (FileRange::Bytes { end, .. }, FileRange::Bytes { start, end: last }) if end == start => *end = *last,
        _ => return false,
    }
    true
}

#[cfg(test)]
mod tests;

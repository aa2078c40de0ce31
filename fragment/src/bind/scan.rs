//! A planned scan over a task's splits becomes DataFusion's own Parquet scan.

use super::reader::SplitReaderFactory;
use crate::node::split_scan::SplitScanExec;
use datafusion::common::{Result, TableReference, internal_datafusion_err};
use datafusion::config::{ConfigOptions, TableParquetOptions};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::physical_plan::ExecutionPlan;
use mayfly_protocol::{RowGroups, Split};
use std::sync::Arc;

/// Scheme of the one store that our registry knows; nothing is ever read from it.
pub const SPLITS_SCHEME: &str = "splits";

/// The scan of `splits`, spread over `partitions` in order.
pub fn bind_scan(
    scan: &SplitScanExec,
    splits: &[Split],
    partitions: usize,
    readers: Arc<SplitReaderFactory>,
    config: &ConfigOptions,
) -> Result<Arc<dyn ExecutionPlan>> {
    let options = TableParquetOptions {
        global: config.execution.parquet.clone(),
        ..TableParquetOptions::default()
    };
    let mut source = ParquetSource::new(Arc::clone(&scan.table_schema))
        .with_table_parquet_options(options)
        .with_parquet_file_reader_factory(readers);
    if let Some(predicate) = &scan.predicate {
        source = source.with_predicate(Arc::clone(predicate));
    }
    let groups = spread(splits, partitions).into_iter().map(|splits| {
        let files = splits.into_iter().map(|split| file(split, &scan.table));
        FileGroup::new(files.collect())
    });
    let store = ObjectStoreUrl::parse(format!("{SPLITS_SCHEME}://task"))?;
    let config = FileScanConfigBuilder::new(store, Arc::new(source))
        .with_projection_indices(Some(scan.projection.clone()))?
        .with_limit(scan.limit)
        .with_file_groups(groups.collect())
        .build();
    let bound = DataSourceExec::from_data_source(config);
    if bound.schema() != scan.schema() {
        return Err(internal_datafusion_err!(
            "the scan of {} yields other columns than planned",
            scan.table
        ));
    }
    Ok(bound)
}

fn file(split: Split, table: &str) -> PartitionedFile {
    let mut file = PartitionedFile::new(split.key.clone(), split.size_bytes).with_extension(split);
    file.table_reference = Some(TableReference::bare(table));
    file
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

/// The split by single row groups, each with an equal part of its bytes and rows.
fn units(split: &Split) -> Vec<Split> {
    let RowGroups::Range { start, end } = split.row_groups else {
        return vec![split.clone()];
    };
    let count = u64::from(end.saturating_sub(start).max(1));
    let unit = |row_group: u32| Split {
        row_groups: RowGroups::Range {
            start: row_group,
            end: row_group + 1,
        },
        scan_bytes: split.scan_bytes / count,
        rows: split.rows / count,
        ..split.clone()
    };
    (start..end).map(unit).collect()
}

/// Appends, joining a row group to its predecessor in the same file.
fn push(share: &mut Vec<Split>, unit: Split) {
    if let (Some(last), RowGroups::Range { start, end }) = (share.last_mut(), &unit.row_groups) {
        let same = (&last.bucket, &last.key, &last.etag) == (&unit.bucket, &unit.key, &unit.etag);
        if let RowGroups::Range { end: last_end, .. } = &mut last.row_groups
            && same
            && last_end == start
        {
            *last_end = *end;
            last.scan_bytes += unit.scan_bytes;
            last.rows += unit.rows;
            return;
        }
    }
    share.push(unit);
}

#[cfg(test)]
mod tests;

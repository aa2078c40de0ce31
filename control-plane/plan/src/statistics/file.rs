//! What one Parquet file's footer tells of the table's columns. A figure is exact only where every row group gives its part of it: what
//! is missing is not zero, and not the same as elsewhere. What may not be believed at all is gone already (see `files`).

use arrow::array::{Array, ArrayRef, BooleanArray, UInt64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, SchemaRef};
use datafusion::common::stats::Precision;
use datafusion::common::{ColumnStatistics, Result, ScalarValue, Statistics};
use datafusion::functions_aggregate::min_max::{MaxAccumulator, MinAccumulator};
use datafusion::logical_expr::Accumulator;
use mayfly_catalog::Footer;
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use parquet::file::metadata::RowGroupMetaData;

/// The file's statistics, over the table's columns.
pub(super) fn of(footer: &Footer, columns: &SchemaRef) -> Statistics {
    let rows = usize::try_from(footer.rows).unwrap_or(usize::MAX);
    let fields = columns.fields().iter().zip(footer.places(columns.fields()));
    let column = |(field, place): (&std::sync::Arc<Field>, Option<usize>)| match place {
        Some(place) => of_column(footer, field, place, rows).unwrap_or_default(),
        None => ColumnStatistics {
            null_count: Precision::Exact(rows),
            ..ColumnStatistics::default()
        },
    };
    let mut statistics = Statistics {
        num_rows: Precision::Exact(rows),
        total_byte_size: Precision::Absent,
        column_statistics: fields.map(column).collect(),
    };
    statistics.calculate_total_byte_size(columns);
    statistics
}

fn of_column(footer: &Footer, field: &Field, place: usize, rows: usize) -> Result<ColumnStatistics> {
    let (held, groups) = (footer.schema.field(place), footer.metadata.row_groups());
    let byte_size = size(footer, field.data_type(), place, rows);
    let descriptor = footer.metadata.file_metadata().schema_descr();
    let converter =
        StatisticsConverter::try_new(held.name(), &footer.schema, descriptor)?.with_missing_null_counts_as_zero(false);
    let Some(leaf) = converter.parquet_column_index() else {
        return Ok(ColumnStatistics {
            byte_size,
            ..ColumnStatistics::default()
        });
    };
    let nulls = nulls(&converter, groups, leaf)?;
    let bound = |values: ArrayRef, exact: BooleanArray| -> Result<Bound> {
        // A wider type keeps every value; a time of another unit may not.
        let is_kept = !matches!(field.data_type(), DataType::Timestamp(..)) || held.data_type() == field.data_type();
        Ok(Bound {
            values: cast(&values, field.data_type())?,
            exact: exact.iter().map(|exact| exact == Some(true) && is_kept).collect(),
            complete: is_complete(&values, &nulls, groups),
        })
    };
    let least = bound(
        converter.row_group_mins(groups)?,
        converter.row_group_is_min_value_exact(groups)?,
    )?;
    let greatest = bound(
        converter.row_group_maxes(groups)?,
        converter.row_group_is_max_value_exact(groups)?,
    )?;
    let is_float = matches!(
        held.data_type(),
        DataType::Float16 | DataType::Float32 | DataType::Float64
    );
    let min = least.reduced(MinAccumulator::try_new(field.data_type())?)?;
    Ok(ColumnStatistics {
        null_count: counted(&nulls),
        // A least value of -0.0 stands for 0.0, too.
        min_value: if is_float { min.to_inexact() } else { min },
        max_value: greatest.reduced(MaxAccumulator::try_new(field.data_type())?)?,
        distinct_count: distinct(groups, leaf),
        byte_size,
        ..ColumnStatistics::default()
    })
}

/// The bound of each row group.
struct Bound {
    values: ArrayRef,
    exact: BooleanArray,
    /// Whether each row group with values has one.
    complete: bool,
}

impl Bound {
    /// The bound of all. Exact if a row group has exactly it, since no other goes beyond.
    fn reduced(&self, mut accumulator: impl Accumulator) -> Result<Precision<ScalarValue>> {
        accumulator.update_batch(std::slice::from_ref(&self.values))?;
        let bound = accumulator.evaluate()?;
        if bound.is_null() {
            return Ok(Precision::Absent);
        }
        let is_it = |at: usize| {
            self.exact.value(at) && ScalarValue::try_from_array(&self.values, at).is_ok_and(|value| value == bound)
        };
        let is_exact = self.complete && (0..self.values.len()).any(is_it);
        Ok(match is_exact {
            true => Precision::Exact(bound),
            false => Precision::Inexact(bound),
        })
    }
}

/// NULLs of each row group; of a column that can hold none, none.
fn nulls(converter: &StatisticsConverter<'_>, groups: &[RowGroupMetaData], leaf: usize) -> Result<UInt64Array> {
    let counts = converter.row_group_null_counts(groups)?;
    let of_group = |(group, count): (&RowGroupMetaData, Option<u64>)| {
        let is_required = group.column(leaf).column_descr().max_def_level() == 0;
        count.or(is_required.then_some(0))
    };
    Ok(groups.iter().zip(counts.iter()).map(of_group).collect())
}

fn counted(nulls: &UInt64Array) -> Precision<usize> {
    let count = usize::try_from(nulls.iter().flatten().sum::<u64>()).unwrap_or(usize::MAX);
    match nulls.null_count() {
        0 => Precision::Exact(count),
        unknown if unknown == nulls.len() => Precision::Absent,
        _ => Precision::Inexact(count),
    }
}

fn is_complete(values: &ArrayRef, nulls: &UInt64Array, groups: &[RowGroupMetaData]) -> bool {
    groups.iter().enumerate().all(|(at, group)| {
        let rows = u64::try_from(group.num_rows()).unwrap_or(0);
        let is_empty = nulls.is_valid(at) && nulls.value(at) == rows;
        values.is_valid(at) || is_empty
    })
}

/// Only some writers count them. The row group with the most speaks for all.
fn distinct(groups: &[RowGroupMetaData], leaf: usize) -> Precision<usize> {
    let counts = groups
        .iter()
        .map(|group| group.column(leaf).statistics()?.distinct_count_opt());
    let most: Option<u64> = counts
        .collect::<Option<Vec<_>>>()
        .and_then(|counts| counts.into_iter().max());
    most.map_or(Precision::Absent, |most| {
        Precision::Inexact(usize::try_from(most).unwrap_or(usize::MAX))
    })
}

/// Bytes in memory: of numbers known, of others about those that are encoded.
fn size(footer: &Footer, data_type: &DataType, place: usize, rows: usize) -> Precision<usize> {
    if let Some(width) = data_type.primitive_width() {
        return Precision::Exact(width.saturating_mul(rows));
    }
    let schema = footer.metadata.file_metadata().schema_descr();
    let leaves = (0..schema.num_columns()).filter(|leaf| schema.get_column_root_idx(*leaf) == place);
    let groups = footer.metadata.row_groups();
    let bytes = leaves.flat_map(|leaf| groups.iter().map(move |group| group.column(leaf).uncompressed_size()));
    Precision::Inexact(usize::try_from(bytes.sum::<i64>()).unwrap_or(0))
}

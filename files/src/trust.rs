//! A footer without what nobody may rely on. Writers leave statistics out, order texts by signed bytes, pass over NaN, and miscount; and
//! whoever prunes by a footer takes what stands there for the truth. So what may be wrong is taken out, once, where footers are read:
//!
//! | in the footer | is believed |
//! |---|---|
//! | no count of NULLs, in a column that may hold some | nothing of the chunk |
//! | the old `min` and `max`, or no order of columns | of signed integers only: of all else, the order was not said |
//! | bounds of floats | the least but not the greatest: NaN is above all, and is not counted |
//! | bounds of INT96 | never: how they were compared is not known |
//! | rows of the file | the sum of its row groups |
//! | a dictionary page at offset 0 | there is none: the file begins with its magic |
//!
//! Page indexes of a column whose chunk is not believed are left out with it.

use parquet::basic::{ColumnOrder, LogicalType, Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::{
    ColumnChunkMetaData, FileMetaData, ParquetColumnIndex, ParquetMetaData, ParquetMetaDataBuilder, RowGroupMetaData,
};
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use parquet::file::statistics::{Statistics, ValueStatistics};

/// Bytes of the magic at the start of a file: no page begins within.
const MAGIC_BYTES: i64 = 4;

/// How much of a chunk's statistics is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Belief {
    All,
    /// The count of NULLs and the least value.
    Least,
    /// The count of NULLs.
    Nulls,
    Nothing,
}

/// The footer, with what is believed.
pub fn trusted(metadata: ParquetMetaData) -> Result<ParquetMetaData, ParquetError> {
    let file = counted(&metadata);
    let orders: Vec<ColumnOrder> = (0..file.schema_descr().num_columns())
        .map(|column| file.column_order(column))
        .collect();
    let mut builder = metadata.into_builder();
    let mut index = builder.take_column_index();
    let offsets = builder.take_offset_index();
    let mut row_groups = builder.take_row_groups();
    for (at, group) in row_groups.iter_mut().enumerate() {
        let mut pages = index.as_mut().and_then(|index| index.get_mut(at));
        for (column, chunk) in group.columns_mut().iter_mut().enumerate() {
            let belief = belief(chunk, orders[column]);
            if belief != Belief::All {
                *chunk = doubted(chunk.clone(), belief)?;
                if let Some(pages) = pages.as_mut().and_then(|pages| pages.get_mut(column)) {
                    *pages = ColumnIndexMetaData::NONE;
                }
            }
            if let Some(placed) = placed(chunk) {
                *chunk = placed?;
            }
        }
    }
    Ok(rebuilt(file, row_groups, index).set_offset_index(offsets).build())
}

fn rebuilt(
    file: FileMetaData,
    row_groups: Vec<RowGroupMetaData>,
    index: Option<ParquetColumnIndex>,
) -> ParquetMetaDataBuilder {
    ParquetMetaDataBuilder::new(file)
        .set_row_groups(row_groups)
        .set_column_index(index)
}

/// What the footer says of the file, its rows counted anew: readers stop where these say that there are none.
fn counted(metadata: &ParquetMetaData) -> FileMetaData {
    let file = metadata.file_metadata();
    let rows: i64 = metadata.row_groups().iter().map(RowGroupMetaData::num_rows).sum();
    match file.num_rows() == rows {
        true => file.clone(),
        false => FileMetaData::new(
            file.version(),
            rows,
            file.created_by().map(str::to_owned),
            file.key_value_metadata().cloned(),
            file.schema_descr_ptr(),
            file.column_orders().cloned(),
        ),
    }
}

fn belief(chunk: &ColumnChunkMetaData, order: ColumnOrder) -> Belief {
    let Some(statistics) = chunk.statistics() else {
        // Pages may have an index all the same.
        return if is_ordered(chunk, order) {
            Belief::All
        } else {
            Belief::Nothing
        };
    };
    let may_be_null = chunk.column_descr().max_def_level() > 0;
    let nulls = statistics.null_count_opt();
    let known = nulls.is_some_and(|nulls| i64::try_from(nulls).is_ok_and(|nulls| nulls <= chunk.num_values()));
    if may_be_null && !known {
        return Belief::Nothing;
    }
    if statistics.is_min_max_deprecated() && !is_legacy(chunk) || !is_ordered(chunk, order) {
        return Belief::Nulls;
    }
    match (chunk.column_type(), chunk.column_descr().logical_type_ref()) {
        (Type::FLOAT | Type::DOUBLE, _) => Belief::Least,
        (Type::INT96, _) | (_, Some(LogicalType::Float16)) => Belief::Nulls,
        _ => Belief::All,
    }
}

/// Whether the bounds of the column are in an order that the file says, or that was the same before files said one.
fn is_ordered(chunk: &ColumnChunkMetaData, order: ColumnOrder) -> bool {
    match order {
        ColumnOrder::TYPE_DEFINED_ORDER(_) => true,
        ColumnOrder::UNDEFINED => is_legacy(chunk),
        ColumnOrder::UNKNOWN => false,
    }
}

/// Whether old writers compared such values as they are compared today.
fn is_legacy(chunk: &ColumnChunkMetaData) -> bool {
    let is_number = matches!(
        chunk.column_type(),
        Type::INT32 | Type::INT64 | Type::FLOAT | Type::DOUBLE
    );
    is_number && chunk.column_descr().sort_order().is_signed()
}

fn doubted(chunk: ColumnChunkMetaData, belief: Belief) -> Result<ColumnChunkMetaData, ParquetError> {
    let statistics = chunk.statistics().and_then(|statistics| match belief {
        Belief::All | Belief::Nothing => None,
        Belief::Least => Some(least(statistics)),
        Belief::Nulls => Some(counts(statistics)),
    });
    let builder = chunk
        .into_builder()
        .clear_statistics()
        .set_column_index_offset(None)
        .set_column_index_length(None)
        // A filter that holds 0.0 denies -0.0.
        .set_bloom_filter_offset(None)
        .set_bloom_filter_length(None);
    match statistics {
        Some(statistics) => builder.set_statistics(statistics).build(),
        None => builder.build(),
    }
}

/// Bounds of floats without the greatest. A least value of 0.0 stands for both zeros.
fn least(statistics: &Statistics) -> Statistics {
    let (distinct, nulls) = (statistics.distinct_count_opt(), statistics.null_count_opt());
    match statistics {
        Statistics::Float(values) => {
            let min = values.min_opt().filter(|min| !min.is_nan());
            let min = min.map(|min| if *min == 0.0 { -0.0 } else { *min });
            ValueStatistics::new(min, None, distinct, nulls, false).into()
        }
        Statistics::Double(values) => {
            let min = values.min_opt().filter(|min| !min.is_nan());
            let min = min.map(|min| if *min == 0.0 { -0.0 } else { *min });
            ValueStatistics::new(min, None, distinct, nulls, false).into()
        }
        other => counts(other),
    }
}

/// Statistics without bounds.
fn counts(statistics: &Statistics) -> Statistics {
    let (distinct, nulls) = (statistics.distinct_count_opt(), statistics.null_count_opt());
    match statistics.physical_type() {
        Type::BOOLEAN => Statistics::boolean(None, None, distinct, nulls, false),
        Type::INT32 => Statistics::int32(None, None, distinct, nulls, false),
        Type::INT64 => Statistics::int64(None, None, distinct, nulls, false),
        Type::INT96 => Statistics::int96(None, None, distinct, nulls, false),
        Type::FLOAT => Statistics::float(None, None, distinct, nulls, false),
        Type::DOUBLE => Statistics::double(None, None, distinct, nulls, false),
        Type::BYTE_ARRAY => Statistics::byte_array(None, None, distinct, nulls, false),
        Type::FIXED_LEN_BYTE_ARRAY => Statistics::fixed_len_byte_array(None, None, distinct, nulls, false),
    }
}

/// The chunk without a dictionary page that would lie where the magic does.
fn placed(chunk: &ColumnChunkMetaData) -> Option<Result<ColumnChunkMetaData, ParquetError>> {
    let is_lost = chunk.dictionary_page_offset().is_some_and(|at| at < MAGIC_BYTES);
    is_lost.then(|| chunk.clone().into_builder().set_dictionary_page_offset(None).build())
}

#[cfg(test)]
mod tests;

//! Footers as old and careless writers leave them.

use super::*;
use parquet::basic::SortOrder;
use parquet::data_type::ByteArray;
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::SchemaDescriptor;
use std::sync::Arc;

const SCHEMA: &str = "message m {
    OPTIONAL INT64 k; REQUIRED INT64 r; OPTIONAL BYTE_ARRAY s (UTF8); OPTIONAL DOUBLE d; OPTIONAL INT32 u (UINT_32); OPTIONAL INT96 t;
}";

/// A file of one row group of six rows, whose chunk of that column has these statistics.
fn file(column: usize, statistics: Option<Statistics>, has_orders: bool) -> ParquetMetaData {
    let schema = parse_message_type(SCHEMA).expect("a schema");
    let schema = Arc::new(SchemaDescriptor::new(Arc::new(schema)));
    let chunks = (0..schema.num_columns()).map(|at| {
        let chunk = ColumnChunkMetaData::builder(schema.column(at))
            .set_num_values(6)
            .set_data_page_offset(4)
            .set_total_compressed_size(10)
            .set_column_index_offset(Some(100))
            .set_column_index_length(Some(10));
        let chunk = match &statistics {
            Some(statistics) if at == column => chunk.set_statistics(statistics.clone()),
            _ => chunk,
        };
        chunk.build().expect("a chunk")
    });
    let group = RowGroupMetaData::builder(Arc::clone(&schema))
        .set_num_rows(6)
        .set_column_metadata(chunks.collect())
        .build()
        .expect("a row group");
    let orders = has_orders.then(|| vec![ColumnOrder::TYPE_DEFINED_ORDER(SortOrder::SIGNED); schema.num_columns()]);
    let file = FileMetaData::new(1, 0, None, None, schema, orders);
    ParquetMetaData::new(file, vec![group])
}

fn believed(column: usize, statistics: Statistics, has_orders: bool) -> Option<Statistics> {
    let trusted = trusted(file(column, Some(statistics), has_orders)).expect("it can be read");
    trusted.row_group(0).column(column).statistics().cloned()
}

fn text(nulls: Option<u64>, is_old: bool) -> Statistics {
    Statistics::byte_array(
        Some(ByteArray::from("a")),
        Some(ByteArray::from("é")),
        None,
        nulls,
        is_old,
    )
}

#[test]
fn rows_are_those_of_the_row_groups() {
    let trusted = trusted(file(0, None, true)).expect("it can be read");
    assert_eq!(trusted.file_metadata().num_rows(), 6);
}

#[test]
fn a_count_that_is_missing_is_not_zero() {
    let without = Statistics::int64(Some(1), Some(9), None, None, false);
    assert_eq!(believed(0, without.clone(), true), None);
    assert_eq!(
        believed(1, without.clone(), true),
        Some(without),
        "a required column holds none"
    );
    let impossible = Statistics::int64(Some(1), Some(9), None, Some(7), false);
    assert_eq!(believed(0, impossible, true), None);
    let with = Statistics::int64(Some(1), Some(9), None, Some(1), false);
    assert_eq!(believed(0, with.clone(), true), Some(with));
}

#[test]
fn bounds_count_in_an_order_that_was_said() {
    let nulls_only = Some(Statistics::byte_array(None, None, None, Some(0), false));
    assert_eq!(believed(2, text(Some(0), true), true), nulls_only);
    assert_eq!(believed(2, text(Some(0), false), false), nulls_only);
    assert_eq!(believed(2, text(Some(0), false), true), Some(text(Some(0), false)));
    let number = |is_old| Statistics::int64(Some(-1), Some(1), None, Some(0), is_old);
    assert_eq!(believed(0, number(true), false), Some(number(true)));
    let unsigned = Statistics::int32(Some(-1), Some(1), None, Some(0), true);
    assert_eq!(
        believed(4, unsigned, false),
        Some(Statistics::int32(None, None, None, Some(0), false))
    );
    let stamp = Statistics::int96(Some(parquet::data_type::Int96::new()), None, None, Some(0), false);
    assert_eq!(
        believed(5, stamp, true),
        Some(Statistics::int96(None, None, None, Some(0), false))
    );
}

#[test]
fn floats_have_a_least_value_alone() {
    let floats = |min, max| Statistics::double(min, max, None, Some(0), false);
    assert_eq!(
        believed(3, floats(Some(3.0), Some(3.0)), true),
        Some(floats(Some(3.0), None))
    );
    let Some(Statistics::Double(zero)) = believed(3, floats(Some(0.0), Some(1.0)), true) else {
        panic!("statistics of doubles")
    };
    assert!(zero.min_opt().is_some_and(|min| min.is_sign_negative()));
}

#[test]
fn page_indexes_go_with_what_is_not_believed() {
    let trusted = trusted(file(
        3,
        Some(Statistics::double(Some(1.0), None, None, Some(0), false)),
        true,
    ));
    let trusted = trusted.expect("it can be read");
    let group = trusted.row_group(0);
    assert_eq!(group.column(3).column_index_offset(), None);
    assert_eq!(group.column(0).column_index_offset(), Some(100));
}

#[test]
fn pages_lie_behind_the_magic() {
    let mut file = file(0, None, true);
    let chunk = file.row_group(0).column(0).clone().into_builder();
    let chunk = chunk.set_dictionary_page_offset(Some(0)).build().expect("a chunk");
    let mut builder = file.into_builder();
    let mut groups = builder.take_row_groups();
    groups[0].columns_mut()[0] = chunk;
    file = builder.set_row_groups(groups).build();
    let trusted = trusted(file).expect("it can be read");
    assert_eq!(trusted.row_group(0).column(0).byte_range(), (4, 10));
}

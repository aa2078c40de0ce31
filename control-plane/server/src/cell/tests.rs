//! Golden JSON of each Arrow type: its Trino type, its signature and its cells, with full precision and with milliseconds.

mod exotic;
mod nested;
mod scalar;
mod temporal;

use super::RowWriter;
use crate::engine::Columns;
use crate::types::{Precision, columns};
use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Field, Schema};
use expect_test::Expect;
use std::sync::Arc;

/// A batch of one column.
fn batch(field: Field, array: ArrayRef) -> (Columns, RecordBatch) {
    let schema = Arc::new(Schema::new(vec![field]));
    let options = RecordBatchOptions::new().with_row_count(Some(array.len()));
    let batch = RecordBatch::try_new_with_options(schema.clone(), vec![array], &options).unwrap();
    (Columns::of(schema), batch)
}

fn show(field: Field, array: ArrayRef, precision: Precision) -> String {
    let (shown, batch) = batch(field, array);
    let describe = || {
        let column = &columns(&shown, precision)?[0];
        let writer = RowWriter::new(&shown, &batch, precision)?;
        let signature = serde_json::to_string(&column.signature).unwrap();
        let mut lines = vec![format!("{} {signature}", column.text)];
        for row in 0..writer.rows() {
            let mut out = Vec::new();
            writer.write(row, &mut out);
            let text = String::from_utf8(out).unwrap();
            let parsed: Result<serde_json::Value, _> = serde_json::from_str(&text);
            assert!(parsed.is_ok(), "not JSON: {text}");
            lines.push(text);
        }
        Ok(lines.join("\n"))
    };
    describe().unwrap_or_else(|error: mayfly_protocol::QueryError| format!("{}: {error}", error.code))
}

fn check_field(field: Field, array: ArrayRef, expected: Expect) {
    expected.assert_eq(&show(field, array, Precision::Exact));
}

fn check(array: ArrayRef, expected: Expect) {
    check_field(Field::new("c", array.data_type().clone(), true), array, expected);
}

/// What a client without PARAMETRIC_DATETIME sees.
fn check_millis(array: ArrayRef, expected: Expect) {
    let field = Field::new("c", array.data_type().clone(), true);
    expected.assert_eq(&show(field, array, Precision::Millis));
}

/// A map of one entry with these keys.
fn show_map(keys: ArrayRef) -> String {
    use arrow::array::{Array, Int32Array, MapArray, StructArray};
    use arrow::buffer::OffsetBuffer;
    use arrow::datatypes::{DataType, Fields};
    let fields = Fields::from(vec![
        Field::new("keys", keys.data_type().clone(), false),
        Field::new("values", DataType::Int32, true),
    ]);
    let entries = StructArray::new(fields.clone(), vec![keys, Arc::new(Int32Array::from(vec![7]))], None);
    let field = Arc::new(Field::new("entries", DataType::Struct(fields), false));
    let map = MapArray::new(field, OffsetBuffer::from_lengths([1]), entries, None, false);
    show(
        Field::new("c", map.data_type().clone(), true),
        Arc::new(map),
        Precision::Exact,
    )
}

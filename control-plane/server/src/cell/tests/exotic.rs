//! Encoded columns, batches that lie otherwise in memory than planned, and what is refused.

use super::{batch, check};
use crate::cell::RowWriter;
use crate::types::Precision;
use arrow::array::types::{Int8Type, Int32Type};
use arrow::array::*;
use arrow::buffer::ScalarBuffer;
use arrow::datatypes::*;
use expect_test::expect;
use std::sync::Arc;

#[test]
fn dictionaries_show_their_values() {
    let array: DictionaryArray<Int8Type> = vec![Some("a"), None, Some("b"), Some("a")].into_iter().collect();
    check(
        Arc::new(array.clone()),
        expect![[r#"
        varchar {"rawType":"varchar","arguments":[{"kind":"LONG","value":2147483647}]}
        ["a"]
        [null]
        ["b"]
        ["a"]"#]],
    );
    check(
        Arc::new(array.slice(2, 2)),
        expect![[r#"
        varchar {"rawType":"varchar","arguments":[{"kind":"LONG","value":2147483647}]}
        ["b"]
        ["a"]"#]],
    );
    let null_value = StringArray::from(vec![Some("x"), None]);
    let keys = Int8Array::from(vec![1, 0]);
    check(
        Arc::new(DictionaryArray::new(keys, Arc::new(null_value))),
        expect![[r#"
        varchar {"rawType":"varchar","arguments":[{"kind":"LONG","value":2147483647}]}
        [null]
        ["x"]"#]],
    );
    let no_values = Arc::new(Int64Array::from(vec![0; 0]));
    check(
        Arc::new(DictionaryArray::new(Int8Array::from(vec![None, None]), no_values)),
        expect![[r#"
            bigint {"rawType":"bigint","arguments":[]}
            [null]
            [null]"#]],
    );
}

#[test]
fn runs_show_their_values() {
    let ends = Int32Array::from(vec![2, 3, 5]);
    let values = StringArray::from(vec![Some("a"), None, Some("c")]);
    let array = RunArray::<Int32Type>::try_new(&ends, &values).unwrap();
    check(
        Arc::new(array.clone()),
        expect![[r#"
        varchar {"rawType":"varchar","arguments":[{"kind":"LONG","value":2147483647}]}
        ["a"]
        ["a"]
        [null]
        ["c"]
        ["c"]"#]],
    );
    check(
        Arc::new(array.slice(1, 3)),
        expect![[r#"
        varchar {"rawType":"varchar","arguments":[{"kind":"LONG","value":2147483647}]}
        ["a"]
        [null]
        ["c"]"#]],
    );
}

#[test]
fn unions_have_no_trino_type() {
    let fields = UnionFields::try_new(vec![0], vec![Field::new("a", DataType::Int32, true)]).unwrap();
    let ids = ScalarBuffer::from(vec![0_i8]);
    let values: Vec<ArrayRef> = vec![Arc::new(Int32Array::from(vec![1]))];
    let array = UnionArray::try_new(fields, ids, None, values).unwrap();
    check(
        Arc::new(array),
        expect![[r#"NOT_SUPPORTED: column 'c' of type Union(Sparse, 0: ("a": Int32)) has no Trino type"#]],
    );
}

fn lies_as(planned: DataType, came: ArrayRef) -> Result<String, String> {
    let (shown, _) = batch(Field::new("c", planned.clone(), true), new_empty_array(&planned));
    let (_, batch) = batch(Field::new("c", came.data_type().clone(), true), came);
    let writer = RowWriter::new(&shown, &batch, Precision::Exact).map_err(|error| error.to_string())?;
    let mut out = Vec::new();
    writer.write(0, &mut out);
    Ok(String::from_utf8(out).unwrap())
}

#[test]
fn the_same_type_in_another_layout_is_shown() {
    assert_eq!(
        lies_as(DataType::Utf8, Arc::new(StringViewArray::from(vec!["a"]))).unwrap(),
        r#"["a"]"#
    );
    let dictionary: DictionaryArray<Int8Type> = vec!["b"].into_iter().collect();
    assert_eq!(lies_as(DataType::Utf8View, Arc::new(dictionary)).unwrap(), r#"["b"]"#);
}

#[test]
fn another_type_than_planned_is_refused() {
    let error = lies_as(DataType::Int64, Arc::new(StringArray::from(vec!["1"]))).unwrap_err();
    assert_eq!(error, "column 'c' was planned as bigint and came as varchar");
}

//! Arrays, maps and rows, also sliced and inside each other.

use super::check;
use arrow::array::types::Int32Type;
use arrow::array::*;
use arrow::buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::*;
use expect_test::expect;
use std::sync::Arc;

fn lists() -> ListArray {
    let rows = vec![
        Some(vec![Some(1), None, Some(3)]),
        None,
        Some(vec![]),
        Some(vec![Some(4)]),
    ];
    ListArray::from_iter_primitive::<Int32Type, _, _>(rows)
}

#[test]
fn lists_of_every_layout() {
    check(
        Arc::new(lists()),
        expect![[r#"
        array(integer) {"rawType":"array","arguments":[{"kind":"TYPE","value":{"rawType":"integer","arguments":[]}}]}
        [[1,null,3]]
        [null]
        [[]]
        [[4]]"#]],
    );
    let rows = vec![Some(vec![Some(1)]), None];
    check(
        Arc::new(LargeListArray::from_iter_primitive::<Int32Type, _, _>(rows)),
        expect![[r#"
            array(integer) {"rawType":"array","arguments":[{"kind":"TYPE","value":{"rawType":"integer","arguments":[]}}]}
            [[1]]
            [null]"#]],
    );
    let rows = vec![Some(vec![Some(1), Some(2)]), None, Some(vec![None, Some(6)])];
    check(
        Arc::new(FixedSizeListArray::from_iter_primitive::<Int32Type, _, _>(rows, 2)),
        expect![[r#"
            array(integer) {"rawType":"array","arguments":[{"kind":"TYPE","value":{"rawType":"integer","arguments":[]}}]}
            [[1,2]]
            [null]
            [[null,6]]"#]],
    );
}

#[test]
fn list_views_may_overlap() {
    let item = Arc::new(Field::new("item", DataType::Int32, true));
    let values = Arc::new(Int32Array::from(vec![1, 2, 3]));
    let offsets = ScalarBuffer::from(vec![1, 0, 3]);
    let sizes = ScalarBuffer::from(vec![2, 3, 0]);
    check(
        Arc::new(ListViewArray::new(item.clone(), offsets, sizes, values.clone(), None)),
        expect![[r#"
            array(integer) {"rawType":"array","arguments":[{"kind":"TYPE","value":{"rawType":"integer","arguments":[]}}]}
            [[2,3]]
            [[1,2,3]]
            [[]]"#]],
    );
    let offsets = ScalarBuffer::from(vec![2_i64]);
    check(
        Arc::new(LargeListViewArray::new(
            item,
            offsets,
            ScalarBuffer::from(vec![1_i64]),
            values,
            None,
        )),
        expect![[r#"
            array(integer) {"rawType":"array","arguments":[{"kind":"TYPE","value":{"rawType":"integer","arguments":[]}}]}
            [[3]]"#]],
    );
}

#[test]
fn a_slice_shows_its_own_rows() {
    check(
        Arc::new(lists().slice(2, 2)),
        expect![[r#"
        array(integer) {"rawType":"array","arguments":[{"kind":"TYPE","value":{"rawType":"integer","arguments":[]}}]}
        [[]]
        [[4]]"#]],
    );
    check(
        Arc::new(StringArray::from(vec![Some("a"), None, Some("c")]).slice(1, 2)),
        expect![[r#"
            varchar {"rawType":"varchar","arguments":[{"kind":"LONG","value":2147483647}]}
            [null]
            ["c"]"#]],
    );
}

#[test]
fn maps_have_keys_of_text() {
    let mut builder = MapBuilder::new(None, Int64Builder::new(), StringBuilder::new());
    builder.keys().append_value(1);
    builder.values().append_value("one");
    builder.keys().append_value(-2);
    builder.values().append_null();
    builder.append(true).unwrap();
    builder.append(false).unwrap();
    builder.append(true).unwrap();
    check(
        Arc::new(builder.finish()),
        expect![[r#"
        map(bigint, varchar) {"rawType":"map","arguments":[{"kind":"TYPE","value":{"rawType":"bigint","arguments":[]}},{"kind":"TYPE","value":{"rawType":"varchar","arguments":[{"kind":"LONG","value":2147483647}]}}]}
        [{"1":"one","-2":null}]
        [null]
        [{}]"#]],
    );
}

#[test]
fn map_keys_that_are_no_strings_as_json() {
    let keys: Vec<ArrayRef> = vec![
        Arc::new(BooleanArray::from(vec![true])),
        Arc::new(Float64Array::from(vec![f64::NAN])),
        Arc::new(Date32Array::from(vec![0])),
        Arc::new(BinaryArray::from(vec![b"\x01".as_slice()])),
        Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(vec![Some(vec![
            Some(1),
            Some(2),
        ])])),
        Arc::new(StringArray::from(vec!["quote \""])),
    ];
    let shown: Vec<String> = keys.into_iter().map(super::show_map).collect();
    expect![[r#"
        map(boolean, integer) {"rawType":"map","arguments":[{"kind":"TYPE","value":{"rawType":"boolean","arguments":[]}},{"kind":"TYPE","value":{"rawType":"integer","arguments":[]}}]}
        [{"true":7}]
        map(double, integer) {"rawType":"map","arguments":[{"kind":"TYPE","value":{"rawType":"double","arguments":[]}},{"kind":"TYPE","value":{"rawType":"integer","arguments":[]}}]}
        [{"NaN":7}]
        map(date, integer) {"rawType":"map","arguments":[{"kind":"TYPE","value":{"rawType":"date","arguments":[]}},{"kind":"TYPE","value":{"rawType":"integer","arguments":[]}}]}
        [{"1970-01-01":7}]
        map(varbinary, integer) {"rawType":"map","arguments":[{"kind":"TYPE","value":{"rawType":"varbinary","arguments":[]}},{"kind":"TYPE","value":{"rawType":"integer","arguments":[]}}]}
        [{"AQ==":7}]
        map(array(integer), integer) {"rawType":"map","arguments":[{"kind":"TYPE","value":{"rawType":"array","arguments":[{"kind":"TYPE","value":{"rawType":"integer","arguments":[]}}]}},{"kind":"TYPE","value":{"rawType":"integer","arguments":[]}}]}
        [{"[1,2]":7}]
        map(varchar, integer) {"rawType":"map","arguments":[{"kind":"TYPE","value":{"rawType":"varchar","arguments":[{"kind":"LONG","value":2147483647}]}},{"kind":"TYPE","value":{"rawType":"integer","arguments":[]}}]}
        [{"quote \"":7}]"#]].assert_eq(&shown.join("\n"));
}

#[test]
fn rows_are_arrays_in_field_order() {
    let fields = Fields::from(vec![
        Field::new("x", DataType::Int64, true),
        Field::new("My \"y\"", DataType::Float64, true),
        Field::new("", DataType::Utf8, true),
    ]);
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from(vec![Some(1), None, Some(3)])),
        Arc::new(Float64Array::from(vec![1.0, 2.0, 3.0])),
        Arc::new(StringArray::from(vec!["a", "b", "c"])),
    ];
    let nulls = NullBuffer::from(vec![true, true, false]);
    check(
        Arc::new(StructArray::new(fields, columns, Some(nulls))),
        expect![[r#"
        row(x bigint, "My ""y""" double, varchar) {"rawType":"row","arguments":[{"kind":"NAMED_TYPE","value":{"fieldName":{"name":"x"},"typeSignature":{"rawType":"bigint","arguments":[]}}},{"kind":"NAMED_TYPE","value":{"fieldName":{"name":"My \"y\""},"typeSignature":{"rawType":"double","arguments":[]}}},{"kind":"NAMED_TYPE","value":{"typeSignature":{"rawType":"varchar","arguments":[{"kind":"LONG","value":2147483647}]}}}]}
        [[1,1.0,"a"]]
        [[null,2.0,"b"]]
        [null]"#]],
    );
    check(
        Arc::new(StructArray::new_empty_fields(1, None)),
        expect![[r#"
        row {"rawType":"row","arguments":[]}
        [[]]"#]],
    );
}

#[test]
fn lists_of_rows_of_lists() {
    let items = vec![Some(vec![Some(1)]), None, Some(vec![])];
    let inner = Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(items));
    let fields = Fields::from(vec![Field::new("a", inner.data_type().clone(), true)]);
    let rows = Arc::new(StructArray::new(fields, vec![inner], None));
    let item = Arc::new(Field::new("item", rows.data_type().clone(), true));
    let offsets = OffsetBuffer::new(ScalarBuffer::from(vec![0, 2, 3]));
    check(
        Arc::new(ListArray::new(item, offsets, rows, None)),
        expect![[r#"
        array(row(a array(integer))) {"rawType":"array","arguments":[{"kind":"TYPE","value":{"rawType":"row","arguments":[{"kind":"NAMED_TYPE","value":{"fieldName":{"name":"a"},"typeSignature":{"rawType":"array","arguments":[{"kind":"TYPE","value":{"rawType":"integer","arguments":[]}}]}}}]}}]}
        [[[[1]],[null]]]
        [[[[]]]]"#]],
    );
}

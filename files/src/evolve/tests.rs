//! Which files may be one table, and as what.

use super::*;

fn schema(columns: &[(&str, DataType)]) -> Schema {
    let field = |(name, data_type): &(&str, DataType)| Field::new(*name, data_type.clone(), true);
    Schema::new(columns.iter().map(field).collect::<Vec<_>>())
}

fn structure(columns: &[(&str, DataType)]) -> DataType {
    DataType::Struct(schema(columns).fields().clone())
}

fn list(element: DataType) -> DataType {
    DataType::List(Arc::new(Field::new("item", element, true)))
}

fn both(a: DataType, b: DataType) -> Option<DataType> {
    let union = union(&schema(&[("x", a)]), &schema(&[("x", b)])).ok()?;
    Some(union.field(0).data_type().clone())
}

#[test]
fn types_widen_where_no_value_is_lost() {
    use DataType::*;
    let time = |unit| Timestamp(unit, None);
    for (a, b, wider) in [
        (Int32, Int64, Some(Int64)),
        (Int8, UInt8, Some(Int16)),
        (UInt32, Int32, Some(Int64)),
        (UInt64, Int64, None),
        (Float32, Float64, Some(Float64)),
        (Int32, Float64, Some(Float64)),
        (Int64, Float64, None),
        (Int32, Float32, Some(Float64)),
        (Decimal128(10, 2), Decimal128(12, 4), Some(Decimal128(12, 4))),
        (Decimal128(38, 0), Decimal128(38, 2), None),
        (Int64, Decimal128(5, 2), Some(Decimal128(21, 2))),
        (Date32, time(TimeUnit::Millisecond), Some(time(TimeUnit::Millisecond))),
        (
            time(TimeUnit::Millisecond),
            time(TimeUnit::Microsecond),
            Some(time(TimeUnit::Microsecond)),
        ),
        (
            time(TimeUnit::Second),
            Timestamp(TimeUnit::Second, Some("UTC".into())),
            None,
        ),
        (Null, Utf8, Some(Utf8)),
        (Binary, Utf8, Some(Utf8)),
        (Int32, Utf8, None),
        (list(Int32), list(Int64), Some(list(Int64))),
        (list(Int32), list(Null), Some(list(Int32))),
        (Boolean, Int32, None),
    ] {
        assert_eq!(both(a.clone(), b.clone()), wider, "{a} and {b}");
        assert_eq!(both(b.clone(), a.clone()), wider, "{b} and {a}");
    }
}

#[test]
fn columns_are_found_by_name() {
    use DataType::{Int32, Int64, Utf8};
    let table = schema(&[("a", Int64), ("B", Utf8), ("c", Int64)]);
    let file = schema(&[("C", Int32), ("b", Utf8), ("extra", Utf8)]);
    assert_eq!(read_as(&table, &file), Ok(vec![None, Some(1), Some(0)]));
    let union = union(&table, &file).expect("they fit");
    assert_eq!(
        union,
        schema(&[("a", Int64), ("B", Utf8), ("c", Int64), ("extra", Utf8)])
    );
}

#[test]
fn a_spelling_counts_before_a_likeness() {
    use DataType::Int64;
    let table = schema(&[("a", Int64), ("A", Int64)]);
    assert_eq!(read_as(&table, &schema(&[("A", Int64)])), Ok(vec![None, Some(0)]));
    assert_eq!(
        read_as(&table, &schema(&[("A", Int64), ("a", Int64)])),
        Ok(vec![Some(1), Some(0)])
    );
    let one = schema(&[("ab", Int64)]);
    let why = read_as(&one, &schema(&[("Ab", Int64), ("aB", Int64)])).expect_err("either may be it");
    assert!(why.contains("'Ab'") && why.contains("'aB'"), "{why}");
}

#[test]
fn what_a_file_holds_must_fit_the_table() {
    use DataType::{Int32, Int64, Utf8, Utf8View};
    let ok = |file: DataType, table: DataType| read_as(&schema(&[("x", table)]), &schema(&[("x", file)])).is_ok();
    assert!(ok(Int32, Int64) && !ok(Int64, Int32) && !ok(Utf8, Int64) && !ok(Int64, Utf8));
    assert!(ok(DataType::LargeUtf8, Utf8View) && ok(DataType::Dictionary(Int32.into(), Utf8.into()), Utf8View));
    let nanoseconds = DataType::Timestamp(TimeUnit::Nanosecond, None);
    assert!(ok(
        nanoseconds.clone(),
        DataType::Timestamp(TimeUnit::Microsecond, None)
    ));
    let (narrow, wide) = (structure(&[("p", Int32)]), structure(&[("q", Utf8), ("p", Int64)]));
    assert!(ok(narrow.clone(), wide.clone()));
    assert!(!ok(structure(&[("P", Int32)]), wide));
    let why = read_as(&schema(&[("x", Int32)]), &schema(&[("x", Utf8)])).expect_err("a text is no number");
    assert_eq!(why, "it has column 'x' Utf8 where 'x' Int32 is expected");
}

#[test]
fn structs_grow_by_name() {
    use DataType::{Int32, Int64, Utf8};
    let (a, b) = (
        structure(&[("p", Int32), ("q", Utf8)]),
        structure(&[("p", Int64), ("r", Utf8)]),
    );
    assert_eq!(both(a, b), Some(structure(&[("p", Int64), ("q", Utf8), ("r", Utf8)])));
}

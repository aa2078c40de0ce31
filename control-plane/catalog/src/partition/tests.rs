//! Tests of `partition`.

use super::*;
use arrow::datatypes::Int64Type;

fn location() -> Location {
    Location {
        bucket: "lake".to_owned(),
        prefix: "t".to_owned(),
    }
}

#[test]
fn a_key_names_its_partitions_from_the_outside_in() {
    let found = of_key(&location(), "t/Year=2024/city=S%C3%A3o%20Paulo/part=0.parquet");
    let expected = [("year", "2024"), ("city", "São Paulo")];
    let expected: Vec<_> = expected
        .map(|(name, value)| (name.to_owned(), Some(value.to_owned())))
        .into();
    assert_eq!(found, expected);
    assert_eq!(
        of_key(&location(), "t/y=__HIVE_DEFAULT_PARTITION__/f"),
        [("y".to_owned(), None)]
    );
    assert_eq!(of_key(&location(), "t/plain/f=1"), []);
    assert_eq!(
        of_key(&location(), "t/a=100%/f"),
        [("a".to_owned(), Some("100%".to_owned()))]
    );
    for (spelled, value) in [("%+5", "%+5"), ("%41%4", "A%4"), ("%-1%20", "%-1 "), ("%zz", "%zz")] {
        let found = of_key(&location(), &format!("t/a={spelled}/f"));
        assert_eq!(found, [("a".to_owned(), Some(value.to_owned()))]);
    }
}

#[test]
fn a_time_is_no_date() {
    for values in [
        ["2024-01-01T00:00:00", "2024-01-01T05:00:00"],
        ["2024-01-01", "2024-01-01T05:00:00"],
        ["2024-01-01T23:30:00-05:00", "2024-01-02"],
        ["2020-01-01 12%3A30%3A00", "2020-01-01 13%3A30%3A00"],
    ] {
        let keys = values.map(|value| format!("t/dt={value}/f"));
        let keys = keys.each_ref().map(String::as_str);
        let fields = infer(&location(), &keys, None).expect("they agree");
        assert_eq!(fields[0].data_type(), &DataType::Utf8, "{values:?}");
        let declared: FieldRef = Arc::new(Field::new("dt", DataType::Date32, true));
        batch(&location(), &keys, &[declared]).expect_err("hours would be lost");
    }
}

#[test]
fn types_are_the_narrowest_that_hold_all_values() {
    let keys = [
        "t/n=1/d=2024-01-31/s=a/f",
        "t/n=-20/d=2024-02-01/s=7/f",
        "t/n=__HIVE_DEFAULT_PARTITION__/d=1999-12-31/s=8/f",
    ];
    let fields = infer(&location(), &keys, None).expect("they agree");
    let types: Vec<&DataType> = fields.iter().map(Field::data_type).collect();
    assert_eq!(types, [&DataType::Int64, &DataType::Date32, &DataType::Utf8]);
    let columns: Vec<FieldRef> = fields.into_iter().map(Arc::new).collect();
    let batch = batch(&location(), &keys, &columns).expect("all values fit");
    let numbers: Vec<Option<i64>> = batch.column(0).as_primitive::<Int64Type>().iter().collect();
    assert_eq!(numbers, [Some(1), Some(-20), None]);
}

#[test]
fn files_in_other_folders_are_told() {
    let keys = ["t/a=1/f", "t/b=1/f"];
    let error = infer(&location(), &keys, None).expect_err("they differ");
    assert!(error.message.contains("s3://lake/t/b=1/f"), "{error:?}");
    let wanted = ["a".to_owned()];
    let error = infer(&location(), &keys, Some(&wanted)).expect_err("one lacks it");
    assert!(error.message.contains("s3://lake/t/b=1/f"), "{error:?}");
    assert_eq!(
        infer(&location(), &["t/x/f", "t/a=1/f"], None).expect("no partitions"),
        []
    );
}

#[test]
fn a_value_that_is_not_of_the_columns_type_is_told() {
    let column: FieldRef = Arc::new(Field::new("n", DataType::Int64, true));
    let error = batch(&location(), &["t/n=x/f"], &[column]).expect_err("no number");
    assert!(error.message.contains('n'), "{error:?}");
}

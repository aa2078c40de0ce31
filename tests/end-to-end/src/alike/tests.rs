//! Values that engines print differently, and values that differ.

use super::*;

fn rows(text: &str) -> Vec<Row> {
    let cell = |text: &str| (text != "NULL").then(|| text.to_owned());
    text.lines().map(|line| line.split('|').map(cell).collect()).collect()
}

fn same(type_name: &str, nearness: Nearness, got: &str, want: &str) -> bool {
    unordered(&[type_name.to_owned()], nearness, &rows(got), &rows(want)).is_none()
}

#[test]
fn values_are_the_same_however_they_are_printed() {
    let alike = |kind, got, want| same(kind, Nearness::Value, got, want);
    assert!(alike("decimal(10, 2)", "1.50", "1.5"));
    assert!(alike("decimal(10, 6)", "1.666667", "1.6666666666666667"));
    assert!(alike("bigint", "3", "3.0"));
    assert!(alike("double", "1.00000000000e3", "1000"));
    assert!(alike("double", "NaN", "NaN"));
    assert!(alike("timestamp(3)", "2020-01-01 00:00:00.000", "2020-01-01"));
    assert!(alike("array(varchar)", "[\"a\",null]", "[a, NULL]"));
    assert!(!alike("bigint", "9223372036854775807", "9223372036854775806"));
    assert!(!alike("bigint", "1", "1.5"));
    assert!(!alike("double", "1.0", "1.00001"));
    assert!(alike("double", "Infinity", "inf"));
    assert!(!alike("double", "Infinity", "1.5"));
    assert!(!alike("double", "-Infinity", "inf"));
    assert!(!alike("varchar", "1.0", "1"));
    assert!(!alike("varchar", "NULL", "(empty)"));
}

#[test]
fn infinity_takes_no_other_row_for_its_twin() {
    let types = ["double".to_owned()];
    let (got, want) = (rows("Infinity\n1.5\n0.0"), rows("1.5\n0.0\ninf"));
    assert_eq!(unordered(&types, Nearness::Value, &got, &want), None);
}

#[test]
fn a_client_reads_each_digit_of_a_decimal() {
    assert!(!same("decimal(10, 2)", Nearness::Text, "1.50", "1.5"));
    assert!(same("double", Nearness::Text, "1.00000000000e0", "1"));
}

#[test]
fn a_bag_counts_repeats() {
    let types = ["bigint".to_owned()];
    let difference = |got: &str, want: &str| unordered(&types, Nearness::Text, &rows(got), &rows(want));
    assert_eq!(difference("1\n2\n1", "1\n1\n2"), None);
    let wrong = difference("1\n2\n2", "1\n1\n2").expect("another bag");
    assert_eq!(wrong, "3 rows, expected 3: too many: 2; missing: 1");
}

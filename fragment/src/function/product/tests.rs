//! Sizes and steps of growing functions, beside what they are known to be.

use super::{bytes, check};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::ColumnarValue;

fn text(length: usize) -> ColumnarValue {
    ColumnarValue::Scalar(ScalarValue::Utf8(Some("x".repeat(length))))
}

fn number(number: i64) -> ColumnarValue {
    ColumnarValue::Scalar(ScalarValue::Int64(Some(number)))
}

#[test]
fn the_size_of_a_result_is_known_before_it_is_made() {
    let cases = [
        ("repeat", vec![text(3), number(1_000)], 3_000),
        ("repeat", vec![text(3), number(-1)], 0),
        ("repeat", vec![text(3), number(i64::MAX)], u64::MAX),
        ("lpad", vec![text(1), number(2_000_000_000), text(1)], 2_000_000_000),
        ("replace", vec![text(100), text(1), text(100)], 10_200),
        ("replace", vec![text(100), text(0), text(100)], 10_200),
        ("regexp_replace", vec![text(99), text(1), text(9)], 1_000),
        ("concat", vec![text(5), text(6), text(7)], 18),
        ("range", vec![number(1_000)], 8_000),
        (
            "generate_series",
            vec![number(1), number(1_000_001), number(10)],
            800_000,
        ),
        ("levenshtein", vec![text(1_000), text(1_000)], 10_000),
    ];
    for (name, arguments, expected) in cases {
        assert_eq!(bytes(name, &arguments, 1).unwrap(), expected, "{name} of {arguments:?}");
    }
}

#[test]
fn times_are_counted_in_steps() {
    let date = |days| ColumnarValue::Scalar(ScalarValue::Date32(Some(days)));
    let step = ColumnarValue::Scalar(ScalarValue::new_interval_mdn(0, 0, 1_000_000_000));
    assert_eq!(
        bytes("generate_series", &[date(0), date(10), step], 1).unwrap(),
        864_000 * 8
    );
}

#[test]
fn a_negative_length_is_no_length() {
    let check = |name: &str, length: i64| check(name, &[text(1), number(length)]).map_err(|error| error.to_string());
    for name in ["lpad", "rpad"] {
        assert!(check(name, 0).is_ok() && check(name, 5).is_ok());
        for length in [-1, -5, i64::MIN] {
            let error = check(name, length).expect_err("negative");
            assert!(error.contains(&format!("{name} to a length of {length}")), "{error}");
        }
    }
    assert!(check("repeat", -1).is_ok(), "nothing is repeated less than never");
}

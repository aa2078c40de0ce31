//! Percentiles against values by hand.

use super::*;
use datafusion::arrow::array::Float32Array;

fn of(values: &[f64], share: f64) -> Option<f64> {
    let values: ArrayRef = Arc::new(Float64Array::from(values.to_vec()));
    percentile(&values, share).expect("doubles have percentiles")
}

#[test]
fn between_two_values_each_digit_counts() {
    assert_eq!(of(&[0.0, 3e9], 1.0 / 3.0), Some(1e9));
    assert_eq!(of(&[1e15, 0.0], 0.123_456_789), Some(123_456_789_000_000.0));
    assert_eq!(of(&[2.0, 1.0], 0.5), Some(1.5));
}

#[test]
fn at_a_value_it_is_that_value() {
    assert_eq!(of(&[5.0, 1.0, 3.0], 0.5), Some(3.0));
    assert_eq!(of(&[5.0, 1.0, 3.0], 0.0), Some(1.0));
    assert_eq!(of(&[5.0, 1.0, 3.0], 1.0), Some(5.0));
    assert_eq!(of(&[7.0], 0.3), Some(7.0));
}

#[test]
fn nothing_and_what_is_no_number() {
    assert_eq!(of(&[], 0.5), None);
    assert_eq!(of(&[f64::INFINITY, f64::INFINITY], 0.5), Some(f64::INFINITY));
    assert_eq!(of(&[1.0, f64::NAN, 2.0], 0.25), Some(1.5));
    assert!(of(&[1.0, f64::NAN, 2.0], 0.75).is_some_and(f64::is_nan));
}

#[test]
fn reals_are_interpolated_as_doubles() {
    let values: ArrayRef = Arc::new(Float32Array::from(vec![0.0, 1.0]));
    assert_eq!(percentile(&values, 0.25).expect("reals have percentiles"), Some(0.25));
}

//! Moving sums against sums of the frame's rows.

use super::*;
use datafusion::arrow::array::Float64Array;
use std::sync::Arc;

/// The value of each frame of `width` rows.
fn moving(mut totals: Totals, values: &[Option<f64>], width: usize) -> Vec<Option<f64>> {
    let row = |at: usize| -> ArrayRef { Arc::new(Float64Array::from(vec![values[at]])) };
    let mut moving = Vec::new();
    for at in 0..values.len() {
        totals.update_batch(&[row(at)]).expect("a row comes in");
        if at >= width {
            totals.retract_batch(&[row(at - width)]).expect("a row leaves");
        }
        match totals.evaluate().expect("a frame has a sum") {
            ScalarValue::Float64(value) => moving.push(value),
            other => panic!("{other} is no double"),
        }
    }
    moving
}

#[test]
fn nothing_stays_of_what_left() {
    let values = [f64::NAN, 1.0, 2.0, f64::INFINITY, 3.0, 4.0, 1e300, 5.0, 6.0].map(Some);
    let sums = moving(Totals::sum(), &values, 2);
    assert!(sums[1].is_some_and(f64::is_nan));
    assert_eq!(sums[2], Some(3.0));
    assert_eq!(sums[4], Some(f64::INFINITY));
    assert_eq!(sums[5], Some(7.0));
    assert_eq!(sums[8], Some(11.0));
}

#[test]
fn each_frame_is_the_sum_of_its_rows() {
    let values: Vec<Option<f64>> = (0..50_i32)
        .map(|at| (at % 7 != 3).then(|| f64::from(at * at)))
        .collect();
    for width in 1..12 {
        let sums = moving(Totals::sum(), &values, width);
        let averages = moving(Totals::average(), &values, width);
        for at in 0..values.len() {
            let frame: Vec<f64> = values[at.saturating_sub(width - 1)..=at]
                .iter()
                .flatten()
                .copied()
                .collect();
            let sum = (!frame.is_empty()).then(|| frame.iter().sum::<f64>());
            assert_eq!(sums[at], sum, "{width} rows that end at {at}");
            assert_eq!(averages[at], sum.map(|sum| sum / frame.len() as f64));
        }
    }
}

#[test]
fn more_cannot_leave_than_came() {
    let mut totals = Totals::sum();
    let rows: ArrayRef = Arc::new(Float64Array::from(vec![1.0, 2.0]));
    totals.update_batch(&[rows.slice(0, 1)]).expect("a row comes in");
    assert!(totals.retract_batch(&[rows]).is_err());
}

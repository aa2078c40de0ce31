//! Moving aggregates against the same aggregates of the frame's rows.

use super::*;
use crate::function::aggregate;
use datafusion::arrow::array::{BooleanArray, Float64Array};
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::physical_plan::expressions::Column;

fn make(name: &str, data_type: &DataType) -> Make {
    let field = Arc::new(Field::new("x", data_type.clone(), true));
    let function = aggregate(name).expect("a known aggregate");
    Make {
        return_field: function.return_field(&[Arc::clone(&field)]).expect("a type"),
        function,
        schema: Schema::new(vec![Arc::clone(&field)]),
        exprs: vec![Arc::new(Column::new("x", 0))],
        expr_fields: vec![field],
        ignore_nulls: false,
    }
}

/// Frames of `width` rows, of which `step` come and go at a time.
fn check(name: &str, values: &ArrayRef, width: usize, step: usize) {
    let own = make(name, values.data_type());
    let make = make(name, values.data_type());
    let mut stacks = Stacks {
        newer: make.accumulator().expect("an accumulator"),
        make,
        older: Older::default(),
        pieces: Vec::new(),
    };
    let mut first = 0;
    for end in (step..=values.len()).step_by(step) {
        stacks
            .update_batch(&[values.slice(end - step, step)])
            .expect("rows come in");
        let wanted = end.saturating_sub(width);
        if wanted > first {
            stacks
                .retract_batch(&[values.slice(first, wanted - first)])
                .expect("rows leave");
            first = wanted;
        }
        let mut whole = own.accumulator().expect("an accumulator");
        whole
            .update_batch(&[values.slice(first, end - first)])
            .expect("a frame");
        let (sliding, whole) = (stacks.evaluate().expect("a value"), whole.evaluate().expect("a value"));
        assert!(
            near(&sliding, &whole),
            "{name} of {first}..{end}: {sliding} for {whole}"
        );
    }
}

fn near(one: &ScalarValue, other: &ScalarValue) -> bool {
    match (one, other) {
        (ScalarValue::Float64(Some(one)), ScalarValue::Float64(Some(other))) if !other.is_nan() => {
            (one - other).abs() <= 1e-9 * other.abs().max(1.0)
        }
        (ScalarValue::Float64(Some(one)), ScalarValue::Float64(Some(other))) => one.is_nan() && other.is_nan(),
        _ => one == other,
    }
}

#[test]
fn variances_forget_what_left() {
    let numbers = (0..60).map(|at| match at % 13 {
        2 => None,
        5 => Some(f64::NAN),
        7 => Some(1e150),
        _ => Some(f64::from(at) / 3.0),
    });
    let values: ArrayRef = Arc::new(numbers.collect::<Float64Array>());
    for name in ["var_pop", "stddev", "var"] {
        for width in [1, 2, 3, 5, 11] {
            check(name, &values, width, 1);
        }
        check(name, &values, 12, 4);
        check(name, &values, 2, 5);
    }
}

#[test]
fn truths_leave_their_frame() {
    let truths = (0..40).map(|at| (at % 5 != 1).then_some(at % 4 != 0));
    let values: ArrayRef = Arc::new(truths.collect::<BooleanArray>());
    for name in ["bool_and", "bool_or", "any_value"] {
        for width in [1, 2, 3, 7] {
            check(name, &values, width, 1);
        }
    }
}

#[test]
fn a_long_frame_is_kept_in_few_pieces() {
    let numbers: Float64Array = (0..3_000).map(|at| Some(f64::from(at % 17))).collect();
    let values: ArrayRef = Arc::new(numbers);
    check("var_pop", &values, 2_500, 1);
}

//! Tests of `seeded`.

use super::*;
use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::{Field, Float64Type};
use datafusion::config::ConfigOptions;

fn draw(function: &ScalarUDF, rows: usize) -> datafusion::arrow::array::ArrayRef {
    let args = ScalarFunctionArgs {
        args: Vec::new(),
        arg_fields: Vec::new(),
        number_rows: rows,
        return_field: Arc::new(Field::new("x", function.return_type(&[]).expect("a type"), true)),
        config_options: Arc::new(ConfigOptions::default()),
    };
    let drawn = function.invoke_with_args(args).expect("drawn");
    drawn.into_array(rows).expect("an array")
}

#[test]
fn the_same_seed_draws_the_same_however_rows_come_in_batches() {
    for at in 0..2 {
        let whole = draw(&Seeded::all(7)[at], 100);
        let function = &Seeded::all(7)[at];
        let (first, rest) = (draw(function, 30), draw(function, 70));
        assert_eq!(&whole.slice(0, 30), &first);
        assert_eq!(&whole.slice(30, 70), &rest);
        assert_ne!(&draw(&Seeded::all(8)[at], 100), &whole);
    }
}

#[test]
fn doubles_are_spread_over_their_range() {
    let drawn = draw(&Seeded::all(1)[0], 10_000);
    let drawn = drawn.as_primitive::<Float64Type>().values();
    assert!(drawn.iter().all(|x| (0.0..1.0).contains(x)));
    for tenth in 0..10 {
        let low = f64::from(tenth) / 10.0;
        let within = drawn.iter().filter(|x| (low..low + 0.1).contains(*x)).count();
        assert!((850..1_150).contains(&within), "{within} of 10,000 from {low}");
    }
}

#[test]
fn uuids_are_of_version_4_and_differ() {
    let drawn = draw(&Seeded::all(1)[1], 10_000);
    let drawn = drawn.as_string::<i32>();
    let all: std::collections::BTreeSet<&str> = drawn.iter().flatten().collect();
    assert_eq!(all.len(), 10_000);
    for uuid in all {
        assert_eq!(uuid.len(), 36, "{uuid}");
        assert_eq!(&uuid[14..15], "4", "{uuid}");
        assert!("89ab".contains(&uuid[19..20]), "{uuid}");
    }
}

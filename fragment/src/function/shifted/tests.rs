//! Each row by its own numbers.

use super::*;
use datafusion::arrow::array::UInt64Array;

fn column(values: &[Option<i64>]) -> ArrayRef {
    Arc::new(values.iter().copied().collect::<Int64Array>())
}

fn look(
    values: &[Option<i64>],
    offsets: &[Option<i64>],
    default: Option<&[Option<i64>]>,
    leads: bool,
    nulls: bool,
) -> Vec<Option<i64>> {
    let args: Vec<ArrayRef> = [Some(column(values)), Some(column(offsets)), default.map(column)]
        .into_iter()
        .flatten()
        .collect();
    let offsets: Int64Array = offsets.iter().copied().collect();
    let shifted = shifted(&args, &offsets, leads, nulls).expect("rows to look at");
    shifted.as_primitive::<Int64Type>().iter().collect()
}

#[test]
fn each_row_looks_as_far_as_it_says() {
    let values = [10, 20, 30, 40].map(Some);
    let offsets = [Some(1), Some(1), Some(2), None];
    assert_eq!(
        look(&values, &offsets, None, false, false),
        [None, Some(10), Some(10), None]
    );
    assert_eq!(
        look(&values, &offsets, None, true, false),
        [Some(20), Some(30), None, None]
    );
    let default = [1, 2, 3, 4].map(Some);
    assert_eq!(
        look(&values, &offsets, Some(&default), true, false),
        [Some(20), Some(30), Some(3), None]
    );
    assert_eq!(look(&values, &[Some(0); 4], None, true, false), values);
}

#[test]
fn nulls_are_passed_over() {
    let values = [Some(10), None, Some(30), None];
    assert_eq!(
        look(&values, &[Some(1); 4], None, false, true),
        [None, Some(10), Some(10), Some(30)]
    );
    assert_eq!(
        look(&values, &[Some(1); 4], None, true, true),
        [Some(30), Some(30), None, None]
    );
}

#[test]
fn each_row_is_in_a_bucket_of_its_own_count() {
    let count = |counts: &[Option<i64>]| {
        let counts: Int64Array = counts.iter().copied().collect();
        buckets(&counts, counts.len()).map(|buckets| {
            buckets
                .as_any()
                .downcast_ref::<UInt64Array>()
                .expect("counts")
                .iter()
                .collect::<Vec<_>>()
        })
    };
    let three = count(&[Some(3); 5]).expect("three buckets");
    assert_eq!(three, [1, 1, 2, 2, 3].map(Some));
    let many = count(&[Some(9); 3]).expect("nine buckets");
    assert_eq!(many, [1, 2, 3].map(Some));
    assert_eq!(
        count(&[Some(1), Some(2), None]).expect("buckets"),
        [Some(1), Some(1), None]
    );
    assert!(count(&[Some(0)]).is_err());
}

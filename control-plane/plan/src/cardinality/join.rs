//! Which share of all pairs of rows an equi-join keeps.

use super::ColumnGuess;

/// The share of pairs that match on all keys, of one relation with another. `held`: their rows before filters, which bound how many
/// combinations of keys there can be.
///
/// One key: 1 ÷ the different values of the side that has more of them, as the smaller set is taken to lie in the larger. Where a side's
/// are only bounded, the other's count: a key that refers to another table has no more values than that table has rows.
/// Several keys of one relation belong together (a part and its supplier): they have as many combinations as the shorter table has rows,
/// not as many as the product of each.
pub(crate) fn match_share(keys: &[(ColumnGuess, ColumnGuess)], left_held: f64, right_held: f64) -> f64 {
    let single = keys.iter().map(|(left, right)| values(left, right)).reduce(f64::max);
    let Some(single) = single else {
        return 1.0;
    };
    if keys.len() == 1 {
        return 1.0 / single;
    }
    let left: f64 = keys.iter().map(|(left, _)| left.distinct).product();
    let right: f64 = keys.iter().map(|(_, right)| right.distinct).product();
    let combined = left.min(left_held).min(right.min(right_held));
    1.0 / single.max(combined)
}

fn values(left: &ColumnGuess, right: &ColumnGuess) -> f64 {
    let values = match left.is_counted() && right.is_counted() {
        true => left.distinct.max(right.distinct),
        false => left.distinct.min(right.distinct),
    };
    values.max(1.0)
}

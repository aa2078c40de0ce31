//! Which share of rows a condition keeps. Conditions on different columns are taken to be independent of each other.
//!
//! Defaults where statistics say nothing are those of Selinger et al., "Access Path Selection in a Relational Database Management
//! System" (1979): an equality 1/10, an inequality 1/3, one bound of a range 1/3.

use super::ColumnGuess;
use super::column::{Source, number};
use datafusion::common::{Column, ScalarValue};
use datafusion::logical_expr::expr::{Between, InList, Like};
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};
use std::collections::BTreeMap;

/// Share of rows that equal a value of a column of which nothing is known.
const EQUAL: f64 = 0.1;

/// Share of rows on one side of a bound of which nothing is known.
const BOUND: f64 = 1.0 / 3.0;

/// Share of rows whose text is like a pattern.
const LIKE: f64 = 0.1;

/// Share of rows without a value.
const NULL: f64 = 0.05;

/// Share of rows of any other condition: DataFusion's default for filters.
pub(super) const SHARE_UNKNOWN: f64 = 0.2;

/// Finds what is known of a column.
pub(super) type Known<'a> = dyn Fn(&Column) -> Option<ColumnGuess> + 'a;

/// The share of rows for which the condition is true. Both bounds of a range count together, whatever stands between them.
pub(super) fn of(condition: &Expr, known: &Known<'_>) -> f64 {
    let mut ranges: BTreeMap<&Column, Range> = BTreeMap::new();
    let mut share = 1.0;
    for part in split_conjunction(condition) {
        match bound(part, known) {
            Some((column, bound)) => ranges.entry(column).or_default().narrow(bound),
            None => share *= one(part, known),
        }
    }
    for (column, range) in ranges {
        let least = known(column).map_or(0.0, |column| 1.0 / column.distinct);
        share *= (range.to - range.from).max(least);
    }
    share.clamp(0.0, 1.0)
}

/// The part of a column's range that is wanted, as shares of it.
struct Range {
    from: f64,
    to: f64,
}

impl Default for Range {
    fn default() -> Range {
        Range { from: 0.0, to: 1.0 }
    }
}

impl Range {
    fn narrow(&mut self, bound: Range) {
        self.from = self.from.max(bound.from);
        self.to = self.to.min(bound.to);
    }
}

/// A bound of a column whose range is known.
fn bound<'e>(part: &'e Expr, known: &Known<'_>) -> Option<(&'e Column, Range)> {
    match part {
        Expr::BinaryExpr(binary) => {
            let (column, operator, value) = comparison(binary)?;
            let share = known(column)?.share_below(number(value)?)?;
            let range = match operator {
                Operator::Lt | Operator::LtEq => Range { from: 0.0, to: share },
                Operator::Gt | Operator::GtEq => Range { from: share, to: 1.0 },
                _ => return None,
            };
            Some((column, range))
        }
        Expr::Between(between) if !between.negated => {
            let column = column_of(&between.expr)?;
            let guess = known(column)?;
            let share = |value: &Expr| guess.share_below(number(literal(value)?)?);
            let range = Range {
                from: share(&between.low)?,
                to: share(&between.high)?,
            };
            Some((column, range))
        }
        _ => None,
    }
}

fn one(condition: &Expr, known: &Known<'_>) -> f64 {
    match condition {
        Expr::Alias(alias) => of(&alias.expr, known),
        Expr::Not(inner) | Expr::IsFalse(inner) | Expr::IsNotTrue(inner) => 1.0 - of(inner, known),
        Expr::IsTrue(inner) | Expr::IsNotFalse(inner) => of(inner, known),
        Expr::IsNull(inner) | Expr::IsUnknown(inner) => nulls(inner, known),
        Expr::IsNotNull(inner) | Expr::IsNotUnknown(inner) => 1.0 - nulls(inner, known),
        Expr::Literal(ScalarValue::Boolean(value), _) => f64::from(u8::from(value.unwrap_or(false))),
        Expr::Column(_) => 0.5,
        Expr::InList(list) => in_list(list, known),
        Expr::Like(like) | Expr::SimilarTo(like) => alike(like, known),
        Expr::Between(between) => between_share(between, known),
        Expr::BinaryExpr(binary) => compared(binary, known),
        _ => SHARE_UNKNOWN,
    }
}

fn compared(binary: &BinaryExpr, known: &Known<'_>) -> f64 {
    match binary.op {
        Operator::Or => {
            let (left, right) = (of(&binary.left, known), of(&binary.right, known));
            left + right - left * right
        }
        Operator::Eq | Operator::IsNotDistinctFrom => equal(binary, known),
        Operator::NotEq | Operator::IsDistinctFrom => 1.0 - equal(binary, known),
        Operator::Lt | Operator::LtEq | Operator::Gt | Operator::GtEq => BOUND,
        Operator::LikeMatch | Operator::ILikeMatch | Operator::RegexMatch | Operator::RegexIMatch => LIKE,
        Operator::NotLikeMatch | Operator::NotILikeMatch | Operator::RegexNotMatch | Operator::RegexNotIMatch => {
            1.0 - LIKE
        }
        _ => SHARE_UNKNOWN,
    }
}

/// A value is one of the column's; outside its range it is none. Two columns agree as often as one of them has a value.
fn equal(binary: &BinaryExpr, known: &Known<'_>) -> f64 {
    match comparison(binary) {
        Some((column, _, value)) => known(column).map_or(EQUAL, |column| equal_to(&column, value)),
        None => EQUAL,
    }
}

fn equal_to(column: &ColumnGuess, value: &ScalarValue) -> f64 {
    if let (Some((min, max)), Some(value)) = (column.range, number(value))
        && (value < min || value > max)
    {
        return 0.0;
    }
    match column.source {
        Source::Unknown => EQUAL.max(1.0 / column.distinct),
        Source::Counted | Source::Rows => 1.0 / column.distinct,
    }
}

fn in_list(list: &InList, known: &Known<'_>) -> f64 {
    let column = column_of(&list.expr).and_then(known);
    let share = |value: &Expr| match (&column, literal(value)) {
        (Some(column), Some(value)) => equal_to(column, value),
        _ => EQUAL,
    };
    let share = list.list.iter().map(share).sum::<f64>().min(1.0);
    negated(share, list.negated)
}

fn alike(like: &Like, known: &Known<'_>) -> f64 {
    let distinct = column_of(&like.expr).and_then(known);
    let least = distinct.map_or(0.0, |column| 1.0 / column.distinct);
    negated(LIKE.max(least), like.negated)
}

fn between_share(between: &Between, known: &Known<'_>) -> f64 {
    let positive = Expr::Between(Between {
        negated: false,
        ..between.clone()
    });
    let share = match bound(&positive, known) {
        Some((_, range)) => (range.to - range.from).max(0.0),
        None => BOUND * BOUND,
    };
    negated(share, between.negated)
}

fn negated(share: f64, is_negated: bool) -> f64 {
    if is_negated { 1.0 - share } else { share }
}

fn nulls(expr: &Expr, known: &Known<'_>) -> f64 {
    let column = column_of(expr).and_then(known);
    column.and_then(|column| column.nulls).unwrap_or(NULL)
}

/// `column op value`, however it is written.
fn comparison(binary: &BinaryExpr) -> Option<(&Column, Operator, &ScalarValue)> {
    if let (Some(column), Some(value)) = (column_of(&binary.left), literal(&binary.right)) {
        return Some((column, binary.op, value));
    }
    let (value, column) = (literal(&binary.left)?, column_of(&binary.right)?);
    Some((column, binary.op.swap()?, value))
}

/// The column that the expression is, but for its type.
fn column_of(expr: &Expr) -> Option<&Column> {
    match expr {
        Expr::Column(column) => Some(column),
        Expr::Alias(alias) => column_of(&alias.expr),
        Expr::Cast(cast) => column_of(&cast.expr),
        Expr::TryCast(cast) => column_of(&cast.expr),
        _ => None,
    }
}

fn literal(expr: &Expr) -> Option<&ScalarValue> {
    match expr {
        Expr::Literal(value, _) if !value.is_null() => Some(value),
        Expr::Alias(alias) => literal(&alias.expr),
        _ => None,
    }
}

#[cfg(test)]
mod tests;

//! `TABLESAMPLE BERNOULLI (p)` → a filter that keeps each row with that chance: `FROM t TABLESAMPLE BERNOULLI (10)` is
//! `FROM (SELECT * FROM t WHERE random() < 0.1) AS t`. A task that runs again draws the same. Samples by block or by number, and those that
//! must be the same in every query, are refused.

use super::guard::refuse;
use super::template;
use datafusion::sql::sqlparser::ast::{
    Expr, Query, TableAlias, TableFactor, TableSample, TableSampleKind, TableSampleMethod, TableSampleQuantity,
    TableSampleUnit, Value, ValueWithSpan, VisitMut, VisitorMut,
};
use datafusion::sql::sqlparser::tokenizer::Span;
use mayfly_protocol::QueryError;
use std::ops::ControlFlow;

/// Refuses samples that are not drawn so.
pub(super) fn check(sample: &TableSampleKind, place: Span) -> Result<(), QueryError> {
    let (TableSampleKind::BeforeTableAlias(sample) | TableSampleKind::AfterTableAlias(sample)) = sample;
    let TableSample {
        modifier: _,
        name,
        quantity,
        seed,
        bucket,
        offset,
    } = sample.as_ref();
    let hint = "write TABLESAMPLE BERNOULLI (10) for ten percent of the rows";
    if seed.is_some() {
        return refuse(
            "TABLESAMPLE … REPEATABLE",
            place,
            "filter on a hash of a key: each query keeps the same rows",
        );
    }
    if bucket.is_some() || offset.is_some() {
        return refuse("TABLESAMPLE of buckets", place, hint);
    }
    match name {
        Some(TableSampleMethod::Bernoulli) => {}
        Some(TableSampleMethod::System | TableSampleMethod::Block) => {
            return refuse("TABLESAMPLE by block", place, hint);
        }
        Some(TableSampleMethod::Row) | None => return refuse("TABLESAMPLE without BERNOULLI", place, hint),
    }
    match quantity.as_ref().and_then(share) {
        Some(_) => Ok(()),
        None => refuse("TABLESAMPLE with anything but a number from 0 to 100", place, hint),
    }
}

/// The chance of a row, of 1.
fn share(quantity: &TableSampleQuantity) -> Option<f64> {
    let TableSampleQuantity {
        parenthesized: _,
        value,
        unit,
    } = quantity;
    let percent: f64 = match (value, unit) {
        (
            Expr::Value(ValueWithSpan {
                value: Value::Number(digits, _),
                ..
            }),
            None | Some(TableSampleUnit::Percent),
        ) => digits.parse().ok()?,
        _ => return None,
    };
    (0.0..=100.0).contains(&percent).then_some(percent / 100.0)
}

/// Writes the filters. What is no such sample was refused before.
pub(super) fn write_out(query: &mut Query) {
    // Nothing breaks off.
    let _ = query.visit(&mut Samples);
}

struct Samples;

impl VisitorMut for Samples {
    type Break = ();

    fn post_visit_table_factor(&mut self, relation: &mut TableFactor) -> ControlFlow<()> {
        if let Some(filtered) = filtered(relation) {
            *relation = filtered;
        }
        ControlFlow::Continue(())
    }
}

fn filtered(relation: &mut TableFactor) -> Option<TableFactor> {
    let TableFactor::Table {
        name, alias, sample, ..
    } = relation
    else {
        return None;
    };
    let (TableSampleKind::BeforeTableAlias(taken) | TableSampleKind::AfterTableAlias(taken)) = sample.take()?;
    let chance = taken.quantity.as_ref().and_then(share)?;
    let named = name.0.last().and_then(|part| part.as_ident()).cloned()?;
    let alias = alias.take().unwrap_or(TableAlias {
        explicit: true,
        name: named,
        columns: Vec::new(),
        at: None,
    });
    let sql = format!("SELECT * FROM t WHERE random() < {chance:?}");
    let subquery = template::over(&sql, relation.clone())?;
    Some(TableFactor::Derived {
        lateral: false,
        subquery: Box::new(subquery),
        alias: Some(alias),
        sample: None,
    })
}

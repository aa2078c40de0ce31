//! `FROM t TABLESAMPLE BERNOULLI (10)` → `FROM (SELECT * FROM t WHERE "table sample"('…')) AS t`: a mark that the bound plan is searched for
//! (see `rewrite/sample.rs`), once it is known whether t is a table.

use super::guard::refuse;
use super::template;
use crate::error;
use datafusion::sql::sqlparser::ast::{
    Expr, Query, Spanned, TableAlias, TableFactor, TableSample, TableSampleKind, TableSampleMethod,
    TableSampleQuantity, TableSampleSeed, TableSampleSeedModifier, TableSampleUnit, UnaryOperator, Value,
    ValueWithSpan, VisitMut, VisitorMut,
};
use datafusion::sql::sqlparser::tokenizer::Span;
use mayfly_fragment::SampleUnit;
use mayfly_protocol::{ErrorCode, QueryError};
use std::fmt;
use std::ops::ControlFlow;

/// The mark's function. No identifier: it cannot be called by name.
pub(crate) const MARK: &str = "table sample";

/// One TABLESAMPLE.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Marked {
    pub unit: SampleUnit,
    /// The chance of each unit, from 0 to 1.
    pub share: f64,
    pub seed: Option<u64>,
    /// Which one of the statement's it is: each draws for itself.
    pub number: u64,
}

/// As the mark's argument.
impl fmt::Display for Marked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.unit {
            SampleUnit::Row => "row",
            SampleUnit::Block => "block",
        };
        write!(f, "{unit} {:?} {}", self.share, self.number)?;
        self.seed.map_or(Ok(()), |seed| write!(f, " {seed}"))
    }
}

impl Marked {
    pub(crate) fn read(text: &str) -> Option<Marked> {
        let mut words = text.split(' ');
        Some(Marked {
            unit: match words.next()? {
                "row" => SampleUnit::Row,
                _ => SampleUnit::Block,
            },
            share: words.next()?.parse().ok()?,
            number: words.next()?.parse().ok()?,
            seed: match words.next() {
                Some(seed) => Some(seed.parse().ok()?),
                None => None,
            },
        })
    }
}

/// Refuses what is no sample of Trino's or of the standard's.
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
    if bucket.is_some() || offset.is_some() {
        return refuse("TABLESAMPLE of buckets", place, hint);
    }
    if name.as_ref().and_then(unit).is_none() {
        return refuse("TABLESAMPLE without BERNOULLI or SYSTEM", place, hint);
    }
    let Some(quantity) = quantity else {
        return refuse("TABLESAMPLE without a percentage", place, hint);
    };
    percentage(quantity, place)?;
    seed.as_ref().map_or(Ok(None), |seed| seed_of(seed).map(Some)).map(drop)
}

fn unit(method: &TableSampleMethod) -> Option<SampleUnit> {
    match method {
        TableSampleMethod::Bernoulli => Some(SampleUnit::Row),
        TableSampleMethod::System => Some(SampleUnit::Block),
        TableSampleMethod::Block | TableSampleMethod::Row => None,
    }
}

fn percentage(quantity: &TableSampleQuantity, place: Span) -> Result<f64, QueryError> {
    let TableSampleQuantity {
        parenthesized: _,
        value,
        unit,
    } = quantity;
    let own = value.span();
    let at = if own == Span::empty() { place } else { own };
    let fail = |code, text: &str| Err(QueryError::new(code, text).at(error::location(at.start)));
    if matches!(unit, Some(TableSampleUnit::Rows)) {
        return fail(
            ErrorCode::NotSupported,
            "TABLESAMPLE of a number of rows is not supported",
        );
    }
    match number(value) {
        Number::Is(percent) if percent < 0.0 => fail(
            ErrorCode::NumericValueOutOfRange,
            "the percentage of a sample must be at least 0",
        ),
        Number::Is(percent) if percent > 100.0 => fail(
            ErrorCode::NumericValueOutOfRange,
            "the percentage of a sample must be at most 100",
        ),
        Number::Is(percent) => Ok(percent),
        Number::Null => fail(ErrorCode::InvalidArguments, "the percentage of a sample cannot be NULL"),
        Number::Other => fail(
            ErrorCode::TypeMismatch,
            "the percentage of a sample is written as a number",
        ),
    }
}

enum Number {
    Is(f64),
    Null,
    Other,
}

fn number(value: &Expr) -> Number {
    match value {
        Expr::Nested(inner) => number(inner),
        Expr::UnaryOp {
            op: UnaryOperator::Minus,
            expr,
        } => match number(expr) {
            Number::Is(value) => Number::Is(-value),
            other => other,
        },
        Expr::Value(ValueWithSpan {
            value: Value::Number(digits, _),
            ..
        }) => digits.parse().map_or(Number::Other, Number::Is),
        Expr::Value(ValueWithSpan { value: Value::Null, .. }) => Number::Null,
        _ => Number::Other,
    }
}

fn seed_of(seed: &TableSampleSeed) -> Result<u64, QueryError> {
    let TableSampleSeed { modifier, value } = seed;
    let place = error::location(value.span.start);
    if *modifier == TableSampleSeedModifier::Seed {
        return Err(error::not_supported("SEED of a sample is not supported")
            .at(place)
            .hint("write REPEATABLE (1)"));
    }
    let seed = match &value.value {
        Value::Number(digits, _) => match digits.parse::<u64>() {
            Ok(seed) => Some(seed),
            Err(_) => digits.parse::<f64>().ok().map(f64::to_bits),
        },
        _ => None,
    };
    let wrong = || QueryError::new(ErrorCode::TypeMismatch, "the seed of a sample is a number").at(place);
    seed.ok_or_else(wrong)
}

/// Writes the marks. What is no such sample was refused before.
pub(super) fn write_out(query: &mut Query) {
    // Nothing breaks off.
    let _ = query.visit(&mut Samples { number: 0 });
}

struct Samples {
    number: u64,
}

impl VisitorMut for Samples {
    type Break = ();

    fn post_visit_table_factor(&mut self, relation: &mut TableFactor) -> ControlFlow<()> {
        if let Some(marked) = self.marked(relation) {
            *relation = marked;
        }
        ControlFlow::Continue(())
    }
}

impl Samples {
    fn marked(&mut self, relation: &mut TableFactor) -> Option<TableFactor> {
        let TableFactor::Table {
            name, alias, sample, ..
        } = relation
        else {
            return None;
        };
        let (TableSampleKind::BeforeTableAlias(taken) | TableSampleKind::AfterTableAlias(taken)) = sample.take()?;
        self.number += 1;
        let marked = Marked {
            unit: taken.name.as_ref().and_then(unit)?,
            share: percentage(taken.quantity.as_ref()?, Span::empty()).ok()? / 100.0,
            seed: taken.seed.as_ref().and_then(|seed| seed_of(seed).ok()),
            number: self.number,
        };
        let named = name.0.last().and_then(|part| part.as_ident()).cloned()?;
        let alias = alias.take().unwrap_or(TableAlias {
            explicit: true,
            name: named,
            columns: Vec::new(),
            at: None,
        });
        let sql = format!("SELECT * FROM t WHERE \"{MARK}\"('{marked}')");
        let subquery = template::over(&sql, relation.clone())?;
        Some(TableFactor::Derived {
            lateral: false,
            subquery: Box::new(subquery),
            alias: Some(alias),
            sample: None,
        })
    }
}

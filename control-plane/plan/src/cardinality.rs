//! How many rows a logical plan yields, from its tables' statistics: guesses for choosing between plans, never for answers. Where a
//! table's rows are not known there is no guess. What physical operators hold and send is guessed in `estimate`.

mod column;
mod join;
mod selectivity;

pub(crate) use column::ColumnGuess;
pub(crate) use join::match_share;

use datafusion::common::{Column, DFSchema};
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::{Aggregate, Expr, FetchType, Join, JoinType, LogicalPlan, Projection, TableScan, Union};

/// Rows that an element of a list or a row of a set becomes, on average.
const UNNESTED_ROWS: f64 = 3.0;

/// Share of rows that a semi join keeps when its keys say nothing.
const SEMI_SHARE: f64 = 0.5;

/// What is known of a plan's rows.
#[derive(Clone, Debug)]
pub(crate) struct Relation {
    pub rows: f64,
    /// Rows before any filter.
    pub held: f64,
    /// One for each column of the plan's schema.
    pub columns: Vec<ColumnGuess>,
}

impl Relation {
    fn of_unknown_columns(rows: f64, columns: usize) -> Relation {
        Relation {
            rows,
            held: rows,
            columns: vec![ColumnGuess::unknown(rows); columns],
        }
    }

    fn with_rows(self, rows: f64) -> Relation {
        Relation { rows, ..self }
    }
}

/// The plan's rows, or `None` where a table does not know its own.
pub(crate) fn relation(plan: &LogicalPlan) -> Option<Relation> {
    let found = match plan {
        LogicalPlan::TableScan(scan) => of_scan(scan)?,
        LogicalPlan::Filter(filter) => {
            let input = relation(&filter.input)?;
            let share = share(&filter.predicate, &input, filter.input.schema());
            let rows = input.rows * share;
            input.with_rows(rows)
        }
        LogicalPlan::Projection(projection) => projected(projection)?,
        LogicalPlan::SubqueryAlias(alias) => relation(&alias.input)?,
        LogicalPlan::Sort(sort) => fetched(relation(&sort.input)?, sort.fetch),
        LogicalPlan::Limit(limit) => match limit.get_fetch_type().ok()? {
            FetchType::Literal(fetch) => fetched(relation(&limit.input)?, fetch),
            FetchType::UnsupportedExpr => relation(&limit.input)?,
        },
        LogicalPlan::Repartition(repartition) => relation(&repartition.input)?,
        LogicalPlan::Aggregate(aggregate) => grouped(aggregate)?,
        LogicalPlan::Join(join) => joined(join)?,
        LogicalPlan::Union(union) => united(union)?,
        LogicalPlan::Window(window) => {
            let mut input = relation(&window.input)?;
            let added = ColumnGuess::unknown(input.rows);
            input.columns.resize(window.schema.fields().len(), added);
            input
        }
        LogicalPlan::Distinct(distinct) => relation(distinct.input())?,
        LogicalPlan::Unnest(unnest) => {
            let rows = relation(&unnest.input)?.rows * UNNESTED_ROWS;
            Relation::of_unknown_columns(rows, unnest.schema.fields().len())
        }
        LogicalPlan::Values(values) => {
            Relation::of_unknown_columns(values.values.len() as f64, values.schema.fields().len())
        }
        LogicalPlan::EmptyRelation(empty) => {
            Relation::of_unknown_columns(f64::from(empty.produce_one_row), empty.schema.fields().len())
        }
        _ => return None,
    };
    (found.columns.len() == plan.schema().fields().len()).then_some(found)
}

/// The share of rows for which the condition holds, between 0 and 1.
pub(crate) fn share(condition: &Expr, relation: &Relation, schema: &DFSchema) -> f64 {
    let column = |column: &Column| {
        let at = schema.maybe_index_of_column(column)?;
        relation.columns.get(at).copied()
    };
    share_of(condition, &column)
}

/// The same, where columns are known by name.
pub(crate) fn share_of(condition: &Expr, known: &dyn Fn(&Column) -> Option<ColumnGuess>) -> f64 {
    selectivity::of(condition, known)
}

fn of_scan(scan: &TableScan) -> Option<Relation> {
    let provider = source_as_provider(&scan.source).ok()?;
    let statistics = provider.statistics()?;
    let rows = *statistics.num_rows.get_value()? as f64;
    let all = provider.schema();
    let columns = statistics.column_statistics.iter().zip(all.fields());
    let columns: Vec<ColumnGuess> = columns
        .map(|(known, field)| ColumnGuess::of(known, field.data_type(), rows))
        .collect();
    let columns = match &scan.projection {
        Some(projection) => projection
            .iter()
            .map(|&at| columns.get(at).copied())
            .collect::<Option<_>>()?,
        None => columns,
    };
    let whole = Relation {
        rows,
        held: rows,
        columns,
    };
    let shares = scan
        .filters
        .iter()
        .map(|filter| share(filter, &whole, &scan.projected_schema));
    let rows = rows * shares.product::<f64>();
    Some(fetched(whole.with_rows(rows), scan.fetch))
}

fn fetched(relation: Relation, fetch: Option<usize>) -> Relation {
    let rows = fetch.map_or(relation.rows, |fetch| relation.rows.min(fetch as f64));
    relation.with_rows(rows)
}

fn projected(projection: &Projection) -> Option<Relation> {
    let input = relation(&projection.input)?;
    let schema = projection.input.schema();
    let columns = projection.expr.iter().map(|expr| guess(expr, &input, schema)).collect();
    Some(Relation { columns, ..input })
}

/// What is known of an expression: a column under another name keeps what is known of it.
fn guess(expr: &Expr, input: &Relation, schema: &DFSchema) -> ColumnGuess {
    let column = match expr {
        Expr::Column(column) => schema.maybe_index_of_column(column),
        Expr::Alias(alias) => return guess(&alias.expr, input, schema),
        Expr::Cast(cast) => return guess(&cast.expr, input, schema),
        _ => None,
    };
    let known = column.and_then(|at| input.columns.get(at).copied());
    known.unwrap_or_else(|| ColumnGuess::unknown(input.held))
}

fn grouped(aggregate: &Aggregate) -> Option<Relation> {
    let input = relation(&aggregate.input)?;
    let schema = aggregate.input.schema();
    let keys = aggregate.group_expr.iter().map(|expr| guess(expr, &input, schema));
    let keys: Vec<ColumnGuess> = keys.collect();
    let groups: f64 = keys.iter().map(|key| key.distinct.max(1.0)).product();
    let rows = groups.min(input.rows).max(1.0);
    let mut columns = keys;
    columns.resize(aggregate.schema.fields().len(), ColumnGuess::unknown(rows));
    Some(Relation {
        rows,
        held: rows,
        columns,
    })
}

fn united(union: &Union) -> Option<Relation> {
    let inputs: Option<Vec<Relation>> = union.inputs.iter().map(|input| relation(input)).collect();
    let rows = inputs?.iter().map(|input| input.rows).sum();
    Some(Relation::of_unknown_columns(rows, union.schema.fields().len()))
}

fn joined(join: &Join) -> Option<Relation> {
    let (left, right) = (relation(&join.left)?, relation(&join.right)?);
    let keys: Vec<(ColumnGuess, ColumnGuess)> = join
        .on
        .iter()
        .map(|(of_left, of_right)| {
            let left = guess(of_left, &left, join.left.schema());
            (left, guess(of_right, &right, join.right.schema()))
        })
        .collect();
    let pairs = left.rows * right.rows * match_share(&keys, left.held, right.held);
    let filtered = match &join.filter {
        Some(_) => selectivity::SHARE_UNKNOWN,
        None => 1.0,
    };
    let inner = pairs * filtered;
    let semi = |relation: &Relation, share: f64| relation.rows * share;
    let (of_left, of_right) = (semi_share(&keys, &right), semi_share(&flipped(&keys), &left));
    let (rows, columns) = match join.join_type {
        JoinType::Inner => (inner, both(left, right)),
        JoinType::Left => (inner.max(left.rows), both(left, right)),
        JoinType::Right => (inner.max(right.rows), both(left, right)),
        JoinType::Full => (inner.max(left.rows).max(right.rows), both(left, right)),
        JoinType::LeftSemi => (semi(&left, of_left), left.columns),
        JoinType::RightSemi => (semi(&right, of_right), right.columns),
        JoinType::LeftAnti => (semi(&left, 1.0 - of_left), left.columns),
        JoinType::RightAnti => (semi(&right, 1.0 - of_right), right.columns),
        JoinType::LeftMark => (left.rows, marked(left)),
        JoinType::RightMark => (right.rows, marked(right)),
    };
    let rows = rows.max(1.0);
    Some(Relation {
        rows,
        held: rows,
        columns,
    })
}

fn flipped(keys: &[(ColumnGuess, ColumnGuess)]) -> Vec<(ColumnGuess, ColumnGuess)> {
    keys.iter().map(|&(left, right)| (right, left)).collect()
}

fn both(left: Relation, right: Relation) -> Vec<ColumnGuess> {
    [left.columns, right.columns].concat()
}

fn marked(relation: Relation) -> Vec<ColumnGuess> {
    let mark = ColumnGuess::unknown(2.0);
    [relation.columns, vec![mark]].concat()
}

/// The share of rows that have a partner: keys of the other side over keys of this one. Never all nor none: what is kept and what an
/// anti join leaves are both guesses.
fn semi_share(keys: &[(ColumnGuess, ColumnGuess)], other: &Relation) -> f64 {
    let share = |(this, that): &(ColumnGuess, ColumnGuess)| that.distinct.min(other.rows) / this.distinct.max(1.0);
    let least = keys.iter().map(share).reduce(f64::min);
    least.unwrap_or(SEMI_SHARE).clamp(0.01, 0.9)
}

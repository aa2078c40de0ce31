//! Pushes the domain D of a dependent join down through a subquery.
//!
//! ```text
//! D ⋈dep σ p(d,x) (T)      →  σ p (D × T), or σ(T) with d := x where p says d = x
//! D ⋈dep γ g;a (T)         →  γ d,g;a (D ⋈dep T), and where g is empty  D ⟕ γ d;a (D ⋈dep T)
//! D ⋈dep limit n (sort T)  →  σ row_number() over (partition by d order by …) <= n (D ⋈dep T)
//! D ⋈dep (S ∪ T)           →  (D ⋈dep S) ∪ (D ⋈dep T)
//! D ⋈dep (S ⋈ T)           →  (D ⋈dep S) ⋈ d (D ⋈dep T), or one side alone where the other does not read D
//! ```
//!
//! What comes out holds, for each key of D, the rows that the subquery has for it. It may hold rows for other keys, too, which then join
//! with nothing; keys that an equality stands for are never NULL.

mod absent;
mod aggregate;
mod conjuncts;
mod domain;
mod filter;
mod joins;
mod keys;
mod limit;
mod outer;
mod sets;

pub(super) use domain::or_default;
pub(super) use outer::{Need, has_order, is_unrepeatable, repeatable};
pub(super) use sets::rows;

use super::Unnester;
use super::join::Pair;
use super::scope::Scope;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, Result, not_impl_err};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{
    Expr, LogicalPlan, LogicalPlanBuilder, Projection, SubqueryAlias, Unnest as UnnestNode, Window,
};
use std::sync::Arc;

/// One subquery and its outer side.
pub(super) struct Push<'a> {
    unnester: &'a Unnester,
    /// What the keys are taken from.
    outer: LogicalPlan,
    /// What the subquery reads of the outer side: expressions over its columns.
    pub keys: Vec<Expr>,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Each key once, and only where no equality stands for it.
    Distinct,
    /// The outer rows themselves, always.
    Rows,
}

/// A plan with the domain pushed into it.
pub(super) struct Attached {
    pub plan: LogicalPlan,
    /// By key: where it stands, if the plan depends on it.
    pub bound: Vec<Option<Bound>>,
    /// What the one row is where the plan has no row for a key: a value for each of its columns.
    pub absent: Option<Vec<(Column, Expr)>>,
}

/// A key among a plan's columns.
#[derive(Clone, Debug)]
pub(super) struct Bound {
    pub column: Column,
    /// It may be NULL, and means the outer row whose key is NULL.
    pub null_safe: bool,
}

impl<'a> Push<'a> {
    pub fn new(unnester: &'a Unnester, outer: &LogicalPlan, subquery: &LogicalPlan) -> Result<Push<'a>> {
        let keys = keys::of(subquery, Scope(outer.schema()))?;
        Ok(Push {
            unnester,
            outer: outer.clone(),
            keys,
            kind: Kind::Distinct,
        })
    }

    /// With all columns of the outer rows for keys: for a subquery that makes its rows of each outer row alone.
    pub fn of_rows(unnester: &'a Unnester, outer: &LogicalPlan) -> Push<'a> {
        Push {
            unnester,
            outer: outer.clone(),
            keys: outer.schema().columns().into_iter().map(Expr::Column).collect(),
            kind: Kind::Rows,
        }
    }

    fn scope(&self) -> Scope<'_> {
        Scope(self.outer.schema())
    }

    pub fn attach(&self, plan: LogicalPlan) -> Result<Attached> {
        if !self.scope().is_read_in(&plan)? {
            return Ok(Attached::of(plan, vec![None; self.keys.len()]));
        }
        match plan {
            LogicalPlan::Filter(filter) => self.filter(filter),
            LogicalPlan::Projection(projection) => self.projection(projection),
            LogicalPlan::SubqueryAlias(alias) => self.alias(alias),
            LogicalPlan::Subquery(wrapper) => self.attach(Arc::unwrap_or_clone(wrapper.subquery)),
            LogicalPlan::Aggregate(aggregate) => self.aggregate(aggregate),
            LogicalPlan::Distinct(distinct) => self.distinct(distinct),
            LogicalPlan::Sort(sort) => self.sort(sort),
            LogicalPlan::Limit(limit) => self.limit(limit),
            LogicalPlan::Window(window) => self.window(window),
            LogicalPlan::Union(union) => self.union(union),
            LogicalPlan::Values(values) => self.values(values),
            LogicalPlan::Join(join) => self.join(join),
            LogicalPlan::Unnest(unnest) => self.unnest(unnest),
            other => not_impl_err!(
                "{} inside a subquery that reads columns of an outer query is not supported",
                what(&other)
            ),
        }
    }

    fn projection(&self, projection: Projection) -> Result<Attached> {
        let output = Arc::clone(&projection.schema);
        let input = self.attach(Arc::unwrap_or_clone(projection.input))?;
        let input = self.with_keys_of(input, &projection.expr)?;
        let absent = input.absent.as_ref().map(|absent| {
            let columns = output.columns().into_iter();
            let values = projection
                .expr
                .iter()
                .map(|expr| absent::replaced(expr.clone(), absent));
            columns
                .zip(values)
                .map(|(column, value)| Ok((column, value?)))
                .collect::<Result<_>>()
        });
        let absent = absent.transpose()?;
        let exprs = self.substituted(projection.expr, &input)?;
        self.projected(input, exprs, absent)
    }

    /// These columns, and the keys.
    fn projected(
        &self,
        input: Attached,
        mut exprs: Vec<Expr>,
        absent: Option<Vec<(Column, Expr)>>,
    ) -> Result<Attached> {
        let mut bound = Vec::with_capacity(input.bound.len());
        for key in &input.bound {
            bound.push(key.as_ref().map(|key| self.carried(key, &mut exprs)));
        }
        let plan = LogicalPlanBuilder::from(input.plan).project(exprs)?.build()?;
        Ok(Attached { plan, bound, absent })
    }

    /// A key as a column of a projection: as it is if it is there anyway.
    fn carried(&self, key: &Bound, exprs: &mut Vec<Expr>) -> Bound {
        let own = Expr::Column(key.column.clone());
        if exprs.contains(&own) {
            return key.clone();
        }
        let name = self.unnester.name("key");
        exprs.push(own.alias(name.clone()));
        Bound {
            column: Column::new_unqualified(name),
            null_safe: key.null_safe,
        }
    }

    /// Only the columns that the subquery's own operator has, and the keys.
    pub fn trimmed(&self, attached: Attached, columns: &[Column]) -> Result<Attached> {
        let keys = attached.bound.iter().flatten().map(|key| &key.column);
        let kept: Vec<&Column> = columns.iter().chain(keys).collect();
        if attached
            .plan
            .schema()
            .columns()
            .iter()
            .all(|column| kept.contains(&column))
        {
            return Ok(attached);
        }
        let exprs = columns.iter().cloned().map(Expr::Column).collect();
        let absent = attached.absent.clone();
        self.projected(attached, exprs, absent)
    }

    fn alias(&self, alias: SubqueryAlias) -> Result<Attached> {
        let columns = alias.input.schema().columns();
        let output = alias.schema.columns();
        let input = self.attach(Arc::unwrap_or_clone(alias.input))?;
        let input = self.trimmed(input, &columns)?;
        let name = alias.alias;
        let under = |column: &Column| Column::new(Some(name.clone()), column.name.clone());
        let bound = input.bound.iter().map(|key| {
            key.as_ref().map(|key| Bound {
                column: under(&key.column),
                null_safe: key.null_safe,
            })
        });
        let absent = input.absent.map(|absent| {
            output
                .into_iter()
                .zip(absent.into_iter().map(|(_, value)| value))
                .collect()
        });
        Ok(Attached {
            bound: bound.collect(),
            absent,
            plan: LogicalPlan::SubqueryAlias(SubqueryAlias::try_new(Arc::new(input.plan), name)?),
        })
    }

    /// Windows see the rows of one key.
    fn window(&self, window: Window) -> Result<Attached> {
        let input = self.attach(Arc::unwrap_or_clone(window.input))?;
        let input = self.complete(input)?;
        let keys: Vec<Expr> = input.columns().map(Expr::Column).collect();
        let exprs = self.substituted(window.window_expr, &input)?;
        let names = NamePreserver::new_for_projection();
        let exprs = exprs.into_iter().map(|expr| {
            let name = names.save(&expr);
            Ok(name.restore(per_key(expr, &keys)?))
        });
        let plan = Window::try_new(exprs.collect::<Result<_>>()?, Arc::new(input.plan))?;
        Ok(Attached::of(LogicalPlan::Window(plan), input.bound))
    }

    fn unnest(&self, unnest: UnnestNode) -> Result<Attached> {
        let columns = unnest.input.schema().columns();
        let input = self.attach(Arc::unwrap_or_clone(unnest.input))?;
        let input = self.present(input)?;
        let input = self.trimmed(input, &columns)?;
        let unnested = LogicalPlanBuilder::from(input.plan)
            .unnest_columns_with_options(unnest.exec_columns, unnest.options)?
            .build()?;
        Ok(Attached::of(unnested, input.bound))
    }

    /// The expressions with the keys' columns for what they read of the outer side, under the names that they had.
    fn substituted(&self, exprs: Vec<Expr>, input: &Attached) -> Result<Vec<Expr>> {
        let names = NamePreserver::new_for_projection();
        let exprs = exprs.into_iter().map(|expr| {
            let name = names.save(&expr);
            Ok(name.restore(self.substitute(expr, input)?))
        });
        exprs.collect()
    }

    fn substitute(&self, expr: Expr, input: &Attached) -> Result<Expr> {
        let substituted = expr.transform_up(|part| {
            let Expr::OuterReferenceColumn(_, column) = &part else {
                return Ok(Transformed::no(part));
            };
            match self.key_of(column).and_then(|key| input.bound[key].as_ref()) {
                Some(bound) => Ok(Transformed::yes(Expr::Column(bound.column.clone()))),
                None => Ok(Transformed::no(part)),
            }
        })?;
        Ok(substituted.data)
    }

    fn key_of(&self, column: &Column) -> Option<usize> {
        let is = |key: &Expr| matches!(key, Expr::Column(own) if own == column);
        self.keys.iter().position(is)
    }

    /// What the outer side's rows and those of a plan must agree on.
    pub fn pairs(&self, bound: &[Option<Bound>]) -> Vec<Pair> {
        let keys = self.keys.iter().zip(bound);
        let pair = |(key, bound): (&Expr, &Option<Bound>)| {
            bound.as_ref().map(|bound| Pair {
                left: key.clone(),
                right: Expr::Column(bound.column.clone()),
                null_safe: bound.null_safe,
            })
        };
        keys.filter_map(pair).collect()
    }

    /// A default of an absent row, in terms of the outer side.
    pub fn outside(&self, expr: Expr) -> Result<Expr> {
        let outside = expr.transform_up(|part| match part {
            Expr::OuterReferenceColumn(_, column) if self.scope().has(&column) => {
                Ok(Transformed::yes(Expr::Column(column)))
            }
            part => Ok(Transformed::no(part)),
        })?;
        Ok(outside.data)
    }
}

impl Attached {
    fn of(plan: LogicalPlan, bound: Vec<Option<Bound>>) -> Attached {
        Attached {
            plan,
            bound,
            absent: None,
        }
    }

    /// Columns of the keys that are bound.
    pub fn columns(&self) -> impl Iterator<Item = Column> {
        self.bound.iter().flatten().map(|key| key.column.clone())
    }
}

/// A window, also under an alias, that is computed for each key apart.
fn per_key(expr: Expr, keys: &[Expr]) -> Result<Expr> {
    let apart = expr.transform_up(|part| match part {
        Expr::WindowFunction(mut function) => {
            let own = std::mem::take(&mut function.params.partition_by);
            function.params.partition_by = keys.to_vec();
            let new = own.into_iter().filter(|expr| !keys.contains(expr));
            function.params.partition_by.extend(new);
            Ok(Transformed::yes(Expr::WindowFunction(function)))
        }
        part => Ok(Transformed::no(part)),
    })?;
    Ok(apart.data)
}

fn what(node: &LogicalPlan) -> &'static str {
    match node {
        LogicalPlan::RecursiveQuery(_) => "WITH RECURSIVE",
        LogicalPlan::TableScan(_) => "a table function",
        _ => "this operation",
    }
}

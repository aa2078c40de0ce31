//! The domain D itself: what it is made of, and how a plan that does not hold all keys comes by them.

use super::super::join::{Pair, join};
use super::absent::is_null;
use super::outer::{Need, repeatable};
use super::{Attached, Bound, Kind, Push};
use datafusion::common::{Column, Result};
use datafusion::logical_expr::{EmptyRelation, Expr, JoinType, LogicalPlan, LogicalPlanBuilder, lit, when};

impl Push<'_> {
    /// The distinct keys of the outer side, under new names.
    fn domain(&self) -> Result<(LogicalPlan, Vec<Bound>)> {
        let names: Vec<String> = self.keys.iter().map(|_| self.unnester.name("key")).collect();
        let exprs = self.keys.iter().zip(&names).map(|(key, name)| key.clone().alias(name));
        let outer = match self.kind {
            Kind::Distinct => repeatable(self.outer.clone(), Need::Superset)?,
            Kind::Rows => self.outer.clone(),
        };
        let keys = LogicalPlanBuilder::from(outer).project(exprs.collect::<Vec<_>>())?;
        let keys = match self.kind {
            Kind::Distinct => keys.distinct()?,
            Kind::Rows => keys,
        };
        let bound = names.into_iter().map(|name| Bound {
            column: Column::new_unqualified(name),
            null_safe: true,
        });
        Ok((keys.build()?, bound.collect()))
    }

    /// A plan that holds all keys, and a row wherever the subquery has one.
    pub(in super::super) fn complete(&self, attached: Attached) -> Result<Attached> {
        let is_complete = attached.bound.iter().all(Option::is_some);
        match (&attached.absent, is_complete) {
            (Some(_), _) => self.present(attached),
            (None, true) => Ok(attached),
            (None, false) => self.joined(attached),
        }
    }

    /// As [`complete`](Push::complete), where one of these expressions reads a key that is not there.
    pub(super) fn with_keys_of(&self, attached: Attached, exprs: &[Expr]) -> Result<Attached> {
        let unbound = |column: &Column| self.key_of(column).is_none_or(|key| attached.bound[key].is_none());
        let is_missing = |expr: &Expr| self.scope().columns(expr).iter().any(unbound);
        match exprs.iter().any(is_missing) {
            true => self.complete(attached),
            false => Ok(attached),
        }
    }

    fn joined(&self, attached: Attached) -> Result<Attached> {
        let (domain, keys) = self.domain()?;
        let pairs = pairs(&keys, &attached.bound);
        let plan = match attached.plan {
            LogicalPlan::EmptyRelation(EmptyRelation {
                produce_one_row: true, ..
            }) => domain,
            plan => join(domain, plan, JoinType::Inner, &pairs, Vec::new())?,
        };
        Ok(Attached::of(plan, keys.into_iter().map(Some).collect()))
    }

    /// A plan that holds the rows that are absent, too.
    pub(in super::super) fn present(&self, attached: Attached) -> Result<Attached> {
        let Some(absent) = attached.absent.clone() else {
            return Ok(attached);
        };
        let (domain, keys) = self.domain()?;
        let mut held: Vec<Expr> = absent.iter().map(|(column, _)| Expr::Column(column.clone())).collect();
        let there = self.unnester.name("there");
        held.push(lit(true).alias(&there));
        let attached = self.projected(attached, held, None)?;
        let pairs = pairs(&keys, &attached.bound);
        let plan = join(domain, attached.plan, JoinType::Left, &pairs, Vec::new())?;
        let all = Attached::of(plan, keys.into_iter().map(Some).collect());
        let there = Expr::Column(Column::new_unqualified(there));
        let values = absent.into_iter().map(|(column, value)| {
            let value = self.substitute(value, &all)?;
            let name = (column.relation.clone(), column.name.clone());
            Ok(or_default(Expr::Column(column), value, &there)?.alias_qualified(name.0, name.1))
        });
        let values = values.collect::<Result<_>>()?;
        self.projected(all, values, None)
    }
}

fn pairs(keys: &[Bound], bound: &[Option<Bound>]) -> Vec<Pair> {
    let pair = |(key, bound): (&Bound, &Option<Bound>)| {
        bound.as_ref().map(|bound| Pair {
            left: Expr::Column(key.column.clone()),
            right: Expr::Column(bound.column.clone()),
            null_safe: bound.null_safe,
        })
    };
    keys.iter().zip(bound).filter_map(pair).collect()
}

/// A column of the side of an outer join that may have no row, with what it is then. NULL is what it is anyway.
pub(in super::super) fn or_default(column: Expr, default: Expr, there: &Expr) -> Result<Expr> {
    match &default {
        default if is_null(default) => Ok(column),
        _ => when(there.clone().is_null(), default).otherwise(column),
    }
}

//! A filter gives keys: where it says that an inner expression equals an outer one, the inner one stands for it.

use super::{Attached, Bound, Kind, Push, conjuncts, keys};
use datafusion::common::{Column, Result};
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, Filter, LogicalPlan, LogicalPlanBuilder};
use std::sync::Arc;

impl Push<'_> {
    pub(super) fn filter(&self, filter: Filter) -> Result<Attached> {
        let input = self.attach(Arc::unwrap_or_clone(filter.input))?;
        let input = self.present(input)?;
        self.filtered(input, conjuncts::of(filter.predicate))
    }

    /// The rows for which all of these are true.
    pub(super) fn filtered(&self, mut input: Attached, conjuncts: Vec<Expr>) -> Result<Attached> {
        let mut rest = Vec::new();
        for conjunct in conjuncts {
            match self.binding(&conjunct, &input)? {
                Some((key, inner)) => input = self.bind(input, key, inner)?,
                None => rest.push(conjunct),
            }
        }
        let mut others = Vec::new();
        for conjunct in &rest {
            if self.held(conjunct, &input)?.is_none() {
                others.push(conjunct.clone());
            }
        }
        let input = self.with_keys_of(input, &others)?;
        let rest = rest.into_iter().map(|conjunct| match self.held(&conjunct, &input)? {
            Some(equal) => Ok(equal),
            None => self.substitute(conjunct, &input),
        });
        let Some(predicate) = conjunction(rest.collect::<Result<Vec<_>>>()?) else {
            return Ok(input);
        };
        let plan = LogicalPlan::Filter(Filter::try_new(predicate, Arc::new(input.plan))?);
        Ok(Attached::of(plan, input.bound))
    }

    /// The key that an equality gives, if it is not there yet.
    fn binding(&self, conjunct: &Expr, input: &Attached) -> Result<Option<(usize, Expr)>> {
        if self.kind == Kind::Rows {
            return Ok(None);
        }
        Ok(self.equal(conjunct)?.filter(|(key, _)| input.bound[*key].is_none()))
    }

    /// An equality of a key that is there already, over its column.
    fn held(&self, conjunct: &Expr, input: &Attached) -> Result<Option<Expr>> {
        let equal = self.equal(conjunct)?;
        let held = equal.and_then(|(key, inner)| {
            let bound = input.bound[key].as_ref()?;
            Some(Expr::Column(bound.column.clone()).eq(inner))
        });
        Ok(held)
    }

    /// An equality of a key and something else.
    fn equal(&self, conjunct: &Expr) -> Result<Option<(usize, Expr)>> {
        let Some(equality) = keys::equality(conjunct, self.scope())? else {
            return Ok(None);
        };
        let outer = keys::without_marks(equality.outer.clone(), self.scope())?;
        let key = self.keys.iter().position(|key| *key == outer);
        Ok(key.map(|key| (key, equality.inner.clone())))
    }

    fn bind(&self, input: Attached, key: usize, inner: Expr) -> Result<Attached> {
        let (plan, column) = match inner {
            Expr::Column(column) => (input.plan, column),
            inner => {
                let name = self.unnester.name("key");
                let mut exprs: Vec<Expr> = input.plan.schema().columns().into_iter().map(Expr::Column).collect();
                exprs.push(inner.alias(&name));
                let plan = LogicalPlanBuilder::from(input.plan).project(exprs)?.build()?;
                (plan, Column::new_unqualified(name))
            }
        };
        let mut bound = input.bound;
        bound[key] = Some(Bound {
            column,
            null_safe: false,
        });
        Ok(Attached::of(plan, bound))
    }
}

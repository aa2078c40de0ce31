//! Rows of several plans as one: `UNION ALL` whose columns keep the qualifiers that they have.

use super::Unnester;
use datafusion::common::{Column, Result};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, Union};
use std::sync::Arc;

/// A plan, and what it has for each column of the whole.
pub(super) type Part = (LogicalPlan, Vec<Expr>);

impl Unnester {
    pub(super) fn all(&self, columns: &[Column], parts: Vec<Part>) -> Result<LogicalPlan> {
        let names: Vec<String> = columns.iter().map(|_| self.name("column")).collect();
        let parts = parts.into_iter().map(|(plan, exprs)| {
            let exprs: Vec<Expr> = exprs
                .into_iter()
                .zip(&names)
                .map(|(expr, name)| expr.alias(name))
                .collect();
            LogicalPlanBuilder::from(plan).project(exprs)?.build().map(Arc::new)
        });
        let all = Union::try_new(parts.collect::<Result<_>>()?)?;
        let shown = columns.iter().zip(&names).map(|(column, name)| {
            let value = Expr::Column(Column::new_unqualified(name));
            value.alias_qualified(column.relation.clone(), column.name.clone())
        });
        let shown: Vec<Expr> = shown.collect();
        LogicalPlanBuilder::from(LogicalPlan::Union(all))
            .project(shown)?
            .build()
    }
}

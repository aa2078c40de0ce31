//! Comparisons that each value of a subquery is looked at for, as rows and lists are: the least and the greatest do not tell what a NULL
//! within leaves open.
//!
//! ```text
//! s < ALL (S)   →   case when m1 then false when m2 then null else true end
//!                   m1: outer ⟕mark S' on keys and (s < v) is false,  m2: outer ⟕mark S' on keys and (s < v) is null
//! ```

use super::join::Pair;
use super::member::value_of;
use super::site::Site;
use crate::values::rows;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};
use datafusion::functions_aggregate::expr_fn::max;
use datafusion::logical_expr::{
    Expr, ExprSchemable, JoinType, LogicalPlan, LogicalPlanBuilder, Operator, lit, or, when,
};
use std::sync::Arc;

impl Site<'_> {
    /// Whether a comparison comes out so for one value at least, or for none, or may for one: each value is looked at.
    pub(super) fn told(
        &mut self,
        sought: &[Expr],
        op: Operator,
        subquery: LogicalPlan,
        values: Vec<Expr>,
        wanted: bool,
    ) -> Result<Expr> {
        let is_so = |is: Expr| if wanted { is.is_true() } else { is.is_false() };
        if !sought.iter().any(Expr::any_column_refs) {
            let is = rows::compared(sought, op, &values);
            return self.told_once(is_so(is.clone()), is, subquery, wanted);
        }
        let is_pairs = wanted && op == Operator::Eq;
        let decided = self.marked(subquery.clone(), values.clone(), |columns| match is_pairs {
            true => found(sought, columns),
            false => (Vec::new(), vec![is_so(rows::compared(sought, op, columns))]),
        })?;
        let open = self.marked(subquery, values, |columns| match is_pairs {
            // What is equal was found before.
            true => not_other(sought, columns),
            false => (Vec::new(), vec![rows::compared(sought, op, columns).is_null()]),
        })?;
        when(decided, lit(wanted))
            .when(open, lit(ScalarValue::Boolean(None)))
            .otherwise(lit(!wanted))
    }

    /// There is nothing to join on. The values tell: 2 is it, 1 may be it, 0 is another.
    fn told_once(&mut self, is_so: Expr, is: Expr, subquery: LogicalPlan, wanted: bool) -> Result<Expr> {
        let told = when(is_so, lit(2_i64))
            .when(is.is_null(), lit(1_i64))
            .otherwise(lit(0_i64))?;
        let told = self.aggregated(subquery, vec![max(told)])?.remove(0);
        when(told.clone().eq(lit(2_i64)), lit(wanted))
            .when(told.eq(lit(1_i64)), lit(ScalarValue::Boolean(None)))
            .otherwise(lit(!wanted))
    }

    /// Whether there is a value for which this holds.
    pub(super) fn marked(
        &mut self,
        subquery: LogicalPlan,
        values: Vec<Expr>,
        on: impl FnOnce(&[Expr]) -> (Vec<Pair>, Vec<Expr>),
    ) -> Result<Expr> {
        let (push, attached) = self.attached(subquery)?;
        self.join(&push, attached, values, JoinType::LeftMark, on)?;
        self.mark()
    }

    /// What is sought, field by field if it is a row.
    pub(super) fn fields(&self, sought: Expr) -> Result<Vec<Expr>> {
        let data_type = sought.get_type(self.plan.schema())?;
        Ok(rows::fields(&sought, &data_type))
    }

    /// A subquery whose values are rows, with their fields as columns.
    pub(super) fn spread(&self, subquery: LogicalPlan) -> Result<(LogicalPlan, Vec<Expr>)> {
        let value = value_of(&subquery);
        let data_type = value.get_type(subquery.schema())?;
        if !matches!(data_type, DataType::Struct(_)) {
            return Ok((subquery, vec![value]));
        }
        let (input, value) = match subquery {
            LogicalPlan::Projection(mut projection) => {
                let value = projection.expr.remove(0).unalias();
                (Arc::unwrap_or_clone(projection.input), value)
            }
            plan => (plan, value),
        };
        let fields = rows::fields(&value, &data_type).into_iter();
        let named: Vec<Expr> = fields.map(|field| field.alias(self.unnester.name("field"))).collect();
        let plan = LogicalPlanBuilder::from(input).project(named)?.build()?;
        let columns = plan.schema().columns().into_iter().map(Expr::Column).collect();
        Ok((plan, columns))
    }
}

/// What is no column of the input is nothing to join on.
pub(super) fn found(sought: &[Expr], values: &[Expr]) -> (Vec<Pair>, Vec<Expr>) {
    let pairs = sought.iter().cloned().zip(values.iter().cloned());
    let (joined, compared): (Vec<_>, Vec<_>) = pairs.partition(|(sought, _)| sought.any_column_refs());
    let joined = joined.into_iter().map(|(sought, value)| Pair::plain(sought, value));
    let compared = compared.into_iter().map(|(sought, value)| sought.eq(value));
    (joined.collect(), compared.collect())
}

/// Whether a value may be the one that is sought.
pub(super) fn not_other(sought: &[Expr], values: &[Expr]) -> (Vec<Pair>, Vec<Expr>) {
    let may_be = sought.iter().zip(values).map(|(sought, value)| {
        let is = sought.clone().eq(value.clone());
        or(is, or(sought.clone().is_null(), value.clone().is_null()))
    });
    (Vec::new(), may_be.collect())
}

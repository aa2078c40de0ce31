//! `x < ANY (subquery)` and its kind. Of the values the least and the greatest decide: `x < ANY` asks for one that is greater, thus for the
//! greatest; `x < ALL` must hold for the least. NULLs among the values leave open what the others do not decide. Of rows and lists none is the
//! least where a part of them is NULL: there each value is looked at.

use super::member::value_of;
use super::site::Site;
use datafusion::common::{Result, ScalarValue, not_impl_err};
use datafusion::functions_aggregate::expr_fn::{max, min};
use datafusion::logical_expr::expr::{SetComparison, SetQuantifier};
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, Operator, and, binary_expr, lit, or, when};
use std::sync::Arc;

impl Site<'_> {
    pub(super) fn quantified(&mut self, compared: SetComparison) -> Result<Expr> {
        let subquery = Arc::unwrap_or_clone(compared.subquery.subquery);
        let sought = *compared.expr;
        match (compared.op, compared.quantifier) {
            (Operator::Eq, SetQuantifier::Any) => self.is_member(sought, subquery),
            (Operator::NotEq, SetQuantifier::All) => Ok(!self.is_member(sought, subquery)?),
            (Operator::NotEq, SetQuantifier::Any) => Ok(!self.all(sought, Operator::Eq, subquery)?),
            (op, SetQuantifier::All) => self.all(sought, op, subquery),
            (op, SetQuantifier::Any) => {
                let Some(opposite) = op.negate() else {
                    return not_impl_err!("{op} ANY (subquery) is not supported");
                };
                Ok(!self.all(sought, opposite, subquery)?)
            }
        }
    }

    /// False if it does not hold for a value; true if it holds for all, also if there are none; else unknown.
    fn all(&mut self, sought: Expr, op: Operator, subquery: LogicalPlan) -> Result<Expr> {
        let value = value_of(&subquery);
        if value.get_type(subquery.schema())?.is_nested() {
            let sought = self.fields(sought)?;
            let (subquery, values) = self.spread(subquery)?;
            return self.told(&sought, op, subquery, values, false);
        }
        let flag = when(value.clone().is_null(), lit(1_i64)).otherwise(lit(0_i64))?;
        let aggregates = vec![max(flag), min(value.clone()), max(value)];
        let columns = self.aggregated(subquery, aggregates)?;
        let [flag, least, greatest] = &columns[..] else {
            return not_impl_err!("three aggregates have three columns");
        };
        let holds = |value: &Expr| binary_expr(sought.clone(), op, value.clone());
        let holds = match op {
            Operator::Eq => and(holds(least), holds(greatest)),
            Operator::Lt | Operator::LtEq => holds(least),
            Operator::Gt | Operator::GtEq => holds(greatest),
            _ => return not_impl_err!("{op} ALL (subquery) is not supported"),
        };
        let unknown = or(flag.clone().eq(lit(1_i64)), sought.clone().is_null());
        when(flag.clone().is_null(), lit(true))
            .when(holds.is_false(), lit(false))
            .when(unknown, lit(ScalarValue::Boolean(None)))
            .otherwise(lit(true))
    }
}

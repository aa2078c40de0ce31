//! Rows are compared field by field: a NULL leaves open what no other field decides, and of `<` and its kind the first fields that differ
//! decide. DataFusion compares NULLs in rows as if they were values.
//!
//! ```text
//! ROW(a, b) = ROW(c, d)   →   a = c AND b = d
//! ROW(a, b) < ROW(c, d)   →   a < c OR (a = c AND b < d)
//! ```

use super::walk;
use crate::rewrite::unnest::is_subquery_within;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result};
use datafusion::functions::core::expr_fn::get_field;
use datafusion::logical_expr::expr::{InList, ScalarFunction};
use datafusion::logical_expr::utils::{conjunction, disjunction};
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, LogicalPlan, Operator, binary_expr, cast, lit};
use datafusion::optimizer::AnalyzerRule;

/// Runs after types were coerced, and again when subqueries are columns: what they give is compared then, and only once computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rows {
    BesideSubqueries,
    Wherever,
}

impl AnalyzerRule for Rows {
    fn name(&self) -> &'static str {
        "trino_rows"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        walk::expressions(plan, |expression, schema| self.by_field(expression, schema))
    }
}

impl Rows {
    fn by_field(self, expression: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
        match &expression {
            Expr::BinaryExpr(BinaryExpr { left, op, right }) if is_comparison(*op) => {
                match self.pair(left, right, schema)? {
                    Some((left, right)) => Ok(Transformed::yes(compared(&left, *op, &right))),
                    None => Ok(Transformed::no(expression)),
                }
            }
            Expr::InList(list) if is_row(&list.expr, schema)? => self.listed(list, schema),
            _ => Ok(Transformed::no(expression)),
        }
    }

    fn listed(self, list: &InList, schema: &DFSchema) -> Result<Transformed<Expr>> {
        let mut equal = Vec::new();
        for row in &list.list {
            match self.pair(&list.expr, row, schema)? {
                Some((left, right)) => equal.push(compared(&left, Operator::Eq, &right)),
                None => return Ok(Transformed::no(Expr::InList(list.clone()))),
            }
        }
        let any = disjunction(equal).unwrap_or_else(|| lit(false));
        Ok(Transformed::yes(if list.negated { !any } else { any }))
    }

    /// The fields of both, if they are rows with as many.
    fn pair(self, left: &Expr, right: &Expr, schema: &DFSchema) -> Result<Option<(Vec<Expr>, Vec<Expr>)>> {
        let asks = is_subquery_within(left) || is_subquery_within(right);
        if asks && self == Rows::BesideSubqueries {
            return Ok(None);
        }
        let (of_left, of_right) = (left.get_type(schema)?, right.get_type(schema)?);
        if !matches!((&of_left, &of_right), (DataType::Struct(_), DataType::Struct(_))) {
            return Ok(None);
        }
        let (left, right) = (fields(left, &of_left), fields(right, &of_right));
        Ok((left.len() == right.len()).then_some((left, right)))
    }
}

fn is_row(expr: &Expr, schema: &DFSchema) -> Result<bool> {
    Ok(matches!(expr.get_type(schema)?, DataType::Struct(_)))
}

fn is_comparison(op: Operator) -> bool {
    use Operator::{Eq, Gt, GtEq, Lt, LtEq, NotEq};
    matches!(op, Eq | NotEq | Lt | LtEq | Gt | GtEq)
}

/// What a row is made of, rows within it included. Anything else is its own only field.
pub(crate) fn fields(row: &Expr, data_type: &DataType) -> Vec<Expr> {
    let DataType::Struct(types) = data_type else {
        return vec![row.clone()];
    };
    let written = written(row, types.len());
    let each = types.iter().enumerate().map(|(at, field)| {
        let value = match &written {
            Some((values, Cast::Is)) => cast(values[at].clone(), field.data_type().clone()),
            Some((values, Cast::IsNot)) => values[at].clone(),
            None => get_field(row.clone(), field.name().as_str()),
        };
        fields(&value, field.data_type())
    });
    each.flatten().collect()
}

enum Cast {
    Is,
    IsNot,
}

/// The fields of a row that is written out. A cast may turn those of names of their own around.
fn written(row: &Expr, width: usize) -> Option<(Vec<Expr>, Cast)> {
    let (values, is_cast) = match row {
        Expr::Alias(alias) => return written(&alias.expr, width),
        Expr::Cast(cast) => match written(&cast.expr, width)? {
            (values, _) if is_unnamed(&cast.expr) => (values, Cast::Is),
            _ => return None,
        },
        Expr::ScalarFunction(ScalarFunction { func, args }) => match func.name() {
            "struct" => (args.clone(), Cast::IsNot),
            "named_struct" => (args.iter().skip(1).step_by(2).cloned().collect(), Cast::IsNot),
            _ => return None,
        },
        _ => return None,
    };
    (values.len() == width).then_some((values, is_cast))
}

fn is_unnamed(row: &Expr) -> bool {
    matches!(row, Expr::ScalarFunction(call) if call.func.name() == "struct")
}

/// Two rows of the same width, field by field.
pub(crate) fn compared(left: &[Expr], op: Operator, right: &[Expr]) -> Expr {
    match op {
        Operator::Eq => equal(left, right),
        Operator::NotEq => !equal(left, right),
        op => in_order(left, op, right),
    }
}

fn equal(left: &[Expr], right: &[Expr]) -> Expr {
    let pairs = left.iter().zip(right);
    let each = pairs.map(|(left, right)| left.clone().eq(right.clone()));
    conjunction(each).unwrap_or_else(|| lit(true))
}

fn in_order(left: &[Expr], op: Operator, right: &[Expr]) -> Expr {
    let strict = match op {
        Operator::LtEq => Operator::Lt,
        Operator::GtEq => Operator::Gt,
        op => op,
    };
    match (left, right) {
        ([left], [right]) => binary_expr(left.clone(), op, right.clone()),
        ([left, lefts @ ..], [right, rights @ ..]) => {
            let first = binary_expr(left.clone(), strict, right.clone());
            let same = left.clone().eq(right.clone());
            first.or(same.and(in_order(lefts, op, rights)))
        }
        _ => lit(op != strict),
    }
}

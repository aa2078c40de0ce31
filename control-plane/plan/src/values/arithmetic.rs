//! Arithmetic that may overflow, as operators of ours that fail where DataFusion's wrap around.

use super::walk;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, LogicalPlan};
use datafusion::optimizer::AnalyzerRule;
use mayfly_fragment::trino::checked::Checked;

/// Runs after types were coerced.
#[derive(Debug)]
pub(super) struct CheckedArithmetic;

impl AnalyzerRule for CheckedArithmetic {
    fn name(&self) -> &'static str {
        "checked_arithmetic"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        walk::expressions(plan, checked)
    }
}

fn checked(expression: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let (function, arguments) = match &expression {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
            let types = (left.get_type(schema)?, right.get_type(schema)?);
            let function = Checked::instead_of(*op, &types.0, &types.1);
            let name = function.as_ref().map(|function| function.name());
            match left.as_ref() {
                // a + b + c
                Expr::ScalarFunction(chain) if types.0.is_integer() && Some(chain.name()) == name => {
                    let operands = [chain.args.as_slice(), &[right.as_ref().clone()]].concat();
                    (function, operands)
                }
                left => (function, vec![left.clone(), right.as_ref().clone()]),
            }
        }
        Expr::Negative(operand) => {
            let function = Checked::negation_of(&operand.get_type(schema)?);
            (function, vec![operand.as_ref().clone()])
        }
        _ => return Ok(Transformed::no(expression)),
    };
    Ok(match function {
        None => Transformed::no(expression),
        Some(function) => Transformed::yes(Expr::ScalarFunction(ScalarFunction::new_udf(function, arguments))),
    })
}

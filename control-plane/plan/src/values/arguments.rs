//! Arguments that Trino types in another way than DataFusion: what is written for a missing row of `lag` and `lead` has one type with the
//! value; functions of doubles take a real as a double; and `NULLIF` compares in a common type, but gives its first argument as it is. It has
//! that type as soon as it is read, as operators around it are planned by it, and is a CASE from here on.

use super::walk;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result, ScalarValue, internal_err};
use datafusion::logical_expr::type_coercion::binary::type_union_coercion;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ExprSchemable, LogicalPlan, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility, cast, when,
};
use datafusion::optimizer::AnalyzerRule;
use std::sync::Arc;

/// `NULLIF` until the rule has run.
pub(super) fn nullif() -> Arc<ScalarUDF> {
    let signature = Signature::any(2, Volatility::Immutable);
    Arc::new(ScalarUDF::new_from_impl(NullIf { signature }))
}

/// Runs before types are coerced.
#[derive(Debug)]
pub(super) struct Arguments;

/// Functions that DataFusion has of reals, too.
const OF_DOUBLES: [&str; 25] = [
    "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cbrt", "cos", "cosh", "cot", "degrees", "exp", "ln",
    "log", "log10", "log2", "pow", "power", "radians", "sin", "sinh", "sqrt", "tan", "tanh",
];

impl AnalyzerRule for Arguments {
    fn name(&self) -> &'static str {
        "arguments"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        walk::expressions(plan, typed)
    }
}

fn typed(expression: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    match expression {
        Expr::WindowFunction(mut call) if matches!(call.fun.name(), "lag" | "lead") => {
            let changed = one_type(&mut call.params.args, schema);
            Ok(Transformed::new_transformed(Expr::WindowFunction(call), changed))
        }
        Expr::ScalarFunction(mut call) if OF_DOUBLES.contains(&call.func.name()) => {
            let changed = call
                .args
                .iter_mut()
                .fold(false, |changed, arg| double(arg, schema) | changed);
            Ok(Transformed::new_transformed(Expr::ScalarFunction(call), changed))
        }
        Expr::ScalarFunction(call) if call.func.name() == "nullif" && call.args.len() == 2 => {
            let [value, other] = [&call.args[0], &call.args[1]].map(Expr::clone);
            let kept = when(value.clone().eq(other), Expr::Literal(ScalarValue::Null, None)).otherwise(value)?;
            Ok(Transformed::yes(kept))
        }
        other => Ok(Transformed::no(other)),
    }
}

fn one_type(args: &mut [Expr], schema: &DFSchema) -> bool {
    let [value, _, default] = args else {
        return false;
    };
    // What has no type yet is coerced as ever.
    let (Ok(of_value), Ok(of_default)) = (value.get_type(schema), default.get_type(schema)) else {
        return false;
    };
    if of_value == of_default || of_default.is_null() {
        return false;
    }
    let Some(common) = type_union_coercion(&of_value, &of_default) else {
        return false;
    };
    for arg in [value, default] {
        *arg = cast(std::mem::take(arg), common.clone());
    }
    true
}

fn double(arg: &mut Expr, schema: &DFSchema) -> bool {
    let is_real = matches!(arg.get_type(schema), Ok(DataType::Float32));
    if is_real {
        *arg = cast(std::mem::take(arg), DataType::Float64);
    }
    is_real
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct NullIf {
    signature: Signature,
}

impl ScalarUDFImpl for NullIf {
    fn name(&self) -> &'static str {
        "nullif"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        match types {
            [value, _] => Ok(value.clone()),
            _ => internal_err!("nullif of {} values", types.len()),
        }
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> Result<ColumnarValue> {
        internal_err!("nullif was left in the plan")
    }
}

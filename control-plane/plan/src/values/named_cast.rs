//! A cast with a name of its own: to DataFusion's planner `sum(CAST(x AS double))` and `sum(x)` have one name, and two aggregates, windows
//! or keys of one name are refused. The statement's text was told which casts need it (`sql`'s `casts`); simplification takes it away, when
//! everything that refers to the name has been found.

use crate::sql::NAMED_CAST;
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, internal_err};
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use std::sync::Arc;

/// For planners alone.
pub(super) fn function() -> Arc<ScalarUDF> {
    let signature = Signature::any(1, Volatility::Immutable);
    Arc::new(ScalarUDF::new_from_impl(NamedCast { signature }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct NamedCast {
    signature: Signature,
}

impl ScalarUDFImpl for NamedCast {
    fn name(&self) -> &str {
        NAMED_CAST
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn schema_name(&self, args: &[Expr]) -> Result<String> {
        match args {
            [Expr::Cast(cast)] => Ok(format!(
                "CAST({} AS {})",
                cast.expr.schema_name(),
                cast.field.data_type()
            )),
            [value] => Ok(format!("CAST({})", value.schema_name())),
            _ => internal_err!("a cast of {} values", args.len()),
        }
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        match types {
            [data_type] => Ok(data_type.clone()),
            _ => internal_err!("a cast of {} values", types.len()),
        }
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        match args.arg_fields {
            [field] => Ok(Arc::clone(field)),
            fields => internal_err!("a cast of {} values", fields.len()),
        }
    }

    fn simplify(&self, mut args: Vec<Expr>, _: &SimplifyContext) -> Result<ExprSimplifyResult> {
        match args.pop() {
            Some(value) if args.is_empty() => Ok(ExprSimplifyResult::Simplified(value)),
            _ => internal_err!("a cast of {} values", args.len()),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        match args.args.as_slice() {
            [value] => Ok(value.clone()),
            values => internal_err!("a cast of {} values", values.len()),
        }
    }
}

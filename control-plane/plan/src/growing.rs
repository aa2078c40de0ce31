//! Functions whose results may be much larger than what they are given, as the planner knows them: a result that is too large for the
//! control plane, or too much work, is refused before it is made. DataFusion then leaves the call in the plan, and an executor makes it.

use datafusion::common::{DataFusionError, Result};
use datafusion::execution::SessionState;
use datafusion::execution::registry::FunctionRegistry as _;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF};
use mayfly_fragment::{Around, Held, product};
use std::sync::Arc;

/// Bytes of a result that the control plane makes. A plan with larger constants would be a burden wherever it is sent.
const PRODUCT_BYTES_MAX: u64 = 64 * 1024;

/// The call is for an executor.
#[derive(Debug, thiserror::Error)]
#[error(
    "{function} would make {bytes} bytes, more than the {PRODUCT_BYTES_MAX} that the control plane makes of one call"
)]
pub(crate) struct TooLarge {
    function: String,
    bytes: u64,
}

/// Wraps those that the state has.
pub(crate) fn hold(state: &mut SessionState) {
    for name in product::NAMES {
        let known = state.scalar_functions().get(name).cloned();
        let Some(inner) = known.filter(|function| !function.inner().is::<Held<InPlanner>>()) else {
            continue;
        };
        let inner = inner.as_ref().clone();
        let held = Arc::new(Held::function(inner, InPlanner));
        // A state of ours takes any function.
        let _ = state.register_udf(held);
    }
}

/// The bound on a call.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct InPlanner;

impl Around for InPlanner {
    fn call(&self, function: &ScalarUDF, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        product::check(function.name(), &args.args)?;
        let bytes = product::bytes(function.name(), &args.args, args.number_rows)?;
        if bytes <= PRODUCT_BYTES_MAX {
            return function.invoke_with_args(args);
        }
        let function = function.name().to_owned();
        Err(DataFusionError::External(Box::new(TooLarge { function, bytes })))
    }
}

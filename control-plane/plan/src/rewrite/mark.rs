//! Functions that mark what the statement's text said and the parser has no place for. Passes take them out of the plan; nobody computes them.

use crate::sql::{FRAME_MARK, SAMPLE_MARK};
use arrow::datatypes::DataType;
use datafusion::common::{Result, internal_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};
use std::sync::Arc;

/// For the planner alone.
pub(crate) fn all() -> impl Iterator<Item = Arc<ScalarUDF>> {
    [FRAME_MARK, SAMPLE_MARK].into_iter().map(|name| {
        let signature = Signature::any(1, Volatility::Volatile);
        Arc::new(ScalarUDF::new_from_impl(Mark { name, signature }))
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Mark {
    name: &'static str,
    signature: Signature,
}

impl ScalarUDFImpl for Mark {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> Result<ColumnarValue> {
        internal_err!("the mark of a {} was left in the plan", self.name)
    }
}

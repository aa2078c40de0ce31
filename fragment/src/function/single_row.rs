//! The value of a subquery that may have one row: `single row(value, rows)` is the value, and an error where there are more rows.

use datafusion::arrow::array::{AsArray, Int64Array};
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::common::{DataFusionError, Result, exec_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};
use mayfly_protocol::{ErrorCode, QueryError};
use std::sync::Arc;

/// The function. Its name is no identifier: it cannot be called by name.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct SingleRow {
    signature: Signature,
}

impl SingleRow {
    pub fn function() -> Arc<ScalarUDF> {
        Arc::new(ScalarUDF::new_from_impl(SingleRow {
            // An optimizer may move what is immutable to rows that nobody asked for.
            signature: Signature::any(2, Volatility::Volatile),
        }))
    }
}

impl ScalarUDFImpl for SingleRow {
    fn name(&self) -> &str {
        "single row"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok(types[0].clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [value, rows] = &args.args[..] else {
            return exec_err!("a single row has a value and a count");
        };
        let rows = rows.to_array(args.number_rows)?;
        let rows: &Int64Array = rows.as_primitive::<Int64Type>();
        match rows.iter().flatten().any(|rows| rows > 1) {
            true => Err(too_many()),
            false => Ok(value.clone()),
        }
    }
}

fn too_many() -> DataFusionError {
    let error = QueryError::new(
        ErrorCode::SubqueryMultipleRows,
        "a scalar subquery returned more than one row",
    );
    let error = error.hint("add LIMIT 1 or an aggregate such as max to the subquery, or use IN");
    DataFusionError::External(Box::new(error))
}

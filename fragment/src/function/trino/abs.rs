//! `abs` whose overflow has the name of one.

use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::arrow::error::ArrowError;
use datafusion::common::Result;
use datafusion::functions::math::abs;
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
};
use std::sync::Arc;

#[derive(Debug, PartialEq, Eq, Hash)]
struct Abs {
    inner: Arc<ScalarUDF>,
}

/// Under DataFusion's name.
pub fn function() -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::new_from_impl(Abs { inner: abs() }))
}

impl ScalarUDFImpl for Abs {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.inner.return_type(types)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        self.inner.return_field_from_args(args)
    }

    /// Of integers nothing else can fail.
    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let data_type = args.return_field.data_type().clone();
        self.inner
            .invoke_with_args(args)
            .map_err(|error| match data_type.is_integer() {
                true => ArrowError::ArithmeticOverflow(format!("overflow in abs: {}", error.strip_backtrace())).into(),
                false => error,
            })
    }
}

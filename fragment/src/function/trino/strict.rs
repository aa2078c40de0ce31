//! `concat`, `greatest` and `least` that are NULL where an argument is; DataFusion passes over it. `concat` of arrays is an array.

use datafusion::arrow::array::{Array, BooleanArray};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::compute::nullif;
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::functions::core::{greatest, least};
use datafusion::functions::string::concat;
use datafusion::functions_nested::concat::array_concat_udf;
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use std::sync::Arc;

#[derive(Debug, PartialEq, Eq, Hash)]
struct Strict {
    inner: Arc<ScalarUDF>,
    signature: Signature,
}

/// Under DataFusion's names.
pub fn all() -> Vec<Arc<ScalarUDF>> {
    let strict = |inner| {
        let signature = Signature::user_defined(Volatility::Immutable);
        Arc::new(ScalarUDF::new_from_impl(Strict { inner, signature }))
    };
    [concat(), greatest(), least()].map(strict).into()
}

impl Strict {
    fn inner_of(&self, first: Option<&DataType>) -> Arc<ScalarUDF> {
        match first {
            Some(DataType::List(_) | DataType::LargeList(_)) if self.name() == "concat" => array_concat_udf(),
            _ => Arc::clone(&self.inner),
        }
    }
}

impl ScalarUDFImpl for Strict {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let inner = self.inner_of(types.first());
        match inner.name() {
            "concat" => Ok(vec![DataType::Utf8; types.len()]),
            _ => inner.coerce_types(types),
        }
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.inner_of(types.first()).return_type(types)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let nullable = args.arg_fields.iter().any(|field| field.is_nullable());
        let inner = self.inner_of(args.arg_fields.first().map(|field| field.data_type()));
        let field = inner.return_field_from_args(args)?;
        Ok(Arc::new(field.as_ref().clone().with_nullable(nullable)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let is_null = |arg: &ColumnarValue| matches!(arg, ColumnarValue::Scalar(scalar) if scalar.is_null());
        if args.args.iter().any(is_null) {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from(
                args.return_field.data_type(),
            )?));
        }
        let nulls = args.args.iter().fold(None, |nulls, arg| match arg {
            ColumnarValue::Array(array) => NullBuffer::union(nulls.as_ref(), array.logical_nulls().as_ref()),
            ColumnarValue::Scalar(_) => nulls,
        });
        let inner = self.inner_of(args.arg_fields.first().map(|field| field.data_type()));
        let computed = inner.invoke_with_args(args)?;
        match (computed, nulls) {
            (ColumnarValue::Array(array), Some(nulls)) => {
                let is_null = BooleanArray::new(!nulls.inner(), None);
                Ok(ColumnarValue::Array(nullif(&array, &is_null)?))
            }
            (computed, _) => Ok(computed),
        }
    }
}

//! `CAST(x AS varchar(n))`: text is cut to n characters; what is no text must fit.

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::arrow::error::ArrowError;
use datafusion::common::{Result, ScalarValue, internal_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use std::sync::Arc;

/// `to_varchar(x, n)`, or `try_varchar(x, n)` which gives NULL where the other fails.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Varchar {
    is_try: bool,
    signature: Signature,
}

pub fn function(is_try: bool) -> Arc<ScalarUDF> {
    let signature = Signature::user_defined(Volatility::Immutable);
    Arc::new(ScalarUDF::new_from_impl(Varchar { is_try, signature }))
}

impl ScalarUDFImpl for Varchar {
    fn name(&self) -> &str {
        match self.is_try {
            true => "try_varchar",
            false => "to_varchar",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    /// Text of any kind is one kind; the rest comes as it is, for it must fit.
    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        match types {
            [
                DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null,
                _,
            ] => Ok(vec![DataType::Utf8, DataType::Int64]),
            [value, _] => Ok(vec![value.clone(), DataType::Int64]),
            _ => plan_err!("{} requires a value and a length", self.name()),
        }
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let field = super::strict_field(self, &args)?;
        let nullable = self.is_try || field.is_nullable();
        Ok(Arc::new(field.as_ref().clone().with_nullable(nullable)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [value, ColumnarValue::Scalar(ScalarValue::Int64(Some(length)))] = args.args.as_slice() else {
            return internal_err!("the length of a varchar is a literal");
        };
        let length = usize::try_from(*length).unwrap_or(0);
        let is_scalar = matches!(value, ColumnarValue::Scalar(_));
        let values = value.to_array(if is_scalar { 1 } else { args.number_rows })?;
        let texts: ArrayRef = Arc::new(self.texts(&values, length)?);
        Ok(match is_scalar {
            true => ColumnarValue::Scalar(ScalarValue::try_from_array(&texts, 0)?),
            false => ColumnarValue::Array(texts),
        })
    }
}

impl Varchar {
    fn texts(&self, values: &ArrayRef, length: usize) -> Result<StringArray, ArrowError> {
        let is_text = values.data_type() == &DataType::Utf8;
        let texts = cast(values, &DataType::Utf8)?;
        let fit = texts.as_string::<i32>().iter().map(|text| match text {
            None => Ok(None),
            Some(text) if is_text => Ok(Some(cut(text, length))),
            Some(text) if text.chars().count() <= length => Ok(Some(text)),
            Some(_) if self.is_try => Ok(None),
            Some(text) => Err(ArrowError::CastError(format!(
                "Value {text} cannot be represented as varchar({length})"
            ))),
        });
        fit.collect()
    }
}

/// The first characters.
fn cut(text: &str, length: usize) -> &str {
    match text.char_indices().nth(length) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}

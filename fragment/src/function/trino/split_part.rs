//! `split_part(text, delimiter, index)`: NULL beyond the last part, and an error for an index below one; DataFusion counts from the end there.

use datafusion::arrow::array::{ArrayRef, AsArray, StringArray};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use datafusion::arrow::error::ArrowError;
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use std::sync::Arc;

#[derive(Debug, PartialEq, Eq, Hash)]
struct SplitPart {
    signature: Signature,
}

/// Under DataFusion's name.
pub fn function() -> Arc<ScalarUDF> {
    let signature = Signature::user_defined(Volatility::Immutable);
    Arc::new(ScalarUDF::new_from_impl(SplitPart { signature }))
}

impl ScalarUDFImpl for SplitPart {
    fn name(&self) -> &str {
        "split_part"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        match types.len() {
            3 => Ok(vec![DataType::Utf8, DataType::Utf8, DataType::Int64]),
            _ => plan_err!("split_part requires a text, a delimiter and an index"),
        }
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn return_field_from_args(&self, _: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        Ok(Arc::new(Field::new(self.name(), DataType::Utf8, true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let is_scalar = args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let rows = if is_scalar { 1 } else { args.number_rows };
        let arrays: Vec<ArrayRef> = args.args.iter().map(|arg| arg.to_array(rows)).collect::<Result<_>>()?;
        let parts: ArrayRef = Arc::new(parts(&arrays)?);
        Ok(match is_scalar {
            true => ColumnarValue::Scalar(ScalarValue::try_from_array(&parts, 0)?),
            false => ColumnarValue::Array(parts),
        })
    }
}

fn parts(arrays: &[ArrayRef]) -> Result<StringArray, ArrowError> {
    let (texts, delimiters) = (arrays[0].as_string::<i32>(), arrays[1].as_string::<i32>());
    let indexes = arrays[2].as_primitive::<Int64Type>();
    let rows = texts.iter().zip(delimiters.iter()).zip(indexes.iter());
    rows.map(|((text, delimiter), index)| match (text, delimiter, index) {
        (Some(text), Some(delimiter), Some(index)) => part(text, delimiter, index),
        _ => Ok(None),
    })
    .collect()
}

fn part<'a>(text: &'a str, delimiter: &str, index: i64) -> Result<Option<&'a str>, ArrowError> {
    let invalid = |why: &str| Err(ArrowError::InvalidArgumentError(why.to_owned()));
    if delimiter.is_empty() {
        return invalid("split_part: the delimiter may not be the empty text");
    }
    match usize::try_from(index - 1) {
        Ok(before) => Ok(text.split(delimiter).nth(before)),
        Err(_) => invalid("split_part: the index must be greater than zero"),
    }
}

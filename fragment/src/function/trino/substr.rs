//! `substr`: a start below zero counts from the end, and what lies outside of the text is empty. DataFusion counts such starts as before the
//! text.

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, FieldRef, Int64Type};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::functions::unicode::substr;
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use std::sync::Arc;

#[derive(Debug, PartialEq, Eq, Hash)]
struct Substr {
    signature: Signature,
    aliases: Vec<String>,
}

/// Under DataFusion's name.
pub fn function() -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::new_from_impl(Substr {
        signature: Signature::user_defined(Volatility::Immutable),
        aliases: vec!["substring".to_owned()],
    }))
}

impl ScalarUDFImpl for Substr {
    fn name(&self) -> &str {
        "substr"
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let (text, numbers) = match types {
            [text, numbers @ ..] if matches!(numbers.len(), 1 | 2) => (text, numbers),
            _ => return plan_err!("substr requires a text, a start and perhaps a length"),
        };
        let is_number = |number: &DataType| number.is_integer() || number.is_null();
        let is_text = text.is_string() || text.is_null() || matches!(text, DataType::Dictionary(..));
        if !is_text || !numbers.iter().all(is_number) {
            return plan_err!("substr requires a text and integers, not {types:?}");
        }
        Ok([vec![DataType::Utf8], vec![DataType::Int64; numbers.len()]].concat())
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        super::strict_field(self, &args)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        if starts_inside(&args.args) {
            let computed = substr().invoke_with_args(args)?;
            return computed.cast_to(&DataType::Utf8, None);
        }
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

/// The common case, in which both mean the same.
fn starts_inside(args: &[ColumnarValue]) -> bool {
    let at_least =
        |arg: &ColumnarValue, least| matches!(arg, ColumnarValue::Scalar(ScalarValue::Int64(Some(n))) if *n >= least);
    match args {
        [_, start] => at_least(start, 1),
        [_, start, length] => at_least(start, 1) && at_least(length, 0),
        _ => false,
    }
}

fn parts(arrays: &[ArrayRef]) -> Result<StringArray> {
    let texts = cast(&arrays[0], &DataType::Utf8)?;
    let texts = texts.as_string::<i32>();
    let starts = arrays[1].as_primitive::<Int64Type>();
    let lengths = arrays.get(2).map(|lengths| lengths.as_primitive::<Int64Type>());
    let row = |row: usize| {
        let is_null = texts.is_null(row) || starts.is_null(row) || lengths.is_some_and(|lengths| lengths.is_null(row));
        let length = lengths.map_or(i64::MAX, |lengths| lengths.value(row));
        (!is_null).then(|| part(texts.value(row), starts.value(row), length))
    };
    Ok((0..texts.len()).map(row).collect())
}

fn part(text: &str, start: i64, length: i64) -> &str {
    let count = text.chars().count() as i64;
    let first = match start {
        1.. => start - 1,
        0 => return "",
        _ => count + start,
    };
    if first < 0 || first >= count || length <= 0 {
        return "";
    }
    let byte = |at: i64| {
        let at = usize::try_from(at).unwrap_or(usize::MAX);
        text.char_indices().nth(at).map_or(text.len(), |(byte, _)| byte)
    };
    &text[byte(first)..byte(first.saturating_add(length))]
}

#[cfg(test)]
mod tests {
    use super::part;

    #[test]
    fn starts_count_from_either_end() {
        assert_eq!(part("Quadratically", -7, i64::MAX), "tically");
        assert_eq!(part("Quadratically", -7, 3), "tic");
        assert_eq!(part("äöü", 2, 1), "ö");
        assert_eq!(part("äöü", -3, 9), "äöü");
        assert_eq!(part("abc", -4, 2), "");
        assert_eq!(part("abc", 0, 2), "");
        assert_eq!(part("abc", 4, 2), "");
        assert_eq!(part("abc", 2, -1), "");
    }
}

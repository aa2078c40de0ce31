//! `regexp_replace(text, pattern [, replacement])` of every match, as Trino does where DataFusion replaces the first; `$1` is a group whatever
//! follows it. With a fourth argument, DataFusion's flags, it is DataFusion's.

use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::functions::regex::regexp_replace;
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use std::sync::Arc;

#[derive(Debug, PartialEq, Eq, Hash)]
struct RegexpReplace {
    signature: Signature,
}

/// Under DataFusion's name.
pub fn function() -> Arc<ScalarUDF> {
    let signature = Signature::user_defined(Volatility::Immutable);
    Arc::new(ScalarUDF::new_from_impl(RegexpReplace { signature }))
}

impl ScalarUDFImpl for RegexpReplace {
    fn name(&self) -> &str {
        "regexp_replace"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        match types.len() {
            count @ 2..=4 => Ok(vec![DataType::Utf8; count]),
            _ => plan_err!("regexp_replace requires a text, a pattern and perhaps a replacement"),
        }
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        super::strict_field(self, &args)
    }

    fn invoke_with_args(&self, mut args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let count = args.args.len();
        if count < 4 {
            if count == 2 {
                add(&mut args, "");
            }
            if let ColumnarValue::Scalar(ScalarValue::Utf8(Some(replacement))) = &mut args.args[2] {
                *replacement = braced(replacement);
            }
            add(&mut args, "g");
        }
        regexp_replace().invoke_with_args(args)?.cast_to(&DataType::Utf8, None)
    }
}

fn add(args: &mut ScalarFunctionArgs, text: &str) {
    args.args.push(ColumnarValue::Scalar(ScalarValue::from(text)));
    args.arg_fields
        .push(Arc::new(Field::new("argument", DataType::Utf8, false)));
}

/// `$1a` → `${1}a`, `\$` → `$$`: as Rust's regular expressions write what Java's do.
fn braced(replacement: &str) -> String {
    let mut braced = String::with_capacity(replacement.len());
    let mut rest = replacement.chars().peekable();
    while let Some(next) = rest.next() {
        match next {
            '\\' if rest.peek() == Some(&'$') => {
                rest.next();
                braced.push_str("$$");
            }
            '$' if rest.peek().is_some_and(char::is_ascii_digit) => {
                braced.push_str("${");
                while let Some(digit) = rest.next_if(char::is_ascii_digit) {
                    braced.push(digit);
                }
                braced.push('}');
            }
            next => braced.push(next),
        }
    }
    braced
}

#[cfg(test)]
mod tests {
    use super::braced;

    #[test]
    fn groups_end_with_their_digits() {
        assert_eq!(braced("3c$2 "), "3c${2} ");
        assert_eq!(braced("$1a$12"), "${1}a${12}");
        assert_eq!(braced(r"\$1"), "$$1");
        assert_eq!(braced("${name}"), "${name}");
    }
}

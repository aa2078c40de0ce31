//! `date_format(timestamp, format)` with MySQL's letters, as Trino documents them. DataFusion's own has C's.

use chrono::{DateTime, Datelike, NaiveDateTime, Timelike};
use datafusion::arrow::array::{ArrayRef, AsArray, StringArray};
use datafusion::arrow::datatypes::{DataType, FieldRef, TimeUnit, TimestampMicrosecondType};
use datafusion::arrow::error::ArrowError;
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use std::sync::Arc;

#[derive(Debug, PartialEq, Eq, Hash)]
struct DateFormat {
    signature: Signature,
}

/// In place of DataFusion's other name for `to_char`.
pub fn function() -> Arc<ScalarUDF> {
    let signature = Signature::user_defined(Volatility::Immutable);
    Arc::new(ScalarUDF::new_from_impl(DateFormat { signature }))
}

impl ScalarUDFImpl for DateFormat {
    fn name(&self) -> &str {
        "date_format"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        match types {
            [DataType::Timestamp(..) | DataType::Date32 | DataType::Null, _] => {
                Ok(vec![DataType::Timestamp(TimeUnit::Microsecond, None), DataType::Utf8])
            }
            _ => plan_err!("date_format requires a timestamp or a date, and a format"),
        }
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        super::strict_field(self, &args)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let is_scalar = args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let rows = if is_scalar { 1 } else { args.number_rows };
        let arrays: Vec<ArrayRef> = args.args.iter().map(|arg| arg.to_array(rows)).collect::<Result<_>>()?;
        let texts: ArrayRef = Arc::new(texts(&arrays)?);
        Ok(match is_scalar {
            true => ColumnarValue::Scalar(ScalarValue::try_from_array(&texts, 0)?),
            false => ColumnarValue::Array(texts),
        })
    }
}

fn texts(arrays: &[ArrayRef]) -> Result<StringArray, ArrowError> {
    let times = arrays[0].as_primitive::<TimestampMicrosecondType>();
    let formats = arrays[1].as_string::<i32>();
    let rows = times.iter().zip(formats.iter());
    rows.map(|(time, format)| match (time, format) {
        (Some(time), Some(format)) => {
            let time = DateTime::from_timestamp_micros(time);
            let time = time.ok_or_else(|| ArrowError::ComputeError("date_format: out of range".to_owned()))?;
            text(time.naive_utc(), format).map(Some)
        }
        _ => Ok(None),
    })
    .collect()
}

fn text(time: NaiveDateTime, format: &str) -> Result<String, ArrowError> {
    let mut text = String::with_capacity(format.len() * 2);
    let mut letters = format.chars();
    while let Some(letter) = letters.next() {
        match (letter, letter == '%') {
            (_, true) => match letters.next() {
                Some(letter) => text.push_str(&specified(time, letter)?),
                None => text.push('%'),
            },
            (letter, false) => text.push(letter),
        }
    }
    Ok(text)
}

fn specified(time: NaiveDateTime, letter: char) -> Result<String, ArrowError> {
    let (_, hour) = time.hour12();
    Ok(match letter {
        'a' | 'b' | 'd' | 'H' | 'j' | 'm' | 'p' | 'S' | 'T' | 'y' | 'Y' => {
            time.format(&format!("%{letter}")).to_string()
        }
        'c' => time.month().to_string(),
        'e' => time.day().to_string(),
        'f' => time.format("%6f").to_string(),
        'h' | 'I' => format!("{hour:02}"),
        'i' => time.format("%M").to_string(),
        'k' => time.hour().to_string(),
        'l' => hour.to_string(),
        'M' => time.format("%B").to_string(),
        'r' => time.format("%I:%M:%S %p").to_string(),
        's' => time.format("%S").to_string(),
        'v' => time.format("%V").to_string(),
        'W' => time.format("%A").to_string(),
        'x' => time.format("%G").to_string(),
        'D' | 'U' | 'u' | 'V' | 'w' | 'X' => {
            let message = format!("date_format: %{letter} is not supported, as in Trino");
            return Err(ArrowError::InvalidArgumentError(message));
        }
        other => other.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::text;
    use chrono::NaiveDate;

    #[test]
    fn letters_are_those_of_mysql() {
        let time = NaiveDate::from_ymd_opt(2001, 1, 9).and_then(|day| day.and_hms_micro_opt(13, 4, 5, 321_000));
        let time = time.expect("a time");
        let check =
            |format: &str, expected: &str| assert_eq!(text(time, format).ok().as_deref(), Some(expected), "{format}");
        check("%Y-%m-%d %H:%i:%s", "2001-01-09 13:04:05");
        check("%c/%e/%y %l:%i %p", "1/9/01 1:04 PM");
        check("%W, %M %e", "Tuesday, January 9");
        check("%f %j %T %r", "321000 009 13:04:05 01:04:05 PM");
        check("%x-%v %a %b %k %h %%", "2001-02 Tue Jan 13 01 %");
        assert!(text(time, "%D").is_err());
    }
}

//! Timestamps as text: `2020-06-01 00:30:00.123`, with as many digits of the second as the type has, and `… Europe/Berlin` with a zone.

use chrono::{DateTime, Utc};
use datafusion::arrow::array::timezone::Tz;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, FieldRef, Int64Type, TimeUnit};
use datafusion::arrow::error::ArrowError;
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use std::sync::Arc;

#[derive(Debug, PartialEq, Eq, Hash)]
struct TimestampText {
    signature: Signature,
}

pub fn function() -> Arc<ScalarUDF> {
    let signature = Signature::user_defined(Volatility::Immutable);
    Arc::new(ScalarUDF::new_from_impl(TimestampText { signature }))
}

impl ScalarUDFImpl for TimestampText {
    fn name(&self) -> &str {
        "timestamp_text"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(types.to_vec())
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        super::strict_field(self, &args)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [value] = args.args.as_slice() else {
            return internal_err!("the text of {} timestamps", args.args.len());
        };
        let is_scalar = matches!(value, ColumnarValue::Scalar(_));
        let values = value.to_array(if is_scalar { 1 } else { args.number_rows })?;
        let texts: ArrayRef = Arc::new(texts(&values)?);
        Ok(match is_scalar {
            true => ColumnarValue::Scalar(ScalarValue::try_from_array(&texts, 0)?),
            false => ColumnarValue::Array(texts),
        })
    }
}

fn texts(values: &ArrayRef) -> Result<StringArray, ArrowError> {
    let DataType::Timestamp(unit, zone) = values.data_type() else {
        return Err(ArrowError::CastError(format!("{} is no timestamp", values.data_type())));
    };
    let zone = match zone {
        Some(name) => Some((name.parse::<Tz>()?, name.as_ref())),
        None => None,
    };
    let ticks = cast(values, &DataType::Int64)?;
    let text = |ticks| {
        text(ticks, *unit, zone).ok_or_else(|| ArrowError::CastError(format!("timestamp {ticks} is out of range")))
    };
    let texts = ticks
        .as_primitive::<Int64Type>()
        .iter()
        .map(|ticks| ticks.map(text).transpose());
    texts.collect()
}

fn text(ticks: i64, unit: TimeUnit, zone: Option<(Tz, &str)>) -> Option<String> {
    let (instant, format) = match unit {
        TimeUnit::Second => (DateTime::<Utc>::from_timestamp(ticks, 0)?, "%Y-%m-%d %H:%M:%S"),
        TimeUnit::Millisecond => (DateTime::from_timestamp_millis(ticks)?, "%Y-%m-%d %H:%M:%S%.3f"),
        TimeUnit::Microsecond => (DateTime::from_timestamp_micros(ticks)?, "%Y-%m-%d %H:%M:%S%.6f"),
        TimeUnit::Nanosecond => (DateTime::from_timestamp_nanos(ticks), "%Y-%m-%d %H:%M:%S%.9f"),
    };
    Some(match zone {
        None => instant.format(format).to_string(),
        Some((zone, name)) => format!("{} {name}", instant.with_timezone(&zone).format(format)),
    })
}

//! `date_trunc`: of a date a date, of a timestamp one of its unit, as far as its unit reaches, and with a zone by the zone's local time.
//!
//! Left out: times of day, which DataFusion truncates.

use super::zone::{offset_of_instant, offset_of_local, ticks_per_second};
use chrono::{DateTime, Datelike, NaiveDate};
use datafusion::arrow::array::timezone::Tz;
use datafusion::arrow::array::{ArrayRef, AsArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Date32Type, Field, FieldRef, Int64Type, TimeUnit};
use datafusion::arrow::error::ArrowError;
use datafusion::common::{Result, ScalarValue, exec_err, internal_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use std::sync::Arc;

const DAY_SECONDS: i64 = 86_400;

#[derive(Debug, PartialEq, Eq, Hash)]
struct DateTrunc {
    signature: Signature,
    aliases: Vec<String>,
}

/// Under DataFusion's name.
pub fn function() -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::new_from_impl(DateTrunc {
        signature: Signature::user_defined(Volatility::Immutable),
        aliases: vec!["datetrunc".to_owned()],
    }))
}

/// What is left of a point in time.
#[derive(Clone, Copy)]
enum Part {
    /// A fraction of a second: so many of it.
    Fraction(i64),
    /// Seconds that divide a day.
    Seconds(i64),
    Days(fn(NaiveDate) -> Option<NaiveDate>),
}

fn part(name: &str) -> Option<Part> {
    Some(match name.to_lowercase().as_str() {
        "microsecond" => Part::Fraction(1_000_000),
        "millisecond" => Part::Fraction(1_000),
        "second" => Part::Seconds(1),
        "minute" => Part::Seconds(60),
        "hour" => Part::Seconds(3_600),
        "day" => Part::Days(Some),
        "week" => Part::Days(|day| Some(day - chrono::Days::new(u64::from(day.weekday().num_days_from_monday())))),
        "month" => Part::Days(|day| day.with_day(1)),
        "quarter" => Part::Days(|day| NaiveDate::from_ymd_opt(day.year(), day.month0() / 3 * 3 + 1, 1)),
        "year" => Part::Days(|day| NaiveDate::from_ymd_opt(day.year(), 1, 1)),
        _ => return None,
    })
}

impl ScalarUDFImpl for DateTrunc {
    fn name(&self) -> &str {
        "date_trunc"
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    /// Text is read as a timestamp, as DataFusion does.
    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let value = match types {
            [
                _,
                kept @ (DataType::Date32 | DataType::Timestamp(..) | DataType::Time32(_) | DataType::Time64(_)),
            ] => kept.clone(),
            [
                _,
                DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null | DataType::Date64,
            ] => DataType::Timestamp(TimeUnit::Microsecond, None),
            _ => return plan_err!("date_trunc requires the name of a unit and a date or a timestamp"),
        };
        Ok(vec![DataType::Utf8, value])
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        match types {
            [_, value] => Ok(value.clone()),
            _ => internal_err!("date_trunc of {} arguments", types.len()),
        }
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let value = &args.arg_fields[1];
        Ok(Arc::new(Field::new(
            self.name(),
            value.data_type().clone(),
            value.is_nullable(),
        )))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [ColumnarValue::Scalar(ScalarValue::Utf8(Some(name))), value] = args.args.as_slice() else {
            return exec_err!("the unit of date_trunc must be a literal that is not NULL");
        };
        if matches!(value.data_type(), DataType::Time32(_) | DataType::Time64(_)) {
            return datafusion::functions::datetime::date_trunc().invoke_with_args(args);
        }
        let Some(part) = part(name) else {
            return exec_err!("'{name}' is not a unit that date_trunc knows");
        };
        let is_scalar = matches!(value, ColumnarValue::Scalar(_));
        let truncated = truncated(&value.to_array(if is_scalar { 1 } else { args.number_rows })?, part)?;
        Ok(match is_scalar {
            true => ColumnarValue::Scalar(ScalarValue::try_from_array(&truncated, 0)?),
            false => ColumnarValue::Array(truncated),
        })
    }
}

fn truncated(values: &ArrayRef, part: Part) -> Result<ArrayRef, ArrowError> {
    let out_of_range = || ArrowError::ArithmeticOverflow("date_trunc: out of range".to_owned());
    match values.data_type() {
        DataType::Date32 => {
            let days = values.as_primitive::<Date32Type>();
            let day = |day: i32| i32::try_from(day_of(i64::from(day), part)?).ok();
            let days = days.try_unary::<_, Date32Type, _>(|value| day(value).ok_or_else(out_of_range))?;
            Ok(Arc::new(days))
        }
        DataType::Timestamp(unit, zone) => {
            let zone = zone.as_ref().map(|zone| zone.parse::<Tz>()).transpose()?;
            let ticks = cast(values, &DataType::Int64)?;
            let ticks = ticks.as_primitive::<Int64Type>();
            let tick = |tick| instant(tick, ticks_per_second(*unit), zone.as_ref(), part);
            let ticks = ticks.try_unary::<_, Int64Type, _>(|value| tick(value).ok_or_else(out_of_range))?;
            cast(&(Arc::new(ticks) as ArrayRef), values.data_type())
        }
        other => Err(ArrowError::NotYetImplemented(format!("date_trunc of {other}"))),
    }
}

/// Days since 1970.
fn day_of(days: i64, part: Part) -> Option<i64> {
    let Part::Days(truncate) = part else {
        return Some(days);
    };
    let date = DateTime::from_timestamp(days.checked_mul(DAY_SECONDS)?, 0)?.date_naive();
    Some(
        truncate(date)?
            .and_time(chrono::NaiveTime::MIN)
            .and_utc()
            .timestamp()
            .div_euclid(DAY_SECONDS),
    )
}

fn instant(ticks: i64, per_second: i64, zone: Option<&Tz>, part: Part) -> Option<i64> {
    let seconds = ticks.div_euclid(per_second);
    let offset = match zone {
        Some(zone) => offset_of_instant(zone, seconds)?,
        None => 0,
    };
    match part {
        Part::Fraction(parts) => Some(ticks - ticks.rem_euclid((per_second / parts).max(1))),
        // An hour that comes twice stays the one that it is.
        Part::Seconds(unit) => (seconds - (seconds + offset).rem_euclid(unit)).checked_mul(per_second),
        Part::Days(_) => {
            let midnight = day_of((seconds + offset).div_euclid(DAY_SECONDS), part)?.checked_mul(DAY_SECONDS)?;
            let offset = match zone {
                Some(zone) => offset_of_local(zone, midnight)?,
                None => 0,
            };
            (midnight - offset).checked_mul(per_second)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{instant, part};

    fn check(name: &str, ticks: i64, per_second: i64, zone: Option<&str>, expected: i64) {
        let zone = zone.map(|zone| zone.parse().expect("a zone"));
        let part = part(name).expect("a unit");
        assert_eq!(
            instant(ticks, per_second, zone.as_ref(), part),
            Some(expected),
            "{name} {ticks}"
        );
    }

    #[test]
    fn instants_are_truncated() {
        check("second", -1, 1_000, None, -1_000);
        check("millisecond", -1, 1_000_000, None, -1_000);
        check("day", -1, 1, None, -86_400);
        // 1970-01-01 was a Thursday.
        check("week", 0, 1, None, -3 * 86_400);
        check(
            "year",
            253_402_300_799_000_000,
            1_000_000,
            None,
            253_370_764_800_000_000,
        );
        check("day", 0, 1, Some("+02:00"), -7_200);
        check("quarter", 31_000_000, 1, None, 23_587_200);
    }
}

//! Intervals times numbers, and by numbers. Months, and days with their time, are counted apart, as in Trino; what is no whole month is cut
//! off, and so is what is no whole nanosecond.

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array, IntervalMonthDayNanoArray};
use datafusion::arrow::array::{Datum, PrimitiveArray};
use datafusion::arrow::compute::kernels::arity::try_binary;
use datafusion::arrow::datatypes::{DataType, FieldRef, IntervalMonthDayNano, IntervalMonthDayNanoType, IntervalUnit};
use datafusion::arrow::error::ArrowError;
use datafusion::common::{Result, internal_err};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::physical_expr_common::datum::apply;
use std::sync::Arc;

const DAY_NANOS: i128 = 86_400_000_000_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scale {
    Times,
    By,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Scaled {
    scale: Scale,
    signature: Signature,
}

/// Of an interval and a number, in this order.
pub fn function(scale: Scale) -> Arc<ScalarUDF> {
    let signature = Signature::user_defined(Volatility::Immutable);
    Arc::new(ScalarUDF::new_from_impl(Scaled { scale, signature }))
}

impl ScalarUDFImpl for Scaled {
    fn name(&self) -> &str {
        match self.scale {
            Scale::Times => "interval *",
            Scale::By => "interval /",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        match types {
            [_, number] => Ok(vec![
                DataType::Interval(IntervalUnit::MonthDayNano),
                match number.is_integer() {
                    true => DataType::Int64,
                    false => DataType::Float64,
                },
            ]),
            _ => internal_err!("{} of {} operands", self.name(), types.len()),
        }
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Interval(IntervalUnit::MonthDayNano))
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        super::strict_field(self, &args)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [interval, number] = args.args.as_slice() else {
            return internal_err!("{} of {} operands", self.name(), args.args.len());
        };
        let scale = self.scale;
        apply(interval, number, move |interval, number| {
            scaled(scale, interval, number)
        })
    }
}

fn scaled(scale: Scale, interval: &dyn Datum, number: &dyn Datum) -> Result<ArrayRef, ArrowError> {
    let ((intervals, interval_is_one), (numbers, number_is_one)) = (interval.get(), number.get());
    let rows = if interval_is_one {
        numbers.len()
    } else {
        intervals.len()
    };
    let intervals = repeated(
        intervals.as_primitive::<IntervalMonthDayNanoType>(),
        interval_is_one,
        rows,
    );
    let scaled: IntervalMonthDayNanoArray = match numbers.data_type() {
        DataType::Int64 => {
            let numbers: Int64Array = repeated(numbers.as_primitive(), number_is_one, rows);
            try_binary(&intervals, &numbers, |interval, number| whole(scale, interval, number))?
        }
        _ => {
            let numbers: Float64Array = repeated(numbers.as_primitive(), number_is_one, rows);
            try_binary(&intervals, &numbers, |interval, number| broken(scale, interval, number))?
        }
    };
    Ok(Arc::new(scaled))
}

fn repeated<T: datafusion::arrow::array::ArrowPrimitiveType>(
    values: &PrimitiveArray<T>,
    is_one: bool,
    rows: usize,
) -> PrimitiveArray<T> {
    match is_one {
        false => values.clone(),
        true if values.is_null(0) => PrimitiveArray::new_null(rows),
        true => PrimitiveArray::from_value(values.value(0), rows),
    }
}

fn whole(scale: Scale, interval: IntervalMonthDayNano, number: i64) -> Result<IntervalMonthDayNano, ArrowError> {
    let (months, nanos, number) = (i128::from(interval.months), nanos(interval), i128::from(number));
    match scale {
        Scale::Times => {
            let nanos = nanos.checked_mul(number).ok_or_else(out_of_range)?;
            made(months * number, nanos)
        }
        Scale::By if number == 0 => Err(ArrowError::DivideByZero),
        Scale::By => made(months / number, nanos / number),
    }
}

fn broken(scale: Scale, interval: IntervalMonthDayNano, number: f64) -> Result<IntervalMonthDayNano, ArrowError> {
    let part = |count: i128| match scale {
        Scale::Times => count as f64 * number,
        Scale::By => count as f64 / number,
    };
    let (months, nanos) = (part(i128::from(interval.months)), part(nanos(interval)));
    match months.is_finite() && nanos.is_finite() {
        true => made(months as i128, nanos as i128),
        false if number == 0.0 => Err(ArrowError::DivideByZero),
        false => Err(out_of_range()),
    }
}

/// Days and their time.
fn nanos(interval: IntervalMonthDayNano) -> i128 {
    i128::from(interval.days) * DAY_NANOS + i128::from(interval.nanoseconds)
}

fn made(months: i128, nanos: i128) -> Result<IntervalMonthDayNano, ArrowError> {
    let months = i32::try_from(months).map_err(|_| out_of_range())?;
    let days = i32::try_from(nanos / DAY_NANOS).map_err(|_| out_of_range())?;
    let nanos = i64::try_from(nanos % DAY_NANOS).map_err(|_| out_of_range())?;
    Ok(IntervalMonthDayNano::new(months, days, nanos))
}

fn out_of_range() -> ArrowError {
    ArrowError::ArithmeticOverflow("interval out of range".to_owned())
}

#[cfg(test)]
mod tests {
    use super::{Scale, broken, whole};
    use datafusion::arrow::datatypes::IntervalMonthDayNano as Interval;

    const HOUR: i64 = 3_600_000_000_000;

    #[test]
    fn whole_numbers_are_exact() {
        let two = |scale, interval| whole(scale, interval, 2).expect("in range");
        assert_eq!(
            two(Scale::Times, Interval::new(1, 3, HOUR)),
            Interval::new(2, 6, 2 * HOUR)
        );
        assert_eq!(
            two(Scale::By, Interval::new(3, 1, HOUR)),
            Interval::new(1, 0, 12 * HOUR + HOUR / 2)
        );
        assert_eq!(
            two(Scale::Times, Interval::new(0, 0, 13 * HOUR)),
            Interval::new(0, 1, 2 * HOUR)
        );
    }

    #[test]
    fn fractions_are_cut_off_at_months_and_nanoseconds() {
        let half = broken(Scale::Times, Interval::new(3, 1, 1), 0.5).expect("in range");
        assert_eq!(half, Interval::new(1, 0, 12 * HOUR));
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        assert!(whole(Scale::Times, Interval::new(i32::MAX, 0, 0), 2).is_err());
        assert!(whole(Scale::Times, Interval::new(0, i32::MAX, 0), i64::MAX).is_err());
        assert!(whole(Scale::By, Interval::new(1, 0, 0), 0).is_err());
        assert!(broken(Scale::By, Interval::new(1, 0, 0), 0.0).is_err());
        assert!(broken(Scale::Times, Interval::new(1, 0, 0), f64::NAN).is_err());
    }
}

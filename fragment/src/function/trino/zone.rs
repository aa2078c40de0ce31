//! Between instants and local times: `at_timezone`, and what casts between timestamps with and without a zone mean.
//!
//! A local time that a zone skips is taken as if the clock had not been put forward; of one that it has twice, the first is meant.

use chrono::{DateTime, Offset, TimeDelta, TimeZone};
use datafusion::arrow::array::timezone::Tz;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, PrimitiveArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Int64Type, TimeUnit};
use datafusion::arrow::error::ArrowError;
use datafusion::common::{Result, ScalarValue, internal_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use std::sync::Arc;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    /// The instant stays, and is shown in another zone: `at_timezone(x, zone)`.
    Shown,
    /// The local time stays, and is that of a zone: `with_timezone(x, zone)`.
    Placed,
    /// The local time of the zone that an instant is in: `local_time(x)`.
    Local,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct ZoneChange {
    change: Change,
    signature: Signature,
}

pub fn function(change: Change) -> Arc<ScalarUDF> {
    let signature = Signature::user_defined(Volatility::Immutable);
    Arc::new(ScalarUDF::new_from_impl(ZoneChange { change, signature }))
}

impl ScalarUDFImpl for ZoneChange {
    fn name(&self) -> &str {
        match self.change {
            Change::Shown => "at_timezone",
            Change::Placed => "with_timezone",
            Change::Local => "local_time",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let unit = match types.first() {
            Some(DataType::Timestamp(unit, _)) => *unit,
            Some(DataType::Date32) => TimeUnit::Second,
            _ => return plan_err!("{} takes a timestamp; this is {types:?}", self.name()),
        };
        let zone = match (self.change, types.first()) {
            (Change::Placed, _) => None,
            (_, Some(DataType::Timestamp(_, Some(zone)))) => Some(Arc::clone(zone)),
            _ => Some("UTC".into()),
        };
        let arguments = match self.change {
            Change::Local => vec![],
            _ => vec![DataType::Utf8],
        };
        match types.len() == arguments.len() + 1 {
            true => Ok([vec![DataType::Timestamp(unit, zone)], arguments].concat()),
            false => plan_err!("{} requires {} arguments", self.name(), arguments.len() + 1),
        }
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        internal_err!("the type of {} hangs on its zone", self.name())
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let argument = &args.arg_fields[0];
        let DataType::Timestamp(unit, _) = argument.data_type() else {
            return internal_err!("{} of {}", self.name(), argument.data_type());
        };
        let zone = match self.change {
            Change::Local => None,
            _ => match args.scalar_arguments.get(1) {
                Some(Some(ScalarValue::Utf8(Some(zone)))) => Some(zone.as_str().into()),
                _ => return plan_err!("the time zone of {} must be a literal", self.name()),
            },
        };
        let data_type = DataType::Timestamp(*unit, zone);
        Ok(Arc::new(Field::new(self.name(), data_type, argument.is_nullable())))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let target = args.return_field.data_type().clone();
        let is_scalar = matches!(args.args[0], ColumnarValue::Scalar(_));
        let instants = args.args[0].to_array(if is_scalar { 1 } else { args.number_rows })?;
        let changed = self.changed(&instants, &target)?;
        Ok(match is_scalar {
            true => ColumnarValue::Scalar(ScalarValue::try_from_array(&changed, 0)?),
            false => ColumnarValue::Array(changed),
        })
    }
}

impl ZoneChange {
    fn changed(&self, values: &ArrayRef, target: &DataType) -> Result<ArrayRef, ArrowError> {
        let DataType::Timestamp(unit, zone) = values.data_type() else {
            return Err(ArrowError::ComputeError(format!(
                "no timestamp: {}",
                values.data_type()
            )));
        };
        let seconds = ticks_per_second(*unit);
        let moved = match (self.change, zone, target) {
            (Change::Shown, ..) => return cast(values, target),
            (Change::Local, Some(zone), _) => {
                let zone: Tz = zone.parse()?;
                moved(values, |ticks| {
                    Some(offset_of_instant(&zone, ticks.div_euclid(seconds))? * seconds)
                })
            }
            (Change::Placed, None, DataType::Timestamp(_, Some(zone))) => {
                let zone: Tz = zone.parse()?;
                moved(values, |ticks| {
                    Some(-offset_of_local(&zone, ticks.div_euclid(seconds))? * seconds)
                })
            }
            _ => return Ok(Arc::clone(values)),
        };
        // Ticks as they are: the type alone changes.
        cast(&(Arc::new(moved?) as ArrayRef), target)
    }
}

/// Ticks, each moved by as many as `by` says.
fn moved(values: &ArrayRef, by: impl Fn(i64) -> Option<i64>) -> Result<PrimitiveArray<Int64Type>, ArrowError> {
    let ticks = cast(values, &DataType::Int64)?;
    let out_of_range = || ArrowError::ArithmeticOverflow("a timestamp is out of range".to_owned());
    let ticks = ticks.as_primitive::<Int64Type>();
    ticks.try_unary(|ticks| by(ticks).and_then(|by| ticks.checked_add(by)).ok_or_else(out_of_range))
}

pub(super) fn ticks_per_second(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    }
}

/// Seconds that the zone is ahead of UTC at this instant.
pub(super) fn offset_of_instant(zone: &Tz, seconds: i64) -> Option<i64> {
    let instant = DateTime::from_timestamp(seconds, 0)?.naive_utc();
    Some(i64::from(
        zone.offset_from_utc_datetime(&instant).fix().local_minus_utc(),
    ))
}

/// Seconds that the zone is ahead of UTC at this local time.
pub(super) fn offset_of_local(zone: &Tz, seconds: i64) -> Option<i64> {
    let local = DateTime::from_timestamp(seconds, 0)?.naive_utc();
    let at = |local| zone.offset_from_local_datetime(&local).earliest();
    // In a gap: as before it.
    let offset = at(local).or_else(|| at(local - TimeDelta::days(1)))?;
    Some(i64::from(offset.fix().local_minus_utc()))
}

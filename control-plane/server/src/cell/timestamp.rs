//! Timestamps: `"2020-01-31 01:02:03.456"`, and with a zone `"2020-01-31 01:02:03.456 America/New_York"`.

use super::Cell;
use super::date::write_date;
use super::time::{DAY_SECONDS, Scale, write_clock};
use crate::types::{Precision, zone_name};
use arrow::array::timezone::Tz;
use arrow::array::{ArrayRef, AsArray, PrimitiveArray};
use arrow::datatypes::{
    Date64Type, Int64Type, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType,
};
use chrono::{DateTime, Offset, TimeZone};
use mayfly_protocol::{ErrorCode, QueryError};

/// Milliseconds since 1970, which need not be at midnight.
pub fn date64(array: &ArrayRef, precision: Precision) -> Cell {
    let ticks = array.as_primitive::<Date64Type>().reinterpret_cast::<Int64Type>();
    local(ticks, Scale::new(&TimeUnit::Millisecond, precision))
}

pub fn timestamp(
    array: &ArrayRef,
    unit: &TimeUnit,
    zone: Option<&str>,
    precision: Precision,
) -> Result<Cell, QueryError> {
    let scale = Scale::new(unit, precision);
    let ticks: PrimitiveArray<Int64Type> = match unit {
        TimeUnit::Second => array.as_primitive::<TimestampSecondType>().reinterpret_cast(),
        TimeUnit::Millisecond => array.as_primitive::<TimestampMillisecondType>().reinterpret_cast(),
        TimeUnit::Microsecond => array.as_primitive::<TimestampMicrosecondType>().reinterpret_cast(),
        TimeUnit::Nanosecond => array.as_primitive::<TimestampNanosecondType>().reinterpret_cast(),
    };
    match zone {
        None => Ok(local(ticks, scale)),
        Some(zone) => zoned(ticks, scale, zone),
    }
}

fn local(ticks: PrimitiveArray<Int64Type>, scale: Scale) -> Cell {
    Box::new(move |row, out| {
        let (seconds, fraction) = scale.split(ticks.value(row));
        out.push(b'"');
        write_instant(out, seconds, fraction, scale.shown);
        out.push(b'"');
    })
}

/// The values are instants; what is shown is the local time of their zone.
fn zoned(ticks: PrimitiveArray<Int64Type>, scale: Scale, zone: &str) -> Result<Cell, QueryError> {
    let name = zone_name(zone).to_owned();
    let zone: Tz = name.parse().map_err(|_| unknown_zone(zone))?;
    Ok(Box::new(move |row, out| {
        let (seconds, fraction) = scale.split(ticks.value(row));
        out.push(b'"');
        write_instant(
            out,
            seconds.saturating_add(offset_seconds(&zone, seconds)),
            fraction,
            scale.shown,
        );
        out.push(b' ');
        out.extend(name.as_bytes());
        out.push(b'"');
    }))
}

fn write_instant(out: &mut Vec<u8>, seconds: i64, fraction: u64, digits: u32) {
    write_date(out, seconds.div_euclid(DAY_SECONDS));
    out.push(b' ');
    write_clock(out, seconds.rem_euclid(DAY_SECONDS), fraction, digits);
}

/// Seconds to add to UTC. Outside chrono's 262,000 years the zone's offset of 1970 stands in.
fn offset_seconds(zone: &Tz, seconds: i64) -> i64 {
    let instant = DateTime::from_timestamp(seconds, 0).unwrap_or_default();
    i64::from(
        zone.offset_from_utc_datetime(&instant.naive_utc())
            .fix()
            .local_minus_utc(),
    )
}

fn unknown_zone(zone: &str) -> QueryError {
    QueryError::new(ErrorCode::NotSupported, format!("time zone '{zone}' is not known"))
}

//! The text of a TIMESTAMP literal: `2020-06-01 00:30:00.123 Europe/Berlin` → ticks of the unit that its digits ask for.
//!
//! A local time that a zone skips is taken as if the clock had not been put forward; of one that it has twice, the first is meant. Both as
//! Java resolves them, and so Trino.

use crate::zone;
use arrow::array::timezone::Tz;
use chrono::{NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeDelta, TimeZone};
use mayfly_protocol::{ErrorCode, QueryError};

/// A point in time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    pub ticks: i64,
    /// Of the fraction: 0, 3, 6 or 9.
    pub digits: u32,
    /// Arrow's name of the zone. With one, ticks count from 1970 in UTC.
    pub zone: Option<String>,
}

impl Moment {
    /// As `arrow_cast` reads it.
    pub(super) fn arrow_type(&self) -> String {
        let unit = match self.digits {
            0 => "Second",
            3 => "Millisecond",
            6 => "Microsecond",
            _ => "Nanosecond",
        };
        match &self.zone {
            Some(zone) => format!("Timestamp({unit}, Some(\"{zone}\"))"),
            None => format!("Timestamp({unit}, None)"),
        }
    }
}

pub(super) fn read(text: &str) -> Result<Moment, QueryError> {
    let invalid = || {
        QueryError::new(
            ErrorCode::InvalidLiteral,
            format!("'{text}' is not a valid timestamp literal"),
        )
    };
    let (local, digits, zone) = parts(text.trim()).ok_or_else(invalid)?;
    let zone = match zone {
        None => None,
        Some(name) => Some(zone::canonical(name).ok_or_else(|| {
            let message = format!("'{text}' is not a valid timestamp literal: time zone '{name}' is not known");
            QueryError::new(ErrorCode::InvalidLiteral, message)
        })?),
    };
    if digits > 9 {
        let message = format!("TIMESTAMP '{text}' is not supported: a timestamp has at most 9 digits of a second");
        return Err(QueryError::new(ErrorCode::NotSupported, message));
    }
    let digits = digits.div_ceil(3) * 3;
    let instant = match &zone {
        None => local,
        Some(name) => {
            let zone: Tz = name.parse().map_err(|_| invalid())?;
            local - TimeDelta::seconds(offset_seconds(&zone, local))
        }
    };
    let ticks = ticks(instant, digits).ok_or_else(|| {
        let message = format!("TIMESTAMP '{text}' is out of range: with {digits} digits of a second");
        QueryError::new(ErrorCode::InvalidLiteral, message)
    })?;
    Ok(Moment { ticks, digits, zone })
}

fn ticks(instant: NaiveDateTime, digits: u32) -> Option<i64> {
    let instant = instant.and_utc();
    let fraction = i64::from(instant.timestamp_subsec_nanos()) / 10_i64.pow(9 - digits);
    instant
        .timestamp()
        .checked_mul(10_i64.pow(digits))?
        .checked_add(fraction)
}

/// Seconds that the zone is ahead of UTC at this local time.
fn offset_seconds(zone: &Tz, local: NaiveDateTime) -> i64 {
    let found = zone.offset_from_local_datetime(&local);
    let offset = found.earliest().or_else(|| {
        // In a gap: as before it.
        zone.offset_from_local_datetime(&(local - TimeDelta::days(1)))
            .earliest()
    });
    offset.map_or(0, |offset| i64::from(offset.fix().local_minus_utc()))
}

/// Local time, digits of its fraction, and the zone as written.
fn parts(text: &str) -> Option<(NaiveDateTime, u32, Option<&str>)> {
    let end = text.find([' ', 'T']).unwrap_or(text.len());
    let (date, rest) = text.split_at(end);
    let date = day(date)?;
    let rest = rest.trim_start_matches([' ', 'T']);
    let is_clock = |byte: char| byte.is_ascii_digit() || byte == ':' || byte == '.';
    let end = rest.find(|byte| !is_clock(byte)).unwrap_or(rest.len());
    let (clock, zone) = rest.split_at(end);
    let (time, digits) = time(clock)?;
    let zone = zone.trim();
    Some((date.and_time(time), digits, (!zone.is_empty()).then_some(zone)))
}

/// `2020-6-1`, `-0044-03-15`
fn day(text: &str) -> Option<NaiveDate> {
    let (sign, unsigned) = match text.strip_prefix(['-', '+']) {
        Some(unsigned) if text.starts_with('-') => (-1, unsigned),
        Some(unsigned) => (1, unsigned),
        None => (1, text),
    };
    let mut fields = unsigned.split('-');
    let (year, month, day) = (fields.next()?, fields.next()?, fields.next()?);
    let number = |text: &str| digits(text).then(|| text.parse::<u32>().ok()).flatten();
    let year = i32::try_from(number(year)?).ok()? * sign;
    match fields.next() {
        None => NaiveDate::from_ymd_opt(year, number(month)?, number(day)?),
        Some(_) => None,
    }
}

/// `12:30`, `12:30:01.5`, or nothing for midnight.
fn time(text: &str) -> Option<(NaiveTime, u32)> {
    if text.is_empty() {
        return Some((NaiveTime::MIN, 0));
    }
    let (clock, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fields: Option<Vec<u32>> = clock
        .split(':')
        .map(|field| digits(field).then(|| field.parse().ok()).flatten())
        .collect();
    let (hour, minute, second) = match fields?.as_slice() {
        [hour, minute] if fraction.is_empty() => (*hour, *minute, 0),
        [hour, minute, second] => (*hour, *minute, *second),
        _ => return None,
    };
    let has_fraction = fraction.is_empty() && !text.contains('.') || digits(fraction);
    let nanos: u32 = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
    let time = NaiveTime::from_hms_nano_opt(hour, minute, second, nanos)?;
    has_fraction.then_some((time, u32::try_from(fraction.len()).ok()?))
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::read;

    fn check(text: &str, expected: &str) {
        let shown = match read(text) {
            Ok(moment) => format!("{} {}", moment.ticks, moment.arrow_type()),
            Err(error) => error.code.name().to_owned(),
        };
        assert_eq!(shown, expected, "{text}");
    }

    #[test]
    fn a_literal_has_the_unit_of_its_digits() {
        check("1970-01-02", "86400 Timestamp(Second, None)");
        check("1970-1-1 00:01", "60 Timestamp(Second, None)");
        check("1970-01-01 00:00:00.5", "500 Timestamp(Millisecond, None)");
        check("1970-01-01T00:00:00.0005", "500 Timestamp(Microsecond, None)");
        check("1970-01-01 00:00:00.000000001", "1 Timestamp(Nanosecond, None)");
        check("1970-01-01 00:00:00.0000000001", "NOT_SUPPORTED");
        check(
            "9999-12-31 23:59:59.999999",
            "253402300799999999 Timestamp(Microsecond, None)",
        );
        check("0001-01-01 00:00:00", "-62135596800 Timestamp(Second, None)");
        check("9999-12-31 23:59:59.999999999", "INVALID_LITERAL");
        check("2020-02-30 00:00:00", "INVALID_LITERAL");
        check("2020-01-01 00:00:00.", "INVALID_LITERAL");
        check("hello", "INVALID_LITERAL");
    }

    #[test]
    fn a_literal_keeps_its_zone() {
        check("1970-01-01 00:00:00 UTC", "0 Timestamp(Second, Some(\"UTC\"))");
        check("1970-01-01 01:00:00+01:00", "0 Timestamp(Second, Some(\"+01:00\"))");
        check(
            "1970-01-01 00:00:00 UTC-05:30",
            "19800 Timestamp(Second, Some(\"-05:30\"))",
        );
        // 00:30 UTC
        check(
            "2020-06-01 02:30:00 Europe/Berlin",
            "1590971400 Timestamp(Second, Some(\"Europe/Berlin\"))",
        );
        // Skipped: 02:30 is 03:30 of summer.
        check(
            "2020-03-29 02:30:00 Europe/Berlin",
            "1585445400 Timestamp(Second, Some(\"Europe/Berlin\"))",
        );
        // Twice: the first, of summer.
        check(
            "2020-10-25 02:30:00 Europe/Berlin",
            "1603585800 Timestamp(Second, Some(\"Europe/Berlin\"))",
        );
        check("2020-06-01 00:00:00 Mars/Olympus", "INVALID_LITERAL");
    }
}

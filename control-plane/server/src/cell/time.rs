//! Times of day: `"01:02:03.456"`.

use super::Cell;
use super::date::write_padded;
use crate::types::{Precision, digits};
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{
    DataType, Time32MillisecondType, Time32SecondType, Time64MicrosecondType, Time64NanosecondType, TimeUnit,
};

pub(super) const DAY_SECONDS: i64 = 86_400;

pub fn time(array: &ArrayRef, unit: &TimeUnit, precision: Precision) -> Cell {
    let scale = Scale::new(unit, precision);
    match array.data_type() {
        DataType::Time32(TimeUnit::Second) => {
            let array = array.as_primitive::<Time32SecondType>().clone();
            Box::new(move |row, out| write_time(out, i64::from(array.value(row)), scale))
        }
        DataType::Time32(_) => {
            let array = array.as_primitive::<Time32MillisecondType>().clone();
            Box::new(move |row, out| write_time(out, i64::from(array.value(row)), scale))
        }
        DataType::Time64(TimeUnit::Microsecond) => {
            let array = array.as_primitive::<Time64MicrosecondType>().clone();
            Box::new(move |row, out| write_time(out, array.value(row), scale))
        }
        _ => {
            let array = array.as_primitive::<Time64NanosecondType>().clone();
            Box::new(move |row, out| write_time(out, array.value(row), scale))
        }
    }
}

/// Rounding up from the last millisecond of a day gives midnight, as in Trino.
fn write_time(out: &mut Vec<u8>, ticks: i64, scale: Scale) {
    let (seconds, fraction) = scale.split(ticks);
    out.push(b'"');
    write_clock(out, seconds.rem_euclid(DAY_SECONDS), fraction, scale.shown);
    out.push(b'"');
}

/// `second` of a day and `digits` digits of its fraction.
pub(super) fn write_clock(out: &mut Vec<u8>, second: i64, fraction: u64, digits: u32) {
    let second = second.unsigned_abs();
    write_padded(out, second / 3600, 2);
    out.push(b':');
    write_padded(out, second / 60 % 60, 2);
    out.push(b':');
    write_padded(out, second % 60, 2);
    if digits > 0 {
        out.push(b'.');
        write_padded(out, fraction, digits as usize);
    }
}

/// From the digits that a value has to the digits that are shown.
#[derive(Clone, Copy)]
pub(super) struct Scale {
    digits: u32,
    pub shown: u32,
}

impl Scale {
    pub fn new(unit: &TimeUnit, precision: Precision) -> Scale {
        let digits = digits(unit);
        Scale {
            digits,
            shown: precision.shown(digits),
        }
    }

    /// Whole seconds, rounded down, and the fraction in shown digits, rounded half up.
    pub fn split(self, ticks: i64) -> (i64, u64) {
        if self.digits == self.shown {
            let unit = 10_i64.pow(self.shown);
            return (ticks.div_euclid(unit), ticks.rem_euclid(unit).unsigned_abs());
        }
        let unit = 10_i128.pow(self.shown);
        let shown = self.rescale(i128::from(ticks));
        let fraction = u64::try_from(shown.rem_euclid(unit)).expect("a fraction of at most nine digits");
        let seconds = i64::try_from(shown.div_euclid(unit)).expect("seconds are no more than ticks");
        (seconds, fraction)
    }

    fn rescale(self, ticks: i128) -> i128 {
        if self.shown > self.digits {
            return ticks * 10_i128.pow(self.shown - self.digits);
        }
        let unit = 10_i128.pow(self.digits - self.shown);
        (ticks + unit / 2).div_euclid(unit)
    }
}

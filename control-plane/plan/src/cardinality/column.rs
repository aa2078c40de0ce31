//! What is known of a column's values: how many different ones, and between which bounds.

use arrow::datatypes::DataType;
use datafusion::common::{ColumnStatistics, ScalarValue};

const SECONDS_PER_DAY: f64 = 86_400.0;

/// How the number of different values is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// They were counted, or the range of whole numbers has fewer of them than the table has rows.
    Counted,
    /// The range is wider than the table is long: a key, or nearly.
    Rows,
    /// Nothing is known but that each row has one.
    Unknown,
}

/// One column.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ColumnGuess {
    /// Different values in the table, before any filter.
    pub distinct: f64,
    pub source: Source,
    /// Least and greatest value: numbers as they are, times in days since 1970.
    pub range: Option<(f64, f64)>,
    /// Share of rows without a value.
    pub nulls: Option<f64>,
}

impl ColumnGuess {
    pub(crate) fn unknown(rows: f64) -> ColumnGuess {
        ColumnGuess {
            distinct: rows.max(1.0),
            source: Source::Unknown,
            range: None,
            nulls: None,
        }
    }

    pub(super) fn of(known: &ColumnStatistics, data_type: &DataType, rows: f64) -> ColumnGuess {
        let bound = |value: Option<&ScalarValue>| value.and_then(number);
        let (least, greatest) = (known.min_value.get_value(), known.max_value.get_value());
        let range = bound(least).zip(bound(greatest));
        let counted = known.distinct_count.get_value().map(|&distinct| distinct as f64);
        let spanned = range.filter(|_| is_whole(data_type)).map(|(min, max)| max - min + 1.0);
        let (distinct, source) = match (counted, spanned) {
            (Some(counted), _) => (counted, Source::Counted),
            (None, Some(span)) if span <= rows => (span, Source::Counted),
            (None, Some(_)) => (rows, Source::Rows),
            (None, None) => (rows, Source::Unknown),
        };
        let nulls = known.null_count.get_value().map(|&nulls| nulls as f64 / rows.max(1.0));
        ColumnGuess {
            distinct: distinct.min(rows).max(1.0),
            source,
            range,
            nulls: nulls.map(|share| share.clamp(0.0, 1.0)),
        }
    }

    /// Whether two values of the column are surely told apart by the number of them.
    pub(crate) fn is_counted(&self) -> bool {
        self.source == Source::Counted
    }

    /// The share of the column's range that lies below the value, if there is a range.
    pub(super) fn share_below(&self, value: f64) -> Option<f64> {
        let (min, max) = self.range?;
        if max <= min {
            return Some(f64::from(u8::from(value > min)));
        }
        Some(((value - min) / (max - min)).clamp(0.0, 1.0))
    }
}

fn is_whole(data_type: &DataType) -> bool {
    data_type.is_integer() || *data_type == DataType::Date32
}

/// A value on a line: numbers as they are, times in days.
pub(super) fn number(value: &ScalarValue) -> Option<f64> {
    let days = |count: i64, per_second: f64| count as f64 / per_second / SECONDS_PER_DAY;
    match value {
        ScalarValue::Date32(days) => days.map(f64::from),
        ScalarValue::Date64(millis) => millis.map(|count| days(count, 1e3)),
        ScalarValue::TimestampSecond(count, _) => count.map(|count| days(count, 1.0)),
        ScalarValue::TimestampMillisecond(count, _) => count.map(|count| days(count, 1e3)),
        ScalarValue::TimestampMicrosecond(count, _) => count.map(|count| days(count, 1e6)),
        ScalarValue::TimestampNanosecond(count, _) => count.map(|count| days(count, 1e9)),
        other if other.data_type().is_numeric() => match other.cast_to(&DataType::Float64) {
            Ok(ScalarValue::Float64(number)) => number.filter(|number| number.is_finite()),
            _ => None,
        },
        _ => None,
    }
}

//! How large the result of a call will be, from its arguments: never too little by much, and cheap beside the call itself.

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::compute::{cast, kernels::length::length, min};
use datafusion::arrow::datatypes::{DataType, Int64Type, IntervalMonthDayNanoType};
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::ColumnarValue;
use mayfly_protocol::{ErrorCode, QueryError};

/// All names that a growing function goes by.
pub const NAMES: [&str; 19] = [
    "repeat",
    "lpad",
    "rpad",
    "replace",
    "regexp_replace",
    "concat",
    "concat_ws",
    "array_concat",
    "list_concat",
    "array_repeat",
    "list_repeat",
    "array_resize",
    "list_resize",
    "range",
    "generate_series",
    "gen_series",
    "sequence",
    "levenshtein",
    "levenshtein_distance",
];

/// Comparisons that count as one byte made.
const WORK_PER_BYTE: u64 = 100;

const DAY_NANOS: i64 = 86_400_000_000_000;

/// Refuses arguments that the function would take for something else, or panic on, whatever the rows.
pub fn check(name: &str, args: &[ColumnarValue]) -> Result<()> {
    let (true, Some(length)) = (matches!(name, "lpad" | "rpad"), args.get(1)) else {
        return Ok(());
    };
    let length = Argument::new(length)?;
    let numbers = length
        .numbers
        .as_ref()
        .map(|numbers| numbers.as_primitive::<Int64Type>());
    match numbers.and_then(min).filter(|least| *least < 0) {
        None => Ok(()),
        Some(least) => {
            let message = format!("{name} to a length of {least}: it may not be negative");
            let error = QueryError::new(ErrorCode::InvalidFunctionArgument, message);
            Err(DataFusionError::External(Box::new(error)))
        }
    }
}

/// Bytes of all rows together.
pub fn bytes(name: &str, args: &[ColumnarValue], rows: usize) -> Result<u64> {
    let columns: Vec<Argument> = args.iter().map(Argument::new).collect::<Result<_>>()?;
    let rows = match columns.iter().all(|column| column.is_scalar) {
        true => rows.min(1),
        false => rows,
    };
    let row = |row| Call { columns: &columns, row }.bytes(name);
    Ok((0..rows).map(row).fold(0, u64::saturating_add))
}

/// One argument of all rows; a scalar is the same in each.
struct Argument {
    is_scalar: bool,
    /// Bytes of texts.
    lengths: Option<ArrayRef>,
    /// Of numbers and times, their nanoseconds.
    numbers: Option<ArrayRef>,
    /// Bytes of any other value, on average.
    size: u64,
}

impl Argument {
    fn new(value: &ColumnarValue) -> Result<Argument> {
        let (is_scalar, values) = match value {
            ColumnarValue::Scalar(scalar) => (true, scalar.to_array_of_size(1)?),
            ColumnarValue::Array(array) => (false, array.clone()),
        };
        let data_type = values.data_type();
        let is_text = data_type.is_string() || data_type.is_binary();
        let lengths = is_text.then(|| length(&values).and_then(|lengths| cast(&lengths, &DataType::Int64)));
        Ok(Argument {
            is_scalar,
            lengths: lengths.transpose()?,
            numbers: numbers(&values),
            size: (values.get_array_memory_size() / values.len().max(1)) as u64,
        })
    }

    fn at(&self, array: &ArrayRef, row: usize) -> Option<i64> {
        let row = if self.is_scalar { 0 } else { row };
        let numbers = array.as_primitive::<Int64Type>();
        numbers.is_valid(row).then(|| numbers.value(row))
    }
}

fn numbers(values: &ArrayRef) -> Option<ArrayRef> {
    match values.data_type() {
        data_type if data_type.is_integer() => cast(values, &DataType::Int64).ok(),
        DataType::Timestamp(..) => nanos(values),
        DataType::Date32 | DataType::Date64 => {
            let seconds = DataType::Timestamp(arrow::datatypes::TimeUnit::Second, None);
            nanos(&cast(values, &seconds).ok()?)
        }
        DataType::Interval(_) => {
            let month_day_nano = DataType::Interval(arrow::datatypes::IntervalUnit::MonthDayNano);
            let steps = cast(values, &month_day_nano).ok()?;
            let steps = steps.as_primitive_opt::<IntervalMonthDayNanoType>()?;
            let nanos = |step: datafusion::arrow::datatypes::IntervalMonthDayNano| {
                let days = i64::from(step.months) * 30 + i64::from(step.days);
                days.saturating_mul(DAY_NANOS).saturating_add(step.nanoseconds)
            };
            Some(std::sync::Arc::new(steps.unary::<_, Int64Type>(nanos)))
        }
        _ => None,
    }
}

/// Times beyond the range of nanoseconds are none: a series of them is short or fails.
fn nanos(values: &ArrayRef) -> Option<ArrayRef> {
    let unit = DataType::Timestamp(arrow::datatypes::TimeUnit::Nanosecond, None);
    cast(&cast(values, &unit).ok()?, &DataType::Int64).ok()
}

/// The arguments of one row.
struct Call<'a> {
    columns: &'a [Argument],
    row: usize,
}

impl Call<'_> {
    fn bytes(&self, name: &str) -> u64 {
        match name {
            "repeat" | "array_repeat" | "list_repeat" => self.size(0).saturating_mul(self.count(1)),
            "lpad" | "rpad" => self.count(1),
            "replace" => (self.size(0) / self.size(1).max(1) + 1).saturating_mul(self.size(2)) + self.size(0),
            "regexp_replace" => (self.size(0) + 1).saturating_mul(self.size(2) + 1),
            "array_resize" | "list_resize" => self.count(1).saturating_mul(self.size(2).max(8)),
            "range" | "generate_series" | "gen_series" | "sequence" => self.series(),
            "levenshtein" | "levenshtein_distance" => self.size(0).saturating_mul(self.size(1)) / WORK_PER_BYTE,
            _ => self.all(),
        }
    }

    fn number(&self, at: usize) -> Option<i64> {
        let column = self.columns.get(at)?;
        column.at(column.numbers.as_ref()?, self.row)
    }

    /// A number of repetitions; none where it is NULL or negative.
    fn count(&self, at: usize) -> u64 {
        self.number(at)
            .and_then(|number| u64::try_from(number).ok())
            .unwrap_or(0)
    }

    fn size(&self, at: usize) -> u64 {
        let Some(column) = self.columns.get(at) else {
            return 0;
        };
        match &column.lengths {
            Some(lengths) => column
                .at(lengths, self.row)
                .and_then(|length| u64::try_from(length).ok())
                .unwrap_or(0),
            None => column.size,
        }
    }

    fn all(&self) -> u64 {
        (0..self.columns.len())
            .map(|at| self.size(at))
            .fold(0, u64::saturating_add)
    }

    /// Numbers or times from one to another; with one argument from zero.
    fn series(&self) -> u64 {
        let (from, to) = match self.columns.len() {
            1 => (Some(0), self.number(0)),
            _ => (self.number(0), self.number(1)),
        };
        let step = self.number(2).unwrap_or(1).unsigned_abs().max(1);
        let span = from.zip(to).map_or(0, |(from, to)| from.abs_diff(to));
        (span / step).saturating_mul(8)
    }
}

#[cfg(test)]
mod tests;

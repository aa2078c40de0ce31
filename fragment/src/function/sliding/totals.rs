//! Sums and averages of doubles, without the states of any aggregate: windows have them most often.

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::Float64Type;
use datafusion::common::{Result, ScalarValue, exec_datafusion_err, internal_err};
use datafusion::logical_expr::Accumulator;

/// Of some rows: their sum, and how many of them are no NULL.
#[derive(Clone, Copy, Debug, Default)]
struct Total {
    sum: f64,
    count: u64,
}

impl Total {
    fn of(value: Option<f64>) -> Total {
        match value {
            Some(sum) => Total { sum, count: 1 },
            None => Total::default(),
        }
    }

    fn and(self, other: Total) -> Total {
        Total {
            sum: self.sum + other.sum,
            count: self.count + other.count,
        }
    }
}

#[derive(Debug)]
pub(super) struct Totals {
    is_average: bool,
    /// Of each older row and all older ones after it; the oldest row's is the last.
    older: Vec<Total>,
    newer: Vec<Total>,
    of_newer: Total,
}

impl Totals {
    pub(super) fn sum() -> Totals {
        Totals {
            is_average: false,
            older: Vec::new(),
            newer: Vec::new(),
            of_newer: Total::default(),
        }
    }

    pub(super) fn average() -> Totals {
        Totals {
            is_average: true,
            ..Totals::sum()
        }
    }

    /// The oldest row leaves.
    fn leave(&mut self) -> Result<()> {
        if self.older.is_empty() {
            let totals = self.newer.drain(..).rev().scan(Total::default(), |after, row| {
                *after = row.and(*after);
                Some(*after)
            });
            self.older.extend(totals);
            self.of_newer = Total::default();
        }
        let left = self.older.pop();
        left.map(drop)
            .ok_or_else(|| exec_datafusion_err!("more rows leave a frame than are in it"))
    }
}

impl Accumulator for Totals {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let Some(values) = values
            .first()
            .and_then(|values| values.as_primitive_opt::<Float64Type>())
        else {
            return internal_err!("a sliding sum is of doubles");
        };
        for value in values {
            let row = Total::of(value);
            self.of_newer = self.of_newer.and(row);
            self.newer.push(row);
        }
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let rows = values.first().map_or(0, |values| values.len());
        (0..rows).try_for_each(|_| self.leave())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let older = self.older.last().copied().unwrap_or_default();
        let Total { sum, count } = older.and(self.of_newer);
        let value = if self.is_average { sum / count as f64 } else { sum };
        Ok(ScalarValue::Float64((count > 0).then_some(value)))
    }

    fn size(&self) -> usize {
        size_of_val(self) + (self.older.capacity() + self.newer.capacity()) * size_of::<Total>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        internal_err!("a sliding sum has no state to send")
    }

    fn merge_batch(&mut self, _: &[ArrayRef]) -> Result<()> {
        internal_err!("a sliding sum is not merged")
    }
}

#[cfg(test)]
mod tests;

//! `sum(DISTINCT x)`: DataFusion's over values of 128 bits, and one for frames that slide.

use super::exact::overflow;
use super::{narrowed, widened};
use datafusion::arrow::array::{ArrayRef, AsArray, Decimal128Array};
use datafusion::arrow::datatypes::{DataType, Decimal128Type};
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::logical_expr::Accumulator;
use std::collections::HashMap;
use std::sync::Arc;

/// DataFusion's accumulator, whose values and states are decimals.
#[derive(Debug)]
pub struct DistinctSum {
    pub inner: Box<dyn Accumulator>,
    pub total: DataType,
}

impl Accumulator for DistinctSum {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let values: ArrayRef = Arc::new(widened(&values[0])?);
        self.inner.update_batch(&[values])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let total = self.inner.evaluate()?.to_array()?;
        let total = narrowed(total.as_primitive::<Decimal128Type>(), &self.total)?;
        ScalarValue::try_from_array(&total, 0)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.inner.size()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.inner.state()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.inner.merge_batch(states)
    }
}

/// How often each value stands in the frame.
#[derive(Debug)]
pub struct SlidingDistinctSum {
    counts: HashMap<i128, u64>,
    sum: i128,
    total: DataType,
}

impl SlidingDistinctSum {
    pub fn new(total: DataType) -> SlidingDistinctSum {
        SlidingDistinctSum {
            counts: HashMap::new(),
            sum: 0,
            total,
        }
    }
}

impl Accumulator for SlidingDistinctSum {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for value in widened(&values[0])?.iter().flatten() {
            let count = self.counts.entry(value).or_default();
            *count += 1;
            if *count == 1 {
                self.sum = self.sum.checked_add(value).ok_or_else(overflow)?;
            }
        }
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for value in widened(&values[0])?.iter().flatten() {
            match self.counts.get_mut(&value) {
                Some(count) if *count > 1 => *count -= 1,
                _ => {
                    self.counts.remove(&value);
                    self.sum = self.sum.checked_sub(value).ok_or_else(overflow)?;
                }
            }
        }
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let sum = (!self.counts.is_empty()).then_some(self.sum);
        let total = narrowed(&Decimal128Array::from(vec![sum]), &self.total)?;
        ScalarValue::try_from_array(&total, 0)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.counts.capacity() * size_of::<(i128, u64)>()
    }

    /// Frames are not merged.
    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        internal_err!("the sum of a frame has no state")
    }

    fn merge_batch(&mut self, _: &[ArrayRef]) -> Result<()> {
        internal_err!("the sum of a frame has no state")
    }
}

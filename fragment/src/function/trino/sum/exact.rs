//! Running sums in 128 bits: of one group, of the frame of a window, and of many groups at once.

use super::{narrowed, widened};
use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Decimal128Array};
use datafusion::arrow::datatypes::{DECIMAL128_MAX_PRECISION, DataType, Decimal128Type};
use datafusion::arrow::error::ArrowError;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{Accumulator, EmitTo, GroupsAccumulator};
use datafusion_functions_aggregate_common::aggregate::groups_accumulator::prim_op::PrimitiveGroupsAccumulator;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub fn overflow() -> ArrowError {
    ArrowError::ArithmeticOverflow("decimal overflow: a running sum has more than 38 digits".to_owned())
}

/// Of one group or frame.
#[derive(Debug)]
pub struct ExactSum {
    sum: i128,
    /// Values that are in the sum. Of partial sums each counts once.
    values: u64,
    total: DataType,
}

impl ExactSum {
    pub fn new(total: DataType) -> ExactSum {
        ExactSum {
            sum: 0,
            values: 0,
            total,
        }
    }

    fn running(&self) -> Option<i128> {
        (self.values > 0).then_some(self.sum)
    }

    fn scale(&self) -> i8 {
        match self.total {
            DataType::Decimal128(_, scale) => scale,
            _ => 0,
        }
    }

    /// Takes every value that is not NULL, and says how many there were.
    fn each(&mut self, values: &ArrayRef, take: impl Fn(i128, i128) -> Option<i128>) -> Result<u64> {
        let values = widened(values)?;
        let count = values.len() - values.null_count();
        self.sum = values.iter().flatten().try_fold(self.sum, take).ok_or_else(overflow)?;
        Ok(count as u64)
    }
}

impl Accumulator for ExactSum {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.values += self.each(&values[0], i128::checked_add)?;
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.values -= self.each(&values[0], i128::checked_sub)?;
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let total = narrowed(&Decimal128Array::from(vec![self.running()]), &self.total)?;
        ScalarValue::try_from_array(&total, 0)
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let running = ScalarValue::Decimal128(self.running(), DECIMAL128_MAX_PRECISION, self.scale());
        Ok(vec![running])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.update_batch(states)
    }
}

/// Of many groups.
pub struct ExactGroups {
    inner: Box<dyn GroupsAccumulator>,
    overflowed: Arc<AtomicBool>,
    total: DataType,
}

impl ExactGroups {
    pub fn new(running: &DataType, total: DataType) -> ExactGroups {
        let overflowed = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&overflowed);
        let add = move |sum: &mut i128, value: i128| {
            let (added, overflows) = sum.overflowing_add(value);
            *sum = added;
            if overflows {
                flag.store(true, Ordering::Relaxed);
            }
        };
        let inner = Box::new(PrimitiveGroupsAccumulator::<Decimal128Type, _>::new(running, add));
        ExactGroups {
            inner,
            overflowed,
            total,
        }
    }

    fn check(&self) -> Result<()> {
        match self.overflowed.load(Ordering::Relaxed) {
            false => Ok(()),
            true => Err(overflow().into()),
        }
    }
}

impl GroupsAccumulator for ExactGroups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        let values: ArrayRef = Arc::new(widened(&values[0])?);
        self.inner
            .update_batch(&[values], group_indices, filter, total_num_groups)?;
        self.check()
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let totals = self.inner.evaluate(emit_to)?;
        Ok(narrowed(totals.as_primitive::<Decimal128Type>(), &self.total)?)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        self.inner.state(emit_to)
    }

    fn merge_batch(&mut self, values: &[ArrayRef], group_indices: &[usize], total_num_groups: usize) -> Result<()> {
        self.inner.merge_batch(values, group_indices, total_num_groups)?;
        self.check()
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let values: ArrayRef = Arc::new(widened(&values[0])?);
        self.inner.convert_to_state(&[values], filter)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.inner.size()
    }
}

//! The values of one partition: for each row its frame, without the rows that are left out.

use super::{Excluding, Exclusion, Inner, Pick};
use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::compute::{cast, partition};
use datafusion::arrow::datatypes::{DataType, FieldRef, Int64Type, Schema};
use datafusion::common::{Result, ScalarValue, exec_err, internal_err};
use datafusion::logical_expr::PartitionEvaluator;
use datafusion::logical_expr::function::AccumulatorArgs;
use datafusion::logical_expr::window_state::WindowFrameContext;
use datafusion::physical_plan::PhysicalExpr;
use std::ops::Range;
use std::sync::Arc;

/// Evaluates one function.
#[derive(Debug)]
pub struct Evaluator {
    pub function: Excluding,
    /// Of the inner function.
    pub exprs: Vec<Arc<dyn PhysicalExpr>>,
    pub fields: Vec<FieldRef>,
    pub result: FieldRef,
}

/// What is left of a frame, in order.
type Pieces = [Range<usize>; 3];

impl PartitionEvaluator for Evaluator {
    fn evaluate_all(&mut self, values: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        let own = self.function.own(values)?.len();
        let (values, keys) = values.split_at(own);
        let mut context = WindowFrameContext::new(
            Arc::new(self.function.frame.frame.clone()),
            self.function.frame.order.clone(),
        );
        let (mut results, mut last) = (Vec::with_capacity(rows), 0..0);
        for peers in peers(keys, rows)? {
            for row in peers.clone() {
                let frame = context.calculate_range(keys, &last, rows, row)?;
                let pieces = left(&frame, row, &peers, self.function.frame.exclusion);
                results.push(self.value(values, &pieces)?);
                last = frame;
            }
        }
        ScalarValue::iter_to_array(results)
    }
}

impl Evaluator {
    fn value(&self, values: &[ArrayRef], pieces: &Pieces) -> Result<ScalarValue> {
        match &self.function.inner {
            Inner::Aggregate { function, distinct } => {
                let mut accumulator = function.accumulator(AccumulatorArgs {
                    return_field: Arc::clone(&self.result),
                    schema: &Schema::empty(),
                    ignore_nulls: self.function.ignore_nulls,
                    order_bys: &[],
                    is_reversed: false,
                    name: function.name(),
                    is_distinct: *distinct,
                    exprs: &self.exprs,
                    expr_fields: &self.fields,
                })?;
                for piece in pieces.iter().filter(|piece| !piece.is_empty()) {
                    let part = |values: &ArrayRef| values.slice(piece.start, piece.len());
                    accumulator.update_batch(&values.iter().map(part).collect::<Vec<_>>())?;
                }
                accumulator.evaluate()
            }
            Inner::Pick(pick) => self.picked(*pick, values, pieces),
        }
    }

    fn picked(&self, pick: Pick, values: &[ArrayRef], pieces: &Pieces) -> Result<ScalarValue> {
        let Some(column) = values.first() else {
            return internal_err!("{:?} has no argument", self.function.inner);
        };
        let counts = |row: &usize| !self.function.ignore_nulls || column.is_valid(*row);
        let mut rows = pieces.iter().cloned().flatten().filter(counts);
        let row = match (pick, number(values)?) {
            (Pick::First, _) => rows.next(),
            (Pick::Last, _) => rows.next_back(),
            (Pick::Nth, None) => None,
            (Pick::Nth, Some(0)) => return exec_err!("nth_value counts from 1"),
            (Pick::Nth, Some(nth)) if nth > 0 => rows.nth(nth.unsigned_abs() as usize - 1),
            (Pick::Nth, Some(nth)) => {
                let rows: Vec<usize> = rows.collect();
                let at = rows.len().checked_sub(nth.unsigned_abs() as usize);
                at.map(|at| rows[at])
            }
        };
        match row {
            Some(row) => ScalarValue::try_from_array(column, row),
            None => ScalarValue::try_from(self.result.data_type()),
        }
    }
}

/// The second argument, the same for all rows.
fn number(values: &[ArrayRef]) -> Result<Option<i64>> {
    match values.get(1) {
        Some(numbers) if !numbers.is_empty() => {
            let numbers = cast(numbers, &DataType::Int64)?;
            let numbers = numbers.as_primitive::<Int64Type>();
            Ok(numbers.is_valid(0).then(|| numbers.value(0)))
        }
        _ => Ok(None),
    }
}

/// Rows of equal keys, one group after another. Without keys all rows are peers.
fn peers(keys: &[ArrayRef], rows: usize) -> Result<Vec<Range<usize>>> {
    match keys {
        [] => Ok(std::iter::once(0..rows).collect()),
        keys => Ok(partition(keys)?.ranges()),
    }
}

/// The frame without what is excluded.
fn left(frame: &Range<usize>, row: usize, peers: &Range<usize>, exclusion: Exclusion) -> Pieces {
    let own = row..row + 1;
    let excluded = match exclusion {
        Exclusion::CurrentRow => &own,
        Exclusion::Group | Exclusion::Ties => peers,
    };
    let kept = match exclusion {
        Exclusion::Ties if frame.contains(&row) => own.clone(),
        _ => row..row,
    };
    let before = frame.start..frame.end.min(excluded.start);
    let after = frame.start.max(excluded.end)..frame.end;
    [before, kept, after]
}

#[cfg(test)]
mod tests;

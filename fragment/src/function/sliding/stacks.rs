//! Any aggregate that merges its states in the order of rows.

use datafusion::arrow::array::{Array, ArrayRef};
use datafusion::arrow::compute::concat;
use datafusion::arrow::datatypes::{FieldRef, Schema};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::function::AccumulatorArgs;
use datafusion::logical_expr::{Accumulator, AggregateUDF};
use datafusion::physical_plan::PhysicalExpr;
use std::sync::Arc;

/// Pieces of newer rows that become one.
const PIECES_MAX: usize = 1_024;

#[derive(Debug)]
pub(super) struct Stacks {
    make: Make,
    older: Older,
    newer: Box<dyn Accumulator>,
    /// The newer rows' arguments, in pieces.
    pieces: Vec<Vec<ArrayRef>>,
}

impl Stacks {
    pub(super) fn new(function: Arc<AggregateUDF>, args: &AccumulatorArgs<'_>) -> Result<Stacks> {
        let make = Make {
            function,
            schema: args.schema.clone(),
            return_field: Arc::clone(&args.return_field),
            exprs: args.exprs.to_vec(),
            expr_fields: args.expr_fields.to_vec(),
            ignore_nulls: args.ignore_nulls,
        };
        Ok(Stacks {
            newer: make.accumulator()?,
            make,
            older: Older::default(),
            pieces: Vec::new(),
        })
    }

    /// All rows of the frame.
    fn whole(&mut self) -> Result<Box<dyn Accumulator>> {
        let mut whole = self.make.accumulator()?;
        self.older.merge_into(whole.as_mut())?;
        let newer = self.newer.state()?;
        let newer: Vec<ArrayRef> = newer.iter().map(ScalarValue::to_array).collect::<Result<_>>()?;
        whole.merge_batch(&newer)?;
        Ok(whole)
    }

    fn leave(&mut self, rows: usize) -> Result<()> {
        let from_older = rows.min(self.older.rows());
        self.older.left += from_older;
        let from_newer = rows - from_older;
        if from_newer > 0 {
            self.age()?;
            if from_newer > self.older.rows() {
                return exec_err!("more rows leave a frame than are in it");
            }
            self.older.left = from_newer;
        }
        Ok(())
    }

    /// The newer rows are the older ones now.
    fn age(&mut self) -> Result<()> {
        self.join_pieces()?;
        self.older = match self.pieces.pop() {
            Some(rows) => Older::of(&rows, &self.make)?,
            None => Older::default(),
        };
        self.newer = self.make.accumulator()?;
        Ok(())
    }

    fn join_pieces(&mut self) -> Result<()> {
        let columns = self.pieces.first().map_or(0, Vec::len);
        let column = |at: usize| {
            let pieces: Vec<&dyn Array> = self.pieces.iter().map(|piece| piece[at].as_ref()).collect();
            concat(&pieces)
        };
        if columns > 0 {
            self.pieces = vec![(0..columns).map(column).collect::<Result<_, _>>()?];
        }
        Ok(())
    }
}

impl Accumulator for Stacks {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.newer.update_batch(values)?;
        self.pieces.push(values.to_vec());
        match self.pieces.len() {
            PIECES_MAX.. => self.join_pieces(),
            _ => Ok(()),
        }
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.leave(values.first().map_or(0, |values| values.len()))
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.whole()?.evaluate()
    }

    fn size(&self) -> usize {
        let bytes = |arrays: &[ArrayRef]| arrays.iter().map(|array| array.get_array_memory_size()).sum::<usize>();
        let pieces: usize = self.pieces.iter().map(|piece| bytes(piece)).sum();
        size_of_val(self) + self.newer.size() + bytes(&self.older.states) + pieces
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.whole()?.state()
    }

    fn merge_batch(&mut self, _: &[ArrayRef]) -> Result<()> {
        exec_err!("a sliding aggregate is not merged")
    }
}

/// What makes accumulators.
#[derive(Debug)]
struct Make {
    function: Arc<AggregateUDF>,
    schema: Schema,
    return_field: FieldRef,
    exprs: Vec<Arc<dyn PhysicalExpr>>,
    expr_fields: Vec<FieldRef>,
    ignore_nulls: bool,
}

impl Make {
    fn accumulator(&self) -> Result<Box<dyn Accumulator>> {
        self.function.accumulator(AccumulatorArgs {
            return_field: Arc::clone(&self.return_field),
            schema: &self.schema,
            ignore_nulls: self.ignore_nulls,
            order_bys: &[],
            is_reversed: false,
            name: self.function.name(),
            is_distinct: false,
            exprs: &self.exprs,
            expr_fields: &self.expr_fields,
        })
    }
}

/// The older rows: for each the state of itself and all older rows after it.
#[derive(Debug, Default)]
struct Older {
    /// One array for each part of a state; the newest row's is the first.
    states: Vec<ArrayRef>,
    /// How many rows have left.
    left: usize,
}

impl Older {
    fn of(rows: &[ArrayRef], make: &Make) -> Result<Older> {
        let count = rows.first().map_or(0, |values| values.len());
        let mut states: Vec<Vec<ScalarValue>> = Vec::new();
        let mut after = Vec::new();
        for row in (0..count).rev() {
            let row: Vec<ArrayRef> = rows.iter().map(|values| values.slice(row, 1)).collect();
            let mut whole = make.accumulator()?;
            whole.update_batch(&row)?;
            if !after.is_empty() {
                whole.merge_batch(&after)?;
            }
            let state = whole.state()?;
            after = state.iter().map(ScalarValue::to_array).collect::<Result<_>>()?;
            states.resize_with(state.len(), Vec::new);
            for (column, part) in states.iter_mut().zip(state) {
                column.push(part);
            }
        }
        let states = states.into_iter().map(ScalarValue::iter_to_array);
        Ok(Older {
            states: states.collect::<Result<_>>()?,
            left: 0,
        })
    }

    fn rows(&self) -> usize {
        self.states.first().map_or(0, |states| states.len()) - self.left
    }

    fn merge_into(&self, whole: &mut dyn Accumulator) -> Result<()> {
        let Some(oldest) = self.rows().checked_sub(1) else {
            return Ok(());
        };
        let state: Vec<ArrayRef> = self.states.iter().map(|states| states.slice(oldest, 1)).collect();
        whole.merge_batch(&state)
    }
}

#[cfg(test)]
mod tests;

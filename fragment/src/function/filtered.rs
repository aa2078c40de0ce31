//! `agg(x) FILTER (WHERE c)` as an aggregate of its own with one argument more: `agg where(x, c)`.

use datafusion::arrow::array::{ArrayRef, AsArray, BooleanArray};
use datafusion::arrow::compute::filter;
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility};
use std::sync::Arc;

/// An aggregate over the rows for which its last argument is true.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Filtered {
    inner: Arc<AggregateUDF>,
    /// No identifier: it cannot be called by name.
    name: String,
    signature: Signature,
}

impl Filtered {
    pub fn of(inner: Arc<AggregateUDF>) -> Filtered {
        Filtered {
            name: format!("{} where", inner.name()),
            signature: Signature::user_defined(Volatility::Volatile),
            inner,
        }
    }

    /// The one whose inner aggregate is DataFusion's of this name.
    pub fn named(name: &str) -> Option<Filtered> {
        super::aggregate(name).map(Filtered::of)
    }

    pub fn inner(&self) -> &AggregateUDF {
        &self.inner
    }

    /// Runs `make` with the arguments that the inner aggregate knows.
    fn with_inner<T>(
        &self,
        args: AccumulatorArgs<'_>,
        make: impl FnOnce(AccumulatorArgs<'_>) -> Result<T>,
    ) -> Result<T> {
        let inner = AccumulatorArgs {
            exprs: without_last(args.exprs)?,
            expr_fields: without_last(args.expr_fields)?,
            ..args
        };
        make(inner)
    }
}

impl AggregateUDFImpl for Filtered {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    /// Arguments come as the inner aggregate wanted them.
    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(types.to_vec())
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.inner.return_type(without_last(types)?)
    }

    fn return_field(&self, fields: &[FieldRef]) -> Result<FieldRef> {
        self.inner.return_field(without_last(fields)?)
    }

    fn is_nullable(&self) -> bool {
        self.inner.is_nullable()
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let inner = self.with_inner(args, |args| self.inner.accumulator(args))?;
        Ok(Box::new(FilteredAccumulator(inner)))
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let inner = self.with_inner(args, |args| self.inner.create_sliding_accumulator(args))?;
        Ok(Box::new(FilteredAccumulator(inner)))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let input_fields = without_last(args.input_fields)?;
        self.inner.state_fields(StateFieldsArgs { input_fields, ..args })
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        self.inner.order_sensitivity()
    }

    fn default_value(&self, data_type: &DataType) -> Result<ScalarValue> {
        self.inner.default_value(data_type)
    }

    fn supports_null_handling_clause(&self) -> bool {
        self.inner.supports_null_handling_clause()
    }
}

#[derive(Debug)]
struct FilteredAccumulator(Box<dyn Accumulator>);

impl Accumulator for FilteredAccumulator {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.0.update_batch(&passing(values)?)
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.0.retract_batch(&passing(values)?)
    }

    fn supports_retract_batch(&self) -> bool {
        self.0.supports_retract_batch()
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.0.evaluate()
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.0.size()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.0.state()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.0.merge_batch(states)
    }
}

/// The rows that pass. An unknown condition does not.
fn passing(values: &[ArrayRef]) -> Result<Vec<ArrayRef>> {
    let (Some(condition), values) = (values.last(), without_last(values)?) else {
        return internal_err!("a filtered aggregate has no condition");
    };
    let condition: &BooleanArray = condition.as_boolean();
    let passing = values.iter().map(|values| Ok(filter(values, condition)?));
    passing.collect()
}

fn without_last<T>(values: &[T]) -> Result<&[T]> {
    match values.split_last() {
        Some((_, first)) => Ok(first),
        None => internal_err!("a filtered aggregate has no condition"),
    }
}

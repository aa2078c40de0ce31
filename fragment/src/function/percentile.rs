//! `percentile_cont` that merges any number of states and interpolates in doubles. DataFusion's takes the first state alone of those that it
//! is given (its own tasks hand over one at a time, an exchange hands over those of all tasks in one batch), and cuts the share between
//! two values to six digits.
//!
//! Of DataFusion 55.2 it is the one aggregate that relies on one state a batch. Looked at and found to merge any number: any_value,
//! approx_distinct, approx_median, approx_percentile_cont (with_weight), array_agg, avg, bit_and, bit_or, bit_xor, bool_and, bool_or, corr,
//! count, covar_pop, covar_samp, first_value, last_value, max, median, min, nth_value, regr_*, stddev, stddev_pop, string_agg, sum, var_pop,
//! var_samp; each also DISTINCT, where it has such a form, and with ORDER BY.

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, FieldRef, Float64Type};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::function::{AccumulatorArgs, AggregateFunctionSimplification, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Documentation, EmitTo, GroupsAccumulator, Signature,
};
use datafusion::physical_expr::expressions::Literal;
use std::sync::Arc;

#[derive(Debug, PartialEq, Eq, Hash)]
pub struct PercentileCont(Arc<AggregateUDF>);

impl PercentileCont {
    /// Under DataFusion's name.
    pub fn function() -> Option<Arc<AggregateUDF>> {
        let inner = super::datafusion_aggregate("percentile_cont")?;
        Some(Arc::new(AggregateUDF::new_from_impl(PercentileCont(inner))))
    }
}

/// Which share of the values lies before the one that is asked for, in ascending order. DataFusion has checked the literal.
fn share(args: &AccumulatorArgs<'_>) -> Result<f64> {
    let literal = args.exprs.get(1).and_then(|expr| expr.downcast_ref::<Literal>());
    let share = match literal.map(Literal::value) {
        Some(ScalarValue::Float64(Some(share))) => *share,
        Some(ScalarValue::Float32(Some(share))) => f64::from(*share),
        _ => return plan_err!("the share of percentile_cont must be a literal"),
    };
    let is_descending = args.order_bys.first().is_some_and(|key| key.options.descending);
    Ok(if is_descending { 1.0 - share } else { share })
}

impl AggregateUDFImpl for PercentileCont {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn aliases(&self) -> &[String] {
        self.0.aliases()
    }

    fn signature(&self) -> &Signature {
        self.0.signature()
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.0.return_type(types)
    }

    fn return_field(&self, fields: &[FieldRef]) -> Result<FieldRef> {
        self.0.return_field(fields)
    }

    fn is_nullable(&self) -> bool {
        self.0.is_nullable()
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        self.0.coerce_types(types)
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let share = share(&args)?;
        let inner = self.0.accumulator(args)?;
        Ok(Box::new(Values { inner, share }))
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let share = share(&args)?;
        let inner = self.0.create_sliding_accumulator(args)?;
        Ok(Box::new(Values { inner, share }))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        self.0.state_fields(args)
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        self.0.groups_accumulator_supported(args)
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        let share = share(&args)?;
        let inner = self.0.create_groups_accumulator(args)?;
        Ok(Box::new(Groups { inner, share }))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        self.0.order_sensitivity()
    }

    fn simplify(&self) -> Option<AggregateFunctionSimplification> {
        self.0.simplify()
    }

    fn default_value(&self, data_type: &DataType) -> Result<ScalarValue> {
        self.0.default_value(data_type)
    }

    fn supports_within_group_clause(&self) -> bool {
        self.0.supports_within_group_clause()
    }

    fn supports_null_handling_clause(&self) -> bool {
        self.0.supports_null_handling_clause()
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.0.documentation()
    }
}

/// DataFusion's accumulator, which keeps the values.
#[derive(Debug)]
struct Values {
    inner: Box<dyn Accumulator>,
    share: f64,
}

impl Accumulator for Values {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.inner.update_batch(values)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let count = states.first().map_or(0, |state| state.len());
        (0..count).try_for_each(|at| {
            let state: Vec<ArrayRef> = states.iter().map(|states| states.slice(at, 1)).collect();
            self.inner.merge_batch(&state)
        })
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.inner.retract_batch(values)
    }

    fn supports_retract_batch(&self) -> bool {
        self.inner.supports_retract_batch()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.inner.state()
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let state = self.inner.state()?;
        let Some(ScalarValue::List(list)) = state.first() else {
            // Of NULLs without a type nothing is kept.
            return self.inner.evaluate();
        };
        let values = list.value(0);
        // A window goes on from here.
        if self.inner.supports_retract_batch() {
            self.inner.merge_batch(&[Arc::clone(list) as ArrayRef])?;
        }
        let found = Float64Array::from(vec![percentile(&values, self.share)?]);
        ScalarValue::try_from_array(&cast(&found, values.data_type())?, 0)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.inner.size()
    }
}

struct Groups {
    inner: Box<dyn GroupsAccumulator>,
    share: f64,
}

impl GroupsAccumulator for Groups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.inner.update_batch(values, group_indices, filter, total_num_groups)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let state = self.inner.state(emit_to)?;
        let groups = state[0].as_list::<i32>();
        let found = groups.iter().map(|values| match values {
            Some(values) => percentile(&values, self.share),
            None => Ok(None),
        });
        let found: Float64Array = found.collect::<Result<_>>()?;
        Ok(cast(&found, &groups.value_type())?)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        self.inner.state(emit_to)
    }

    fn merge_batch(&mut self, values: &[ArrayRef], group_indices: &[usize], total_num_groups: usize) -> Result<()> {
        self.inner.merge_batch(values, group_indices, total_num_groups)
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        self.inner.convert_to_state(values, filter)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.inner.size()
    }
}

/// The value at `share * (n - 1)` of n values in ascending order, NaN last; between two of them on the line that joins both, as the SQL
/// standard has it. `None` of no values.
fn percentile(values: &ArrayRef, share: f64) -> Result<Option<f64>> {
    let values = cast(values, &DataType::Float64)?;
    let mut values: Vec<f64> = values.as_primitive::<Float64Type>().iter().flatten().collect();
    let Some(last) = values.len().checked_sub(1) else {
        return Ok(None);
    };
    let at = share * last as f64;
    let below = at.floor();
    let (_, lower, above) = values.select_nth_unstable_by(below as usize, f64::total_cmp);
    let upper = above.iter().copied().min_by(f64::total_cmp);
    Ok(Some(match upper {
        Some(upper) if at > below && upper != *lower => *lower + (upper - *lower) * (at - below),
        _ => *lower,
    }))
}

#[cfg(test)]
mod tests;

//! Aggregates of DataFusion's that read only the first of the states that they are given to merge. Their states come one at a time.
//!
//! Among its tasks DataFusion hands over a state in a batch of its own; an exchange hands over those of all tasks in one. Of the functions
//! in DataFusion 55.2 `percentile_cont` alone relies on the former. Looked at and found to merge any number of states: any_value, approx_distinct, approx_median,
//! approx_percentile_cont (with_weight), array_agg, avg, bit_and, bit_or, bit_xor, bool_and, bool_or, corr, count, covar_pop, covar_samp,
//! first_value, last_value, max, median, min, nth_value, regr_*, stddev, stddev_pop, string_agg, sum, var_pop, var_samp; each also DISTINCT, where it
//! has such a form, and with ORDER BY.

use datafusion::arrow::array::{Array, ArrayRef};
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::function::{AccumulatorArgs, AggregateFunctionSimplification, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Documentation, GroupsAccumulator, Signature,
};
use std::sync::Arc;

const NAMES: [&str; 1] = ["percentile_cont"];

/// One of these aggregates, under its own name.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct EachState(Arc<AggregateUDF>);

impl EachState {
    /// What stands under DataFusion's names.
    pub fn all() -> Vec<Arc<AggregateUDF>> {
        let known = NAMES.iter().filter_map(|name| super::aggregate(name));
        let wrapped = known.map(|inner| AggregateUDF::new_from_impl(EachState(inner)));
        wrapped.map(Arc::new).collect()
    }
}

impl AggregateUDFImpl for EachState {
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
        Ok(Box::new(OneByOne(self.0.accumulator(args)?)))
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        self.0.create_sliding_accumulator(args)
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        self.0.state_fields(args)
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        self.0.groups_accumulator_supported(args)
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        self.0.create_groups_accumulator(args)
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

#[derive(Debug)]
struct OneByOne(Box<dyn Accumulator>);

impl Accumulator for OneByOne {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.0.update_batch(values)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let count = states.first().map_or(0, |state| state.len());
        (0..count).try_for_each(|at| {
            let state: Vec<ArrayRef> = states.iter().map(|states| states.slice(at, 1)).collect();
            self.0.merge_batch(&state)
        })
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.0.state()
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.0.evaluate()
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.0.size()
    }
}

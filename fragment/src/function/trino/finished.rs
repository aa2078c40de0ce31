//! Aggregates of DataFusion's whose last step gives something else: an average of decimals has the type of what it averages, rounded half
//! away from zero, a count is a bigint, `regr_r2` of a level line is 1, and NaN or an infinity alone varies by NaN.

use datafusion::arrow::array::{ArrayRef, BooleanArray};
use datafusion::arrow::compute::{CastOptions, cast_with_options};
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature};
use std::sync::Arc;

/// Counts that DataFusion gives as unsigned.
const COUNTS: [&str; 2] = ["approx_distinct", "regr_count"];

/// 1 where all y are the same and not all x, as the SQL standard has it; NULL in DataFusion.
const FIT: &str = "regr_r2";

/// 0 of one row in DataFusion, whatever stands in it.
const SPREADS: [&str; 2] = ["stddev_pop", "var_pop"];

/// One of these aggregates.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Finished {
    inner: Arc<AggregateUDF>,
}

impl Finished {
    /// Under DataFusion's names.
    pub fn all() -> Vec<Arc<AggregateUDF>> {
        let names = COUNTS.into_iter().chain(["avg", FIT]).chain(SPREADS);
        let known = names.filter_map(super::super::datafusion_aggregate);
        known
            .map(|inner| Arc::new(AggregateUDF::new_from_impl(Finished { inner })))
            .collect()
    }

    /// What the last step makes of DataFusion's result.
    fn finished(&self, arguments: &[DataType], inner: DataType) -> DataType {
        match (&inner, arguments) {
            (DataType::UInt64, _) => DataType::Int64,
            (DataType::Decimal128(..) | DataType::Decimal256(..), [argument, ..]) => argument.clone(),
            _ => inner,
        }
    }

    fn inner_type(&self, fields: &[FieldRef]) -> Result<DataType> {
        let types: Vec<DataType> = fields.iter().map(|field| field.data_type().clone()).collect();
        self.inner.return_type(&types)
    }

    fn finishing(&self, inner: Box<dyn Accumulator>, data_type: DataType) -> Box<dyn Accumulator> {
        let last = match self.name() {
            FIT => LastStep::Fit,
            name if SPREADS.contains(&name) => LastStep::Spread,
            _ => LastStep::Cast,
        };
        Box::new(FinishedAccumulator { inner, data_type, last })
    }

    /// Runs `make` as DataFusion would.
    fn with_inner<T>(
        &self,
        args: AccumulatorArgs<'_>,
        make: impl FnOnce(AccumulatorArgs<'_>) -> Result<T>,
    ) -> Result<T> {
        let data_type = self.inner_type(args.expr_fields)?;
        let return_field = Arc::new(args.return_field.as_ref().clone().with_data_type(data_type));
        make(AccumulatorArgs { return_field, ..args })
    }
}

impl AggregateUDFImpl for Finished {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        self.inner.coerce_types(types)
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        let inner = self.inner.return_type(types)?;
        Ok(self.finished(types, inner))
    }

    fn is_nullable(&self) -> bool {
        self.inner.is_nullable()
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let data_type = args.return_type().clone();
        let inner = self.with_inner(args, |args| self.inner.accumulator(args))?;
        Ok(self.finishing(inner, data_type))
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let data_type = args.return_type().clone();
        let inner = self.with_inner(args, |args| self.inner.create_sliding_accumulator(args))?;
        Ok(self.finishing(inner, data_type))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let data_type = self.inner_type(args.input_fields)?;
        let return_field = Arc::new(args.return_field.as_ref().clone().with_data_type(data_type));
        self.inner.state_fields(StateFieldsArgs { return_field, ..args })
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        self.with_inner(args, |args| Ok(self.inner.groups_accumulator_supported(args)))
            .unwrap_or(false)
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        let data_type = args.return_type().clone();
        let inner = self.with_inner(args, |args| self.inner.create_groups_accumulator(args))?;
        Ok(Box::new(FinishedGroups { inner, data_type }))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        self.inner.order_sensitivity()
    }

    /// A count of nothing is 0.
    fn default_value(&self, data_type: &DataType) -> Result<ScalarValue> {
        let inner = match data_type {
            DataType::Int64 => &DataType::UInt64,
            other => other,
        };
        self.inner.default_value(inner)?.cast_to(data_type)
    }
}

#[derive(Debug)]
struct FinishedAccumulator {
    inner: Box<dyn Accumulator>,
    data_type: DataType,
    last: LastStep,
}

/// What is looked at, beside the type.
#[derive(Clone, Copy, Debug)]
enum LastStep {
    Cast,
    Fit,
    Spread,
}

impl FinishedAccumulator {
    /// Whether all y are the same and not all x. DataFusion's state: the count, both means, and the sums of squares of x and y.
    fn is_level(&mut self) -> Result<bool> {
        let (of_x, of_y) = (self.number(3)?, self.number(4)?);
        Ok(of_x.is_some_and(|of_x| of_x > 0.0) && of_y == Some(0.0))
    }

    /// DataFusion's state: the count, the mean, and the sum of squares.
    fn is_nan(&mut self) -> Result<bool> {
        Ok(self.number(2)?.is_some_and(f64::is_nan))
    }

    fn number(&mut self, at: usize) -> Result<Option<f64>> {
        match self.inner.state()?.get(at) {
            Some(ScalarValue::Float64(number)) => Ok(*number),
            _ => Ok(None),
        }
    }
}

impl Accumulator for FinishedAccumulator {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.inner.update_batch(values)
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.inner.retract_batch(values)
    }

    fn supports_retract_batch(&self) -> bool {
        self.inner.supports_retract_batch()
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let value = self.inner.evaluate()?.cast_to(&self.data_type)?;
        let instead = match self.last {
            LastStep::Cast => None,
            LastStep::Fit => (value.is_null() && self.is_level()?).then_some(1.0),
            LastStep::Spread => (!value.is_null() && self.is_nan()?).then_some(f64::NAN),
        };
        Ok(instead.map_or(value, |instead| ScalarValue::Float64(Some(instead))))
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

struct FinishedGroups {
    inner: Box<dyn GroupsAccumulator>,
    data_type: DataType,
}

impl GroupsAccumulator for FinishedGroups {
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
        let options = CastOptions {
            safe: false,
            ..CastOptions::default()
        };
        let evaluated = self.inner.evaluate(emit_to)?;
        Ok(cast_with_options(&evaluated, &self.data_type, &options)?)
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

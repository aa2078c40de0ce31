//! `min` and `max` of floats, by the order that they are sorted in: NaN above all, one zero. DataFusion's groups take NaN for whatever came
//! last. Floats become integers of the same order on the way in, and floats again on the way out.

use datafusion::arrow::array::{ArrayRef, AsArray, BooleanArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Float64Type, Int64Type};
use datafusion::common::{Result, ScalarValue};
use datafusion::functions_aggregate::min_max::{max_udaf, min_udaf};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, ReversedUDAF, Signature, Volatility,
};
use std::sync::Arc;

/// One of the two.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Extreme {
    inner: Arc<AggregateUDF>,
    name: &'static str,
    signature: Signature,
}

impl Extreme {
    pub fn all() -> Vec<Arc<AggregateUDF>> {
        ["max", "min"].into_iter().filter_map(Extreme::instead_of).collect()
    }

    /// What takes the place of DataFusion's aggregate of this name, for floats.
    pub fn instead_of(name: &str) -> Option<Arc<AggregateUDF>> {
        let (inner, name) = match name {
            "max" => (max_udaf(), "float_max"),
            "min" => (min_udaf(), "float_min"),
            _ => return None,
        };
        let signature = Signature::user_defined(Volatility::Immutable);
        Some(Arc::new(AggregateUDF::new_from_impl(Extreme {
            inner,
            name,
            signature,
        })))
    }

    fn with_inner<T>(
        &self,
        args: AccumulatorArgs<'_>,
        make: impl FnOnce(AccumulatorArgs<'_>) -> Result<T>,
    ) -> Result<T> {
        let return_field = integer(&args.return_field);
        let expr_fields: Vec<FieldRef> = args.expr_fields.iter().map(integer).collect();
        make(AccumulatorArgs {
            return_field,
            expr_fields: &expr_fields,
            ..args
        })
    }
}

fn integer(field: &FieldRef) -> FieldRef {
    Arc::new(field.as_ref().clone().with_data_type(DataType::Int64))
}

/// Arrow's own trick: the bits of a float, with those of a negative one turned around, are in the order of `f64::total_cmp`.
fn turned(bits: i64) -> i64 {
    bits ^ (((bits >> 63) as u64) >> 1) as i64
}

fn ordered(values: &ArrayRef) -> Result<ArrayRef> {
    let floats = cast(values, &DataType::Float64)?;
    let floats = floats.as_primitive::<Float64Type>();
    let order = |value: f64| {
        let key = if value.is_nan() { f64::NAN } else { value + 0.0 };
        turned(i64::from_ne_bytes(key.to_ne_bytes()))
    };
    Ok(Arc::new(floats.unary::<_, Int64Type>(order)))
}

fn floats(order: &ArrayRef, data_type: &DataType) -> Result<ArrayRef> {
    let float = |order: i64| f64::from_ne_bytes(turned(order).to_ne_bytes());
    let floats: ArrayRef = Arc::new(order.as_primitive::<Int64Type>().unary::<_, Float64Type>(float));
    Ok(cast(&floats, data_type)?)
}

impl AggregateUDFImpl for Extreme {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(types.to_vec())
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok(types.first().cloned().unwrap_or(DataType::Float64))
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let data_type = args.return_type().clone();
        let inner = self.with_inner(args, |args| self.inner.accumulator(args))?;
        Ok(Box::new(ExtremeAccumulator { inner, data_type }))
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let data_type = args.return_type().clone();
        let inner = self.with_inner(args, |args| self.inner.create_sliding_accumulator(args))?;
        Ok(Box::new(ExtremeAccumulator { inner, data_type }))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let name = format!("{}[{}]", args.name, self.name);
        Ok(vec![Arc::new(Field::new(name, DataType::Int64, true))])
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs<'_>) -> bool {
        true
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        let data_type = args.return_type().clone();
        let inner = self.with_inner(args, |args| self.inner.create_groups_accumulator(args))?;
        Ok(Box::new(ExtremeGroups { inner, data_type }))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }
}

#[derive(Debug)]
struct ExtremeAccumulator {
    inner: Box<dyn Accumulator>,
    data_type: DataType,
}

impl Accumulator for ExtremeAccumulator {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.inner.update_batch(&[ordered(&values[0])?])
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.inner.retract_batch(&[ordered(&values[0])?])
    }

    fn supports_retract_batch(&self) -> bool {
        self.inner.supports_retract_batch()
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let extreme = floats(&self.inner.evaluate()?.to_array()?, &self.data_type)?;
        ScalarValue::try_from_array(&extreme, 0)
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

struct ExtremeGroups {
    inner: Box<dyn GroupsAccumulator>,
    data_type: DataType,
}

impl GroupsAccumulator for ExtremeGroups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        let values = [ordered(&values[0])?];
        self.inner
            .update_batch(&values, group_indices, filter, total_num_groups)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        floats(&self.inner.evaluate(emit_to)?, &self.data_type)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        self.inner.state(emit_to)
    }

    fn merge_batch(&mut self, values: &[ArrayRef], group_indices: &[usize], total_num_groups: usize) -> Result<()> {
        self.inner.merge_batch(values, group_indices, total_num_groups)
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        self.inner.convert_to_state(&[ordered(&values[0])?], filter)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.inner.size()
    }
}

#[cfg(test)]
mod tests {
    use super::{floats, ordered};
    use datafusion::arrow::array::{ArrayRef, AsArray, Float64Array};
    use datafusion::arrow::datatypes::{DataType, Float64Type, Int64Type};
    use std::sync::Arc;

    #[test]
    fn integers_keep_the_order_of_floats() {
        let ascending = [f64::NEG_INFINITY, -1.5, -0.0, 1e-300, 2.0, f64::INFINITY, -f64::NAN];
        let values: ArrayRef = Arc::new(Float64Array::from(ascending.to_vec()));
        let order = ordered(&values).expect("floats");
        assert!(order.as_primitive::<Int64Type>().values().is_sorted());
        let back = floats(&order, &DataType::Float64).expect("integers");
        let back = back.as_primitive::<Float64Type>();
        assert_eq!(back.values()[..6], ascending[..6]);
        assert!(back.value(6).is_nan());
    }
}

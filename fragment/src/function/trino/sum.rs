//! `sum` that fails where the total is out of range, and only there: integers are added up in 128 bits, which no number of rows fills, so
//! that neither the order of rows nor how they were split among tasks matters. Decimals that may outgrow 128 bits fail when their running
//! sum does.
//!
//! Left out: floats, intervals and short decimals, which are added up as DataFusion does.

mod distinct;
mod exact;

use datafusion::arrow::array::{ArrayRef, ArrowPrimitiveType, AsArray, Decimal128Array};
use datafusion::arrow::datatypes::{
    DECIMAL128_MAX_PRECISION, DataType, Decimal128Type, FieldRef, Int64Type, UInt64Type,
};
use datafusion::arrow::error::ArrowError;
use datafusion::common::{Result, internal_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, GroupsAccumulator, ReversedUDAF, SetMonotonicity, Signature,
};
use distinct::{DistinctSum, SlidingDistinctSum};
use exact::{ExactGroups, ExactSum};
use std::sync::Arc;

/// Digits of decimals that 10^10 of them cannot overflow.
const SHORT_DIGITS_MAX: u8 = 28;

/// DataFusion's `sum`, exact where it would wrap around.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Sum {
    inner: Arc<AggregateUDF>,
}

/// Under DataFusion's name.
pub fn function() -> Arc<AggregateUDF> {
    let inner = datafusion::functions_aggregate::sum::sum_udaf();
    Arc::new(AggregateUDF::new_from_impl(Sum { inner }))
}

/// The type of running sums, if they need one of their own.
fn running(total: &DataType, arguments: &[FieldRef]) -> Option<DataType> {
    let argument = arguments.first().map(|field| field.data_type());
    match (total, argument) {
        (DataType::Int64 | DataType::UInt64, _) => Some(DataType::Decimal128(DECIMAL128_MAX_PRECISION, 0)),
        (DataType::Decimal128(_, scale), Some(DataType::Decimal128(digits, _))) if *digits > SHORT_DIGITS_MAX => {
            Some(DataType::Decimal128(DECIMAL128_MAX_PRECISION, *scale))
        }
        _ => None,
    }
}

impl AggregateUDFImpl for Sum {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.inner.return_type(types)
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let total = args.return_type().clone();
        match running(&total, args.expr_fields) {
            None => self.inner.accumulator(args),
            Some(running) if args.is_distinct => {
                let return_field = Arc::new(args.return_field.as_ref().clone().with_data_type(running));
                let inner = self.inner.accumulator(AccumulatorArgs { return_field, ..args })?;
                Ok(Box::new(DistinctSum { inner, total }))
            }
            Some(_) => Ok(Box::new(ExactSum::new(total))),
        }
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let total = args.return_type().clone();
        match running(&total, args.expr_fields) {
            None => self.inner.create_sliding_accumulator(args),
            Some(_) if args.is_distinct => Ok(Box::new(SlidingDistinctSum::new(total))),
            Some(_) => Ok(Box::new(ExactSum::new(total))),
        }
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let return_field = match running(args.return_type(), args.input_fields) {
            None => Arc::clone(&args.return_field),
            Some(running) => Arc::new(args.return_field.as_ref().clone().with_data_type(running)),
        };
        self.inner.state_fields(StateFieldsArgs { return_field, ..args })
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        self.inner.groups_accumulator_supported(args)
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        let total = args.return_type().clone();
        match running(&total, args.expr_fields) {
            None => self.inner.create_groups_accumulator(args),
            Some(running) => Ok(Box::new(ExactGroups::new(&running, total))),
        }
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn set_monotonicity(&self, data_type: &DataType) -> SetMonotonicity {
        self.inner.inner().set_monotonicity(data_type)
    }
}

/// Values as 128 bits, without digits and scale.
fn widened(values: &ArrayRef) -> Result<Decimal128Array> {
    match values.data_type() {
        DataType::Int64 => Ok(values.as_primitive::<Int64Type>().unary(i128::from)),
        DataType::UInt64 => Ok(values.as_primitive::<UInt64Type>().unary(i128::from)),
        DataType::Decimal128(..) => Ok(values.as_primitive::<Decimal128Type>().clone()),
        other => internal_err!("an exact sum of {other}"),
    }
}

/// Totals as the type that they have in SQL.
fn narrowed(totals: &Decimal128Array, total: &DataType) -> Result<ArrayRef, ArrowError> {
    match total {
        DataType::Int64 => integers::<Int64Type>(totals),
        DataType::UInt64 => integers::<UInt64Type>(totals),
        _ => {
            let totals: ArrayRef = Arc::new(totals.clone().with_data_type(total.clone()));
            super::checked::fits_decimal(&totals)?;
            Ok(totals)
        }
    }
}

fn integers<T: ArrowPrimitiveType<Native: TryFrom<i128>>>(totals: &Decimal128Array) -> Result<ArrayRef, ArrowError> {
    let narrow = |total: i128| {
        T::Native::try_from(total)
            .map_err(|_| ArrowError::ArithmeticOverflow(format!("bigint overflow: a sum is {total}")))
    };
    Ok(Arc::new(totals.try_unary::<_, T, _>(narrow)?))
}

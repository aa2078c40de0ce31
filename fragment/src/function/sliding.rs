//! Aggregates over frames whose first row moves on: `sum(x) OVER (… ROWS 3 PRECEDING)`.
//!
//! DataFusion takes what leaves a frame off its running state. Of floats that is wrong: what a NaN, an infinity or a large number left behind
//! stays, and a variance becomes negative. And aggregates that cannot take anything off are refused. Here a frame is the older rows, whose
//! totals from each row on are kept, and the newer ones, whose total is one: nothing is taken off, and each row is added twice.
//!
//! Left out: DISTINCT, and aggregates whose states are large, of which there would be one for each row.

mod stacks;
mod totals;

use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, ReversedUDAF, Signature, Volatility};
use stacks::Stacks;
use std::sync::Arc;
use totals::Totals;

/// What computes of floats, and would leave something of them behind.
const OF_FLOATS: [&str; 18] = [
    "avg",
    "corr",
    "covar_pop",
    "covar_samp",
    "regr_avgx",
    "regr_avgy",
    "regr_intercept",
    "regr_r2",
    "regr_slope",
    "regr_sxx",
    "regr_sxy",
    "regr_syy",
    "stddev",
    "stddev_pop",
    "sum",
    "var",
    "var_pop",
    "var_samp",
];

/// What cannot take anything off.
const GROWING: [&str; 5] = ["any_value", "bit_and", "bit_or", "bool_and", "bool_or"];

/// An aggregate whose frames slide.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Sliding {
    inner: Arc<AggregateUDF>,
    /// No identifier: it cannot be called by name.
    name: String,
    signature: Signature,
}

impl Sliding {
    const SUFFIX: &str = " sliding";

    /// What takes the place of an aggregate over arguments of these types, if something must.
    pub fn instead_of(inner: &Arc<AggregateUDF>, types: &[DataType]) -> Option<Arc<AggregateUDF>> {
        let is_float = types.iter().any(DataType::is_floating);
        let must = GROWING.contains(&inner.name()) || is_float && OF_FLOATS.contains(&inner.name());
        must.then(|| Sliding::of(Arc::clone(inner)))
    }

    /// The one of this name.
    pub(super) fn named(name: &str) -> Option<Arc<AggregateUDF>> {
        super::aggregate(name.strip_suffix(Sliding::SUFFIX)?).map(Sliding::of)
    }

    fn of(inner: Arc<AggregateUDF>) -> Arc<AggregateUDF> {
        Arc::new(AggregateUDF::new_from_impl(Sliding {
            name: format!("{}{}", inner.name(), Sliding::SUFFIX),
            signature: Signature::user_defined(Volatility::Immutable),
            inner,
        }))
    }
}

impl AggregateUDFImpl for Sliding {
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
        self.inner.return_type(types)
    }

    fn return_field(&self, fields: &[FieldRef]) -> Result<FieldRef> {
        self.inner.return_field(fields)
    }

    fn is_nullable(&self) -> bool {
        self.inner.is_nullable()
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        self.inner.accumulator(args)
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        match self.inner.name() {
            "sum" => Ok(Box::new(Totals::sum())),
            "avg" => Ok(Box::new(Totals::average())),
            _ => Ok(Box::new(Stacks::new(Arc::clone(&self.inner), &args)?)),
        }
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        self.inner.state_fields(args)
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        self.inner.order_sensitivity()
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        match self.inner.reverse_udf() {
            ReversedUDAF::Identical => ReversedUDAF::Identical,
            _ => ReversedUDAF::NotSupported,
        }
    }

    fn default_value(&self, data_type: &DataType) -> Result<ScalarValue> {
        self.inner.default_value(data_type)
    }

    fn supports_null_handling_clause(&self) -> bool {
        self.inner.supports_null_handling_clause()
    }
}

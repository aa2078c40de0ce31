//! Floats as keys and in comparisons. As a key (of groups, joins, DISTINCT, orders) every NaN is one value above all others, and -0.0 is 0.0.
//! In a comparison with NaN only `<>` is true.

use datafusion::arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, Float64Array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, FieldRef, Float32Type, Float64Type};
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::logical_expr::{
    ColumnarValue, Operator, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use std::sync::Arc;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    /// `float_key(x)`
    Key,
    /// `a < b` and the like.
    Compare(Operator),
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Float {
    kind: Kind,
    signature: Signature,
}

const COMPARISONS: [Operator; 6] = [
    Operator::Eq,
    Operator::NotEq,
    Operator::Lt,
    Operator::LtEq,
    Operator::Gt,
    Operator::GtEq,
];

/// The value of a float as a key.
pub fn key() -> Arc<ScalarUDF> {
    function(Kind::Key)
}

/// The comparison, if it is one.
pub fn comparison(operator: Operator) -> Option<Arc<ScalarUDF>> {
    COMPARISONS
        .contains(&operator)
        .then(|| function(Kind::Compare(operator)))
}

pub fn all() -> Vec<Arc<ScalarUDF>> {
    let comparisons = COMPARISONS.into_iter().filter_map(comparison);
    comparisons.chain([key()]).collect()
}

fn function(kind: Kind) -> Arc<ScalarUDF> {
    let signature = Signature::user_defined(Volatility::Immutable);
    Arc::new(ScalarUDF::new_from_impl(Float { kind, signature }))
}

impl ScalarUDFImpl for Float {
    fn name(&self) -> &str {
        match self.kind {
            Kind::Key => "float_key",
            Kind::Compare(Operator::Eq) => "=",
            Kind::Compare(Operator::NotEq) => "<>",
            Kind::Compare(Operator::Lt) => "<",
            Kind::Compare(Operator::LtEq) => "<=",
            Kind::Compare(Operator::Gt) => ">",
            Kind::Compare(_) => ">=",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(types.to_vec())
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        match (self.kind, types) {
            (Kind::Key, [float]) => Ok(float.clone()),
            (Kind::Compare(_), [_, _]) => Ok(DataType::Boolean),
            _ => internal_err!("{} of {} arguments", self.name(), types.len()),
        }
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        super::strict_field(self, &args)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let is_scalar = args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let rows = if is_scalar { 1 } else { args.number_rows };
        let arrays: Vec<ArrayRef> = args.args.iter().map(|arg| arg.to_array(rows)).collect::<Result<_>>()?;
        let computed: ArrayRef = match (self.kind, arrays.as_slice()) {
            (Kind::Key, [values]) => keys(values),
            (Kind::Compare(operator), [left, right]) => Arc::new(compared(operator, left, right)?),
            _ => return internal_err!("{} of {} arguments", self.name(), arrays.len()),
        };
        Ok(match is_scalar {
            true => ColumnarValue::Scalar(ScalarValue::try_from_array(&computed, 0)?),
            false => ColumnarValue::Array(computed),
        })
    }
}

fn keys(values: &ArrayRef) -> ArrayRef {
    match values.data_type() {
        DataType::Float64 => mapped::<Float64Type>(values, |value| if value.is_nan() { f64::NAN } else { value + 0.0 }),
        DataType::Float32 => mapped::<Float32Type>(values, |value| if value.is_nan() { f32::NAN } else { value + 0.0 }),
        _ => Arc::clone(values),
    }
}

fn mapped<T: ArrowPrimitiveType>(values: &ArrayRef, map: impl Fn(T::Native) -> T::Native) -> ArrayRef {
    Arc::new(values.as_primitive::<T>().unary::<_, T>(map))
}

fn compared(operator: Operator, left: &ArrayRef, right: &ArrayRef) -> Result<BooleanArray> {
    let floats = |values: &ArrayRef| -> Result<Float64Array> {
        Ok(cast(values, &DataType::Float64)?.as_primitive::<Float64Type>().clone())
    };
    let (left, right) = (floats(left)?, floats(right)?);
    // Rust compares floats as IEEE 754 does, and so Trino.
    let compare: fn(&f64, &f64) -> bool = match operator {
        Operator::Eq => f64::eq,
        Operator::NotEq => f64::ne,
        Operator::Lt => f64::lt,
        Operator::LtEq => f64::le,
        Operator::Gt => f64::gt,
        _ => f64::ge,
    };
    let pairs = left.iter().zip(right.iter());
    Ok(pairs.map(|(left, right)| Some(compare(&left?, &right?))).collect())
}

#[cfg(test)]
mod tests {
    use super::{compared, keys};
    use datafusion::arrow::array::{ArrayRef, AsArray, Float64Array};
    use datafusion::arrow::datatypes::Float64Type;
    use datafusion::logical_expr::Operator;
    use std::sync::Arc;

    fn floats(values: &[f64]) -> ArrayRef {
        Arc::new(Float64Array::from(values.to_vec()))
    }

    #[test]
    fn nan_is_one_key_and_zero_another() {
        let keys = keys(&floats(&[-f64::NAN, -0.0, 1.0]));
        let keys = keys.as_primitive::<Float64Type>();
        assert_eq!(keys.value(0).to_bits(), f64::NAN.to_bits());
        assert_eq!(keys.value(1).to_bits(), 0.0_f64.to_bits());
        assert_eq!(keys.value(2).to_bits(), 1.0_f64.to_bits());
    }

    #[test]
    fn only_unequal_is_true_of_nan() {
        let (left, right) = (floats(&[f64::NAN, f64::NAN, -0.0]), floats(&[f64::NAN, 1.0, 0.0]));
        let truths = |operator| {
            let compared = compared(operator, &left, &right).expect("floats");
            compared.iter().map(|truth| truth == Some(true)).collect::<Vec<_>>()
        };
        assert_eq!(truths(Operator::Eq), [false, false, true]);
        assert_eq!(truths(Operator::NotEq), [true, true, false]);
        assert_eq!(truths(Operator::Lt), [false, false, false]);
        assert_eq!(truths(Operator::GtEq), [false, false, true]);
    }
}

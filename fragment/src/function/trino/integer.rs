//! `CAST(x AS bigint)` and the narrower integers, of decimals and floats: rounded half away from zero, and an error out of range, where
//! DataFusion cuts the fraction off.

use datafusion::arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, PrimitiveArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{
    DataType, Decimal128Type, DecimalType, FieldRef, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
};
use datafusion::arrow::error::ArrowError;
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use std::sync::Arc;

/// Casts to one type of integer.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct ToInteger {
    target: DataType,
    is_try: bool,
    signature: Signature,
}

const TARGETS: [DataType; 4] = [DataType::Int8, DataType::Int16, DataType::Int32, DataType::Int64];

impl ToInteger {
    pub fn all() -> Vec<Arc<ScalarUDF>> {
        let each = |is_try| TARGETS.into_iter().map(move |target| function(target, is_try));
        each(false).chain(each(true)).collect()
    }

    /// What takes a cast's place, if it rounds.
    pub fn instead_of(from: &DataType, target: &DataType, is_try: bool) -> Option<Arc<ScalarUDF>> {
        let rounds = from.is_floating() || matches!(from, DataType::Decimal128(..));
        (rounds && TARGETS.contains(target)).then(|| function(target.clone(), is_try))
    }

    fn type_name(&self) -> &'static str {
        match self.target {
            DataType::Int8 => "tinyint",
            DataType::Int16 => "smallint",
            DataType::Int32 => "integer",
            _ => "bigint",
        }
    }
}

fn function(target: DataType, is_try: bool) -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::new_from_impl(ToInteger {
        target,
        is_try,
        signature: Signature::user_defined(Volatility::Immutable),
    }))
}

impl ScalarUDFImpl for ToInteger {
    fn name(&self) -> &str {
        match (&self.target, self.is_try) {
            (DataType::Int8, false) => "to_tinyint",
            (DataType::Int16, false) => "to_smallint",
            (DataType::Int32, false) => "to_integer",
            (_, false) => "to_bigint",
            (DataType::Int8, true) => "try_tinyint",
            (DataType::Int16, true) => "try_smallint",
            (DataType::Int32, true) => "try_integer",
            (_, true) => "try_bigint",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(types.to_vec())
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.target.clone())
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let field = super::strict_field(self, &args)?;
        let nullable = self.is_try || field.is_nullable();
        Ok(Arc::new(field.as_ref().clone().with_nullable(nullable)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [value] = args.args.as_slice() else {
            return internal_err!("a cast of {} values", args.args.len());
        };
        let is_scalar = matches!(value, ColumnarValue::Scalar(_));
        let values = value.to_array(if is_scalar { 1 } else { args.number_rows })?;
        let integers = match self.target {
            DataType::Int8 => self.integers::<Int8Type>(&values)?,
            DataType::Int16 => self.integers::<Int16Type>(&values)?,
            DataType::Int32 => self.integers::<Int32Type>(&values)?,
            _ => self.integers::<Int64Type>(&values)?,
        };
        Ok(match is_scalar {
            true => ColumnarValue::Scalar(ScalarValue::try_from_array(&integers, 0)?),
            false => ColumnarValue::Array(integers),
        })
    }
}

impl ToInteger {
    fn integers<T: ArrowPrimitiveType<Native: TryFrom<i128>>>(
        &self,
        values: &ArrayRef,
    ) -> Result<ArrayRef, ArrowError> {
        let narrow = |rounded: Option<i128>| rounded.and_then(|rounded| T::Native::try_from(rounded).ok());
        match values.data_type() {
            DataType::Decimal128(digits, scale) => {
                let (digits, scale) = (*digits, *scale);
                let shown = |value| Decimal128Type::format_decimal(value, digits, scale);
                let values = values.as_primitive::<Decimal128Type>();
                self.each::<_, T>(values, |value| narrow(rounded_decimal(value, scale)), shown)
            }
            _ => {
                let values = cast(values, &DataType::Float64)?;
                let values = values.as_primitive::<Float64Type>();
                self.each::<_, T>(values, |value| narrow(rounded_float(value)), |value| value.to_string())
            }
        }
    }

    fn each<F: ArrowPrimitiveType, T: ArrowPrimitiveType>(
        &self,
        values: &PrimitiveArray<F>,
        convert: impl Fn(F::Native) -> Option<T::Native>,
        shown: impl Fn(F::Native) -> String,
    ) -> Result<ArrayRef, ArrowError> {
        if self.is_try {
            return Ok(Arc::new(values.unary_opt::<_, T>(convert)));
        }
        let converted = values.try_unary::<_, T, _>(|value| {
            convert(value)
                .ok_or_else(|| ArrowError::CastError(format!("Cannot cast '{}' to {}", shown(value), self.type_name())))
        })?;
        Ok(Arc::new(converted))
    }
}

fn rounded_decimal(value: i128, scale: i8) -> Option<i128> {
    let factor = 10_i128.checked_pow(u32::from(scale.unsigned_abs()))?;
    if scale < 0 {
        return value.checked_mul(factor);
    }
    let (whole, rest) = (value / factor, value % factor);
    let up = rest.unsigned_abs() >= factor.unsigned_abs().div_ceil(2) && factor > 1;
    Some(whole + if up { value.signum() } else { 0 })
}

/// `f64::round` goes half away from zero.
fn rounded_float(value: f64) -> Option<i128> {
    // Every float of this size is exact as 128 bits.
    let fits = value.is_finite() && value.abs() < 1e20;
    fits.then(|| value.round() as i128)
}

#[cfg(test)]
mod tests {
    use super::{rounded_decimal, rounded_float};

    #[test]
    fn halves_go_away_from_zero() {
        assert_eq!(rounded_decimal(15, 1), Some(2));
        assert_eq!(rounded_decimal(-15, 1), Some(-2));
        assert_eq!(rounded_decimal(149, 2), Some(1));
        assert_eq!(rounded_decimal(7, 0), Some(7));
        assert_eq!(rounded_float(2.5), Some(3));
        assert_eq!(rounded_float(-0.5), Some(-1));
        assert_eq!(rounded_float(f64::NAN), None);
        assert_eq!(rounded_float(1e30), None);
    }
}

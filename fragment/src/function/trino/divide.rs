//! Division of decimals: the quotient has the larger of the two scales, and is rounded half away from zero.

use super::checked::fits_decimal;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, Datum, Decimal128Array, PrimitiveArray};
use datafusion::arrow::compute::kernels::arity::try_binary;
use datafusion::arrow::datatypes::{
    DECIMAL128_MAX_PRECISION, DECIMAL128_MAX_SCALE, DataType, Decimal128Type, FieldRef, i256,
};
use datafusion::arrow::error::ArrowError;
use datafusion::common::{Result, internal_err};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::physical_expr_common::datum::apply;
use std::sync::Arc;

#[derive(Debug, PartialEq, Eq, Hash)]
struct Divide {
    signature: Signature,
}

pub fn function() -> Arc<ScalarUDF> {
    let signature = Signature::user_defined(Volatility::Immutable);
    Arc::new(ScalarUDF::new_from_impl(Divide { signature }))
}

/// The decimal that an operand of this type is divided as. `None`: no decimal division.
pub fn operand(data_type: &DataType) -> Option<DataType> {
    let digits = match data_type {
        DataType::Int8 | DataType::UInt8 => 3,
        DataType::Int16 | DataType::UInt16 => 5,
        DataType::Int32 | DataType::UInt32 => 10,
        DataType::Int64 => 19,
        DataType::UInt64 => 20,
        DataType::Decimal32(digits, scale) | DataType::Decimal64(digits, scale) if *scale >= 0 => {
            return Some(DataType::Decimal128(*digits, *scale));
        }
        DataType::Decimal128(_, scale) if *scale >= 0 => return Some(data_type.clone()),
        _ => return None,
    };
    Some(DataType::Decimal128(digits, 0))
}

/// Digits and scale of a quotient.
fn quotient((left, left_scale): (u8, i8), (_, right_scale): (u8, i8)) -> (u8, i8) {
    let scale = left_scale.max(right_scale);
    let digits = i16::from(left) + i16::from(right_scale) + i16::from((right_scale - left_scale).max(0));
    let digits = digits.clamp(1, i16::from(DECIMAL128_MAX_PRECISION));
    (
        u8::try_from(digits)
            .unwrap_or(DECIMAL128_MAX_PRECISION)
            .max(scale.unsigned_abs()),
        scale,
    )
}

fn decimal(data_type: &DataType) -> Result<(u8, i8)> {
    match data_type {
        DataType::Decimal128(digits, scale) => Ok((*digits, *scale)),
        other => internal_err!("decimal division of {other}"),
    }
}

impl ScalarUDFImpl for Divide {
    fn name(&self) -> &str {
        "/"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let operands: Option<Vec<DataType>> = types.iter().map(operand).collect();
        match operands {
            Some(operands) => Ok(operands),
            None => internal_err!("decimal division of {types:?}"),
        }
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        let [left, right] = types else {
            return internal_err!("a division of {} operands", types.len());
        };
        let (digits, scale) = quotient(decimal(left)?, decimal(right)?);
        Ok(DataType::Decimal128(digits, scale))
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        super::strict_field(self, &args)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [left, right] = args.args.as_slice() else {
            return internal_err!("a division of {} operands", args.args.len());
        };
        apply(left, right, divide)
    }
}

fn divide(left: &dyn Datum, right: &dyn Datum) -> Result<ArrayRef, ArrowError> {
    let ((left, left_is_scalar), (right, right_is_scalar)) = (left.get(), right.get());
    let (DataType::Decimal128(left_digits, left_scale), DataType::Decimal128(right_digits, right_scale)) =
        (left.data_type(), right.data_type())
    else {
        return Err(ArrowError::NotYetImplemented(
            "decimal division of other types".to_owned(),
        ));
    };
    let (digits, scale) = quotient((*left_digits, *left_scale), (*right_digits, *right_scale));
    // Of the dividend, so that the quotient has its scale.
    let shift = i16::from(scale) - i16::from(*left_scale) + i16::from(*right_scale);
    let shift = u32::try_from(shift.clamp(0, 2 * i16::from(DECIMAL128_MAX_SCALE))).unwrap_or(0);
    let (left, right) = (
        left.as_primitive::<Decimal128Type>(),
        right.as_primitive::<Decimal128Type>(),
    );
    let (left, right) = (
        repeated(left, left_is_scalar, right.len()),
        repeated(right, right_is_scalar, left.len()),
    );
    let quotients: Decimal128Array = try_binary(&left, &right, |left, right| rounded(left, right, shift))?;
    let quotients: ArrayRef = Arc::new(quotients.with_precision_and_scale(digits, scale)?);
    fits_decimal(&quotients)?;
    Ok(quotients)
}

fn repeated(values: &Decimal128Array, is_scalar: bool, count: usize) -> Decimal128Array {
    if !is_scalar {
        return values.clone();
    }
    match values.is_null(0) {
        true => PrimitiveArray::new_null(count),
        false => PrimitiveArray::from_value(values.value(0), count),
    }
}

/// `left · 10^shift ÷ right`, half away from zero.
fn rounded(left: i128, right: i128, shift: u32) -> Result<i128, ArrowError> {
    if right == 0 {
        return Err(ArrowError::DivideByZero);
    }
    let dividend = 10_i128.checked_pow(shift).and_then(|factor| left.checked_mul(factor));
    let Some(dividend) = dividend else {
        return rounded_wide(left, right, shift);
    };
    let (quotient, rest) = (dividend / right, dividend % right);
    let up = rest.unsigned_abs() >= right.unsigned_abs().div_ceil(2);
    let away = if (dividend < 0) == (right < 0) { 1 } else { -1 };
    Ok(quotient + if up { away } else { 0 })
}

fn rounded_wide(left: i128, right: i128, shift: u32) -> Result<i128, ArrowError> {
    let overflow = || ArrowError::ArithmeticOverflow("decimal overflow in a division".to_owned());
    let factor = i256::from_i128(10).checked_pow(shift).ok_or_else(overflow)?;
    let dividend = i256::from_i128(left).checked_mul(factor).ok_or_else(overflow)?;
    let right = i256::from_i128(right);
    let (quotient, rest) = (
        dividend.checked_div(right).ok_or_else(overflow)?,
        dividend.checked_rem(right).ok_or_else(overflow)?,
    );
    let up = rest.wrapping_abs().wrapping_mul(i256::from_i128(2)) >= right.wrapping_abs();
    let away = match (dividend < i256::ZERO) == (right < i256::ZERO) {
        true => i256::ONE,
        false => i256::MINUS_ONE,
    };
    let quotient = if up { quotient.wrapping_add(away) } else { quotient };
    quotient.to_i128().ok_or_else(overflow)
}

#[cfg(test)]
mod tests {
    use super::{quotient, rounded};

    #[test]
    fn quotients_are_rounded_half_away_from_zero() {
        // 1.0 / 3.0, 2.0 / 3.0, -2.0 / 3.0, 1.5 / 1.0 at scale 0
        assert_eq!(rounded(10, 30, 1).ok(), Some(3));
        assert_eq!(rounded(20, 30, 1).ok(), Some(7));
        assert_eq!(rounded(-20, 30, 1).ok(), Some(-7));
        assert_eq!(rounded(3, 2, 0).ok(), Some(2));
        assert_eq!(rounded(-3, 2, 0).ok(), Some(-2));
        assert!(rounded(1, 0, 0).is_err());
        let large = 10_i128.pow(37);
        assert_eq!(rounded(large, large, 18).ok(), Some(10_i128.pow(18)));
    }

    #[test]
    fn a_quotient_has_the_larger_scale() {
        assert_eq!(quotient((2, 1), (2, 1)), (3, 1));
        assert_eq!(quotient((15, 2), (19, 0)), (15, 2));
        assert_eq!(quotient((19, 0), (15, 2)), (23, 2));
    }
}

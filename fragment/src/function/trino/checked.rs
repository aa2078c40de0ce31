//! `+`, `-`, `*` and negation that fail with an overflow where DataFusion's operators wrap around: integers of every width, and decimals
//! that outgrow 38 digits. A chain of one operator over integers is one call, computed from the left: a plan may nest only so deep.

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Datum};
use datafusion::arrow::compute::kernels::numeric::{add, mul, neg, sub};
use datafusion::arrow::datatypes::{DECIMAL128_MAX_PRECISION, DataType, Decimal128Type, DecimalType, FieldRef};
use datafusion::arrow::error::ArrowError;
use datafusion::common::{Result, internal_err};
use datafusion::logical_expr::{
    ColumnarValue, Operator, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::logical_expr_common::type_coercion::binary::BinaryTypeCoercer;
use datafusion::physical_expr_common::datum::apply;
use std::sync::Arc;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    Add,
    Subtract,
    Multiply,
    Negate,
}

/// One operation, over arguments whose types were coerced.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Checked {
    operation: Operation,
    signature: Signature,
}

impl Checked {
    pub const ALL: [Operation; 4] = [
        Operation::Add,
        Operation::Subtract,
        Operation::Multiply,
        Operation::Negate,
    ];

    pub fn function(operation: Operation) -> Arc<ScalarUDF> {
        let signature = Signature::user_defined(Volatility::Immutable);
        Arc::new(ScalarUDF::new_from_impl(Checked { operation, signature }))
    }

    /// What takes the operator's place for operands of these types, if they may overflow.
    pub fn instead_of(operator: Operator, left: &DataType, right: &DataType) -> Option<Arc<ScalarUDF>> {
        let operation = match operator {
            Operator::Plus => Operation::Add,
            Operator::Minus => Operation::Subtract,
            Operator::Multiply => Operation::Multiply,
            _ => return None,
        };
        let integers = left.is_integer() && left == right;
        let overflows = integers || decimal_overflows(operation, left, right);
        overflows.then(|| Checked::function(operation))
    }

    pub fn negation_of(operand: &DataType) -> Option<Arc<ScalarUDF>> {
        operand
            .is_signed_integer()
            .then(|| Checked::function(Operation::Negate))
    }
}

/// Whether the result may have more digits than a decimal has.
fn decimal_overflows(operation: Operation, left: &DataType, right: &DataType) -> bool {
    let (DataType::Decimal128(left, left_scale), DataType::Decimal128(right, right_scale)) = (left, right) else {
        return false;
    };
    let whole = |digits: u8, scale: i8| i16::from(digits) - i16::from(scale);
    let digits = match operation {
        Operation::Multiply => i16::from(*left) + i16::from(*right),
        _ => 1 + whole(*left, *left_scale).max(whole(*right, *right_scale)) + i16::from(*left_scale.max(right_scale)),
    };
    digits > i16::from(DECIMAL128_MAX_PRECISION)
}

impl ScalarUDFImpl for Checked {
    fn name(&self) -> &str {
        match self.operation {
            Operation::Add => "+",
            Operation::Subtract => "-",
            Operation::Multiply => "*",
            Operation::Negate => "negate",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    /// Arguments come coerced.
    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(types.to_vec())
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        match (self.operation, types) {
            (Operation::Negate, [operand]) => Ok(operand.clone()),
            // Integers of one type, however many.
            (_, [first, _, ..]) if first.is_integer() => Ok(first.clone()),
            (operation, [left, right]) => {
                let operator = match operation {
                    Operation::Add => Operator::Plus,
                    Operation::Subtract => Operator::Minus,
                    _ => Operator::Multiply,
                };
                BinaryTypeCoercer::new(left, &operator, right).get_result_type()
            }
            (operation, types) => internal_err!("{operation:?} of {} operands", types.len()),
        }
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        super::strict_field(self, &args)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let kernel: fn(&dyn Datum, &dyn Datum) -> Result<ArrayRef, ArrowError> = match self.operation {
            Operation::Add => add,
            Operation::Subtract => sub,
            Operation::Multiply => mul,
            Operation::Negate => |operand: &dyn Datum, _: &dyn Datum| neg(operand.get().0),
        };
        let [first, others @ ..] = args.args.as_slice() else {
            return internal_err!("{:?} of nothing", self.operation);
        };
        let computed = match self.operation {
            Operation::Negate => apply(first, first, kernel)?,
            _ => others
                .iter()
                .try_fold(first.clone(), |left, right| apply(&left, right, kernel))?,
        };
        within_digits(computed)
    }
}

/// Arrow checks the 128 bits of a decimal, which hold some numbers of 39 digits.
fn within_digits(value: ColumnarValue) -> Result<ColumnarValue> {
    let array = match &value {
        ColumnarValue::Array(array) => Arc::clone(array),
        ColumnarValue::Scalar(scalar) => scalar.to_array()?,
    };
    fits_decimal(&array)?;
    Ok(value)
}

/// Fails where a decimal of 38 digits does not hold the value.
pub fn fits_decimal(array: &ArrayRef) -> Result<(), ArrowError> {
    let DataType::Decimal128(DECIMAL128_MAX_PRECISION, scale) = array.data_type() else {
        return Ok(());
    };
    let values = array.as_primitive::<Decimal128Type>();
    let too_large = |value: i128| value.unsigned_abs() >= LIMIT;
    // Without branches: the values below NULLs matter only where one is too large.
    if !values.values().iter().fold(false, |any, value| any | too_large(*value)) {
        return Ok(());
    }
    match values.iter().flatten().find(|value| too_large(*value)) {
        Some(value) => Err(ArrowError::ArithmeticOverflow(format!(
            "decimal overflow: {} has more than {DECIMAL128_MAX_PRECISION} digits",
            Decimal128Type::format_decimal(value, u8::MAX, *scale)
        ))),
        None => Ok(()),
    }
}

/// The first number that has too many digits.
const LIMIT: u128 = 10_u128.pow(DECIMAL128_MAX_PRECISION as u32);

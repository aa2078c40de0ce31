//! Operators and window functions that have another type in Trino: the quotient of decimals has the larger of both scales, and what counts
//! rows is a bigint.

use super::mixed;
use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::{DFSchema, Result, ScalarValue};
use datafusion::functions::datetime::date_part;
use datafusion::logical_expr::expr::{ScalarFunction, WindowFunction, WindowFunctionParams};
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr, RawWindowExpr};
use datafusion::logical_expr::{Expr, ExprSchemable, WindowFunctionDefinition, cast, lit};
use datafusion::sql::sqlparser::ast::BinaryOperator;
use mayfly_fragment::trino::interval::Scale;
use mayfly_fragment::trino::{divide, interval, substr};

/// Window functions that DataFusion gives as unsigned.
const COUNTS: [&str; 4] = ["dense_rank", "ntile", "rank", "row_number"];

#[derive(Debug)]
pub(super) struct Operators;

impl ExprPlanner for Operators {
    fn plan_binary_op(&self, expr: RawBinaryExpr, schema: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
        let expr = match interval_scaled(expr, schema) {
            PlannerResult::Planned(scaled) => return Ok(PlannerResult::Planned(scaled)),
            PlannerResult::Original(expr) => expr,
        };
        match is_decimal_division(&expr, schema) {
            false => Ok(PlannerResult::Original(temporal(expr, schema))),
            true => {
                let operands = vec![expr.left, expr.right];
                let division = ScalarFunction::new_udf(divide::function(), operands);
                Ok(PlannerResult::Planned(Expr::ScalarFunction(division)))
            }
        }
    }

    /// `substring(x FROM a FOR b)`
    fn plan_substring(&self, args: Vec<Expr>) -> Result<PlannerResult<Vec<Expr>>> {
        Ok(PlannerResult::Planned(Expr::ScalarFunction(ScalarFunction::new_udf(
            substr::function(),
            args,
        ))))
    }

    fn plan_extract(&self, args: Vec<Expr>) -> Result<PlannerResult<Vec<Expr>>> {
        Ok(match args.as_slice() {
            [Expr::Literal(ScalarValue::Utf8(Some(part)), _), value] => match field(part, value) {
                Some(extracted) => PlannerResult::Planned(extracted),
                None => PlannerResult::Original(args),
            },
            _ => PlannerResult::Original(args),
        })
    }

    fn plan_window(&self, expr: RawWindowExpr) -> Result<PlannerResult<RawWindowExpr>> {
        let counts = matches!(&expr.func_def, WindowFunctionDefinition::WindowUDF(function) if COUNTS.contains(&function.name()));
        match counts {
            false => Ok(PlannerResult::Original(expr)),
            true => Ok(PlannerResult::Planned(cast(window(expr), DataType::Int64))),
        }
    }
}

/// Fields of EXTRACT that DataFusion counts otherwise, or does not know: a week begins with Monday, 1, and ends with Sunday, 7.
fn field(part: &str, value: &Expr) -> Option<Expr> {
    let counted = |part: &str| date_part().call(vec![lit(part), value.clone()]);
    Some(match part.to_lowercase().as_str() {
        "dow" | "day_of_week" => (counted("dow") + lit(6)) % lit(7) + lit(1),
        "day_of_year" => counted("doy"),
        "day_of_month" => counted("day"),
        "yow" | "year_of_week" => counted("isoyear"),
        _ => return None,
    })
}

/// An interval times a number, a number times an interval, or an interval by a number.
fn interval_scaled(expr: RawBinaryExpr, schema: &DFSchema) -> PlannerResult<RawBinaryExpr> {
    let is_interval = |operand: &Expr| matches!(operand.get_type(schema), Ok(DataType::Interval(_)));
    let is_number = |operand: &Expr| operand.get_type(schema).is_ok_and(|data_type| data_type.is_numeric());
    let (left, right) = (&expr.left, &expr.right);
    let scaled = |scale, interval: &Expr, number: &Expr| {
        let call = interval::function(scale).call(vec![interval.clone(), number.clone()]);
        PlannerResult::Planned(call)
    };
    match expr.op {
        BinaryOperator::Multiply if is_interval(left) && is_number(right) => scaled(Scale::Times, left, right),
        BinaryOperator::Multiply if is_number(left) && is_interval(right) => scaled(Scale::Times, right, left),
        BinaryOperator::Divide if is_interval(left) && is_number(right) => scaled(Scale::By, left, right),
        _ => PlannerResult::Original(expr),
    }
}

/// Of decimals, or of a decimal and an integer.
fn is_decimal_division(expr: &RawBinaryExpr, schema: &DFSchema) -> bool {
    if expr.op != BinaryOperator::Divide {
        return false;
    }
    // What has no type yet is not for us.
    let types = [&expr.left, &expr.right].map(|operand| operand.get_type(schema));
    let [Ok(left), Ok(right)] = types else {
        return false;
    };
    (left.is_decimal() || right.is_decimal()) && divide::operand(&left).is_some() && divide::operand(&right).is_some()
}

/// A date beside a timestamp becomes one of its unit, for DataFusion would make both nanoseconds, which reach from 1677 to 2262. A timestamp
/// without fraction has one once an interval is added to it. Times of a day that have different units are compared in the finer.
fn temporal(expr: RawBinaryExpr, schema: &DFSchema) -> RawBinaryExpr {
    let RawBinaryExpr { op, left, right } = expr;
    let types = (left.get_type(schema), right.get_type(schema));
    let (left, right) = match types {
        (Ok(DataType::Date32), Ok(timestamp @ DataType::Timestamp(..))) if compares(&op) => {
            (cast(left, timestamp), right)
        }
        (Ok(timestamp @ DataType::Timestamp(..)), Ok(DataType::Date32)) if compares(&op) => {
            (left, cast(right, timestamp))
        }
        (Ok(one), Ok(other)) if compares(&op) && mixed::are_times_apart(&one, &other) => {
            let finest = mixed::FINEST_TIME;
            (cast(left, finest.clone()), cast(right, finest))
        }
        (Ok(DataType::Timestamp(TimeUnit::Second, zone)), Ok(DataType::Interval(_))) => {
            (cast(left, DataType::Timestamp(TimeUnit::Millisecond, zone)), right)
        }
        (Ok(DataType::Interval(_)), Ok(DataType::Timestamp(TimeUnit::Second, zone))) => {
            (left, cast(right, DataType::Timestamp(TimeUnit::Millisecond, zone)))
        }
        _ => (left, right),
    };
    RawBinaryExpr { op, left, right }
}

fn compares(op: &BinaryOperator) -> bool {
    use BinaryOperator::{Eq, Gt, GtEq, Lt, LtEq, NotEq};
    matches!(op, Eq | Gt | GtEq | Lt | LtEq | NotEq)
}

fn window(expr: RawWindowExpr) -> Expr {
    Expr::WindowFunction(Box::new(WindowFunction {
        fun: expr.func_def,
        params: WindowFunctionParams {
            args: expr.args,
            partition_by: expr.partition_by,
            order_by: expr.order_by,
            window_frame: expr.window_frame,
            filter: expr.filter,
            null_treatment: expr.null_treatment,
            distinct: expr.distinct,
        },
    }))
}

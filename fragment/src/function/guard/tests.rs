//! Tests of `guard`.

use super::Guard;
use crate::function::held::Around as _;
use datafusion::arrow::array::{Array, AsArray, Int64Array, StringArray};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{DataFusionError, Result, ScalarValue};
use datafusion::config::ConfigOptions;
use datafusion::execution::SessionStateDefaults;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, Volatility, create_udf};
use mayfly_protocol::{ErrorCode, QueryError};
use std::sync::Arc;

fn texts(values: &[&str]) -> ColumnarValue {
    ColumnarValue::Array(Arc::new(StringArray::from(values.to_vec())))
}

fn numbers(values: &[i64]) -> ColumnarValue {
    ColumnarValue::Array(Arc::new(Int64Array::from(values.to_vec())))
}

fn text(value: &str) -> ColumnarValue {
    ColumnarValue::Scalar(ScalarValue::Utf8(Some(value.to_owned())))
}

fn call(function: &ScalarUDF, args: Vec<ColumnarValue>, rows: usize) -> Result<ColumnarValue> {
    let field = |data_type| -> FieldRef { Arc::new(Field::new("a", data_type, true)) };
    let args = ScalarFunctionArgs {
        arg_fields: args.iter().map(|arg| field(arg.data_type())).collect(),
        args,
        number_rows: rows,
        return_field: field(DataType::Utf8),
        config_options: Arc::new(ConfigOptions::default()),
    };
    Guard.call(function, args)
}

fn datafusions(name: &str) -> ScalarUDF {
    let functions = SessionStateDefaults::default_scalar_functions();
    let found = functions.iter().find(|function| function.name() == name);
    found.expect("a function of DataFusion's").as_ref().clone()
}

/// The user error that a call ends in.
fn refusal(result: Result<ColumnarValue>) -> String {
    match result.expect_err("refused") {
        DataFusionError::External(error) => {
            let error = error.downcast::<QueryError>().expect("a user's error");
            assert_eq!(error.code, ErrorCode::InvalidFunctionArgument);
            error.message
        }
        other => panic!("{other}"),
    }
}

#[test]
fn a_function_that_panics_fails_with_its_name() {
    let panics = Arc::new(|_: &[ColumnarValue]| panic!("capacity overflow"));
    let function = create_udf(
        "frail",
        vec![DataType::Utf8],
        DataType::Utf8,
        Volatility::Immutable,
        panics,
    );
    let message = refusal(call(&function, vec![texts(&["a"])], 1));
    assert_eq!(message, "frail cannot be computed of its arguments: capacity overflow");
}

#[test]
fn what_there_is_no_room_for_is_refused_before_it_is_made() {
    let repeat = datafusions("repeat");
    let message = refusal(call(&repeat, vec![texts(&["x"]), numbers(&[2_000_000_000])], 1));
    assert!(
        message.starts_with("repeat would make 2000000000 bytes of one row"),
        "{message}"
    );
    let many = vec![texts(&["x"; 1_000]), numbers(&[1_000_000; 1_000])];
    assert!(refusal(call(&repeat, many, 1_000)).contains("of 1000 rows"));
    let lpad = datafusions("lpad");
    assert!(refusal(call(&lpad, vec![texts(&["x"]), numbers(&[-1])], 1)).contains("negative"));
    assert!(refusal(call(&lpad, vec![texts(&["x"]), numbers(&[2_000_000_000])], 1)).contains("of one row"));
    let made = call(&repeat, vec![texts(&["xy", "z"]), numbers(&[2, 3])], 2).expect("small");
    assert_eq!(made.into_array(2).expect("two").as_string::<i32>().value(0), "xyxy");
}

/// Of these no more is known than a bound.
#[test]
fn what_may_be_large_and_is_not_is_made_in_pieces() {
    let replace = datafusions("replace");
    let long = "b".repeat(10_000);
    let rows = 1_000;
    let args = vec![texts(&vec![long.as_str(); rows]), text("a"), text(&"c".repeat(1_000))];
    let made = call(&replace, args, rows)
        .expect("nothing is replaced")
        .into_array(rows)
        .expect("rows");
    assert_eq!(made.len(), rows);
    assert_eq!(made.as_string::<i32>().value(rows - 1), long);
    let all = vec![
        texts(&["a".repeat(10_000).as_str(); 1_000]),
        text("a"),
        text(&"c".repeat(1_000)),
    ];
    assert!(refusal(call(&replace, all, rows)).starts_with("replace would make"));
}

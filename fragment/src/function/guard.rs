//! Calls in a task. A result that there is no room for is refused before it is made, and a function that panics on a user's values fails as
//! one that says so would: once, and with its name.

use super::held::{Around, Held};
use super::product;
use datafusion::arrow::array::{Array, ArrayRef};
use datafusion::arrow::compute::concat;
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF};
use mayfly_protocol::{ErrorCode, QueryError};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// Bytes that one call makes of a batch at most. Lists and texts count their bytes by 32 bits, and a function has a gigabyte or two for all.
const CALL_BYTES_MAX: u64 = 512 * 1024 * 1024;

/// Functions whose results are as large as [`product`] says. Of others it knows a bound that most stay far below.
const EXACT: [&str; 11] = [
    "repeat",
    "lpad",
    "rpad",
    "array_repeat",
    "list_repeat",
    "array_resize",
    "list_resize",
    "range",
    "generate_series",
    "gen_series",
    "sequence",
];
/// Those: they are called with fewer rows at a time, until what they really make tells.
const BOUNDED: [&str; 2] = ["replace", "regexp_replace"];

/// What looks for a function by its type.
const LOOKED_FOR: [&str; 1] = ["get_field"];

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Guard;

impl Guard {
    /// The functions, guarded.
    pub fn all(functions: &[Arc<ScalarUDF>]) -> Vec<Arc<ScalarUDF>> {
        let guarded = functions
            .iter()
            .map(|function| match LOOKED_FOR.contains(&function.name()) {
                true => function.clone(),
                false => Arc::new(Held::function(function.as_ref().clone(), Guard)),
            });
        guarded.collect()
    }
}

impl Around for Guard {
    fn call(&self, function: &ScalarUDF, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let name = function.name();
        product::check(name, &args.args)?;
        match () {
            () if EXACT.contains(&name) => {
                within_bound(
                    name,
                    product::bytes(name, &args.args, args.number_rows)?,
                    args.number_rows,
                )?;
                caught(function, args)
            }
            () if BOUNDED.contains(&name) => in_pieces(function, args),
            () => caught(function, args),
        }
    }
}

fn within_bound(name: &str, bytes: u64, rows: usize) -> Result<()> {
    if bytes <= CALL_BYTES_MAX {
        return Ok(());
    }
    let of = match rows {
        1 => "of one row".to_owned(),
        rows => format!("of {rows} rows"),
    };
    let message = format!("{name} would make {bytes} bytes {of}, more than the {CALL_BYTES_MAX} that a call may make");
    Err(refused(message))
}

fn refused(message: String) -> DataFusionError {
    DataFusionError::External(Box::new(QueryError::new(ErrorCode::InvalidFunctionArgument, message)))
}

fn caught(function: &ScalarUDF, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
    let called = catch_unwind(AssertUnwindSafe(|| function.invoke_with_args(args)));
    called.unwrap_or_else(|panic| {
        let name = function.name();
        let message = crate::write::panic_message(panic.as_ref());
        Err(refused(format!(
            "{name} cannot be computed of its arguments: {message}"
        )))
    })
}

/// Halves the rows until what may come of them is within the bound.
fn in_pieces(function: &ScalarUDF, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
    let (name, rows) = (function.name(), args.number_rows);
    let bytes = product::bytes(name, &args.args, rows)?;
    let is_scalar = args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
    if bytes <= CALL_BYTES_MAX {
        return caught(function, args);
    }
    if rows <= 1 || is_scalar {
        within_bound(name, bytes, 1)?;
    }
    let half = rows / 2;
    let pieces = [piece(&args, 0, half), piece(&args, half, rows - half)];
    let mut made: Vec<ArrayRef> = Vec::new();
    for piece in pieces {
        let rows = piece.number_rows;
        made.push(in_pieces(function, piece)?.into_array(rows)?);
        let bytes: usize = made.iter().map(|array| array.get_array_memory_size()).sum();
        within_bound(name, bytes as u64, rows)?;
    }
    let made: Vec<&dyn Array> = made.iter().map(AsRef::as_ref).collect();
    Ok(ColumnarValue::Array(concat(&made)?))
}

fn piece(args: &ScalarFunctionArgs, from: usize, rows: usize) -> ScalarFunctionArgs {
    let cut = |arg: &ColumnarValue| match arg {
        ColumnarValue::Array(array) => ColumnarValue::Array(array.slice(from, rows)),
        scalar => scalar.clone(),
    };
    ScalarFunctionArgs {
        args: args.args.iter().map(cut).collect(),
        number_rows: rows,
        ..args.clone()
    }
}

#[cfg(test)]
mod tests;

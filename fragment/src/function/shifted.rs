//! `lag`, `lead` and `ntile` whose numbers or defaults are columns: `lag(price, 1, price)`, `ntile(n)`. DataFusion's take literals only.
//! Each is given its partition whole, and looks at the arguments of each row.

use super::directed::Directed;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, Int64Array, new_null_array};
use datafusion::arrow::compute::{cast, interleave};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use datafusion::common::{Result, exec_datafusion_err, exec_err, internal_err};
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{PartitionEvaluator, Signature, Volatility, WindowUDF, WindowUDFImpl};
use std::sync::Arc;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Lag,
    Lead,
    Ntile,
}

/// One of the three.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Shifted {
    kind: Kind,
    pub ignore_nulls: bool,
    signature: Signature,
}

impl Shifted {
    /// How the names of all of these end, as no identifier does.
    pub const SUFFIX: &str = " by row";

    /// What takes the place of a function.
    pub fn instead_of(function: &WindowUDF, ignore_nulls: bool) -> Option<Shifted> {
        let directed = function.inner().downcast_ref::<Directed>();
        let ignore_nulls = ignore_nulls || directed.is_some_and(|directed| directed.ignore_nulls);
        Shifted::of(function.name(), ignore_nulls)
    }

    /// The one of this name.
    pub fn named(name: &str, ignore_nulls: bool) -> Option<Shifted> {
        Shifted::of(name.strip_suffix(Shifted::SUFFIX)?, ignore_nulls)
    }

    fn of(name: &str, ignore_nulls: bool) -> Option<Shifted> {
        let kind = match name {
            "lag" => Kind::Lag,
            "lead" => Kind::Lead,
            "ntile" => Kind::Ntile,
            _ => return None,
        };
        Some(Shifted {
            kind,
            ignore_nulls,
            signature: Signature::user_defined(Volatility::Immutable),
        })
    }

    pub fn function(self) -> Arc<WindowUDF> {
        Arc::new(WindowUDF::new_from_impl(self))
    }
}

impl WindowUDFImpl for Shifted {
    fn name(&self) -> &str {
        match self.kind {
            Kind::Lag => "lag by row",
            Kind::Lead => "lead by row",
            Kind::Ntile => "ntile by row",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    /// Arguments come as the inner function wanted them.
    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(types.to_vec())
    }

    fn partition_evaluator(&self, _: PartitionEvaluatorArgs<'_>) -> Result<Box<dyn PartitionEvaluator>> {
        Ok(Box::new(Evaluator(self.clone())))
    }

    fn field(&self, args: WindowUDFFieldArgs<'_>) -> Result<FieldRef> {
        let data_type = match (self.kind, args.input_fields()) {
            (Kind::Ntile, _) => DataType::UInt64,
            (_, [value, ..]) => value.data_type().clone(),
            (_, []) => return internal_err!("{} has no argument", self.name()),
        };
        Ok(Arc::new(Field::new(args.name(), data_type, true)))
    }
}

#[derive(Debug)]
struct Evaluator(Shifted);

impl PartitionEvaluator for Evaluator {
    fn evaluate_all(&mut self, values: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        let numbers = |at: usize| -> Result<Int64Array> {
            match values.get(at) {
                Some(numbers) => Ok(cast(numbers, &DataType::Int64)?.as_primitive::<Int64Type>().clone()),
                None => Ok(Int64Array::from_value(1, rows)),
            }
        };
        match self.0.kind {
            Kind::Ntile => buckets(&numbers(0)?, rows),
            kind => shifted(values, &numbers(1)?, kind == Kind::Lead, self.0.ignore_nulls),
        }
    }
}

/// For each row the value so many rows before or after it, its default where there is none, and NULL where the number is.
fn shifted(values: &[ArrayRef], offsets: &Int64Array, leads: bool, ignore_nulls: bool) -> Result<ArrayRef> {
    let Some(value) = values.first() else {
        return internal_err!("there is nothing to look back at");
    };
    let counted: Vec<usize> = (0..value.len())
        .filter(|row| !ignore_nulls || value.is_valid(*row))
        .collect();
    let nothing = new_null_array(value.data_type(), 1);
    let default = values
        .get(2)
        .map(|default| cast(default, value.data_type()))
        .transpose()?;
    let picked = offsets.iter().enumerate().map(|(row, offset)| {
        let Some(offset) = offset else {
            return (0, 0);
        };
        let steps = if leads { offset } else { offset.saturating_neg() };
        match (target(&counted, row, steps), &default) {
            (Some(found), _) => (1, found),
            (None, Some(_)) => (2, row),
            (None, None) => (0, 0),
        }
    });
    let picked: Vec<(usize, usize)> = picked.collect();
    let sources: Vec<&dyn Array> = [Some(&nothing), Some(value), default.as_ref()]
        .into_iter()
        .flatten()
        .map(AsRef::as_ref)
        .collect();
    Ok(interleave(&sources, &picked)?)
}

/// The row that lies so many counted rows after this one, or before it; itself at none.
fn target(counted: &[usize], row: usize, steps: i64) -> Option<usize> {
    let distance = usize::try_from(steps.unsigned_abs()).ok()?;
    let at = match steps {
        0 => return Some(row),
        1.. => counted
            .partition_point(|other| *other <= row)
            .checked_add(distance - 1)?,
        _ => counted.partition_point(|other| *other < row).checked_sub(distance)?,
    };
    counted.get(at).copied()
}

/// The bucket of each row, were the partition cut into as many as the row says; the first ones are the larger.
fn buckets(counts: &Int64Array, rows: usize) -> Result<ArrayRef> {
    let rows = rows as u64;
    let bucket = |(row, count): (usize, Option<i64>)| {
        let Some(count) = count else {
            return Ok(None);
        };
        let Some(count) = u64::try_from(count).ok().filter(|count| *count > 0) else {
            return exec_err!("ntile cuts a partition into 1 bucket or more, not {count}");
        };
        let (row, least, larger) = (row as u64, rows / count, rows % count);
        let in_larger = larger * (least + 1);
        let bucket = match row.checked_sub(in_larger) {
            None => row / (least + 1),
            Some(rest) => {
                larger
                    + rest
                        .checked_div(least)
                        .ok_or_else(|| exec_datafusion_err!("a row in no bucket"))?
            }
        };
        Ok(Some(bucket + 1))
    };
    let buckets = counts.iter().enumerate().map(bucket);
    Ok(Arc::new(
        buckets.collect::<Result<datafusion::arrow::array::UInt64Array>>()?,
    ))
}

#[cfg(test)]
mod tests;

//! Window functions whose frames leave rows out: `EXCLUDE CURRENT ROW`, `EXCLUDE GROUP`, `EXCLUDE TIES`. DataFusion's frames exclude
//! nothing. Here the frame is part of the function, which is given its partition whole:
//!
//! ```text
//! sum(x) OVER (PARTITION BY k ORDER BY y DESC ROWS … EXCLUDE TIES)  →  "sum excluding"(x, y) OVER (PARTITION BY k ORDER BY y DESC)
//! ```
//!
//! Each row's value is computed anew from the rows that are left, so that it is right for every aggregate: time grows with the rows of a
//! partition times those of a frame.

mod evaluate;

use super::directed::Directed;
use datafusion::arrow::compute::SortOptions;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, internal_err};
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{
    AggregateUDF, PartitionEvaluator, Signature, Volatility, WindowFrame, WindowFunctionDefinition, WindowUDF,
    WindowUDFImpl,
};
use evaluate::Evaluator;
use std::sync::Arc;

/// Which rows of its frame a row does not see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Exclusion {
    CurrentRow,
    /// The row and its peers.
    Group,
    /// Its peers.
    Ties,
}

/// The one row of several that a function gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pick {
    First,
    Last,
    /// By its number, the second argument.
    Nth,
}

/// What is computed of the rows that are left.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Inner {
    Aggregate {
        function: Arc<AggregateUDF>,
        distinct: bool,
    },
    Pick(Pick),
}

/// How rows are left out.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Frame {
    pub frame: WindowFrame,
    pub exclusion: Exclusion,
    /// Of the keys of ORDER BY, which are the function's last arguments.
    pub order: Vec<SortOptions>,
}

/// A function over frames that leave rows out.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Excluding {
    pub inner: Inner,
    pub ignore_nulls: bool,
    pub frame: Frame,
    name: String,
    signature: Signature,
}

impl Inner {
    /// The function, if it looks at its frame, and whether it was told to ignore NULLs.
    pub fn of(function: &WindowFunctionDefinition, distinct: bool) -> Option<(Inner, bool)> {
        match function {
            WindowFunctionDefinition::AggregateUDF(function) => {
                let function = Arc::clone(function);
                Some((Inner::Aggregate { function, distinct }, false))
            }
            WindowFunctionDefinition::WindowUDF(function) => {
                let directed = function.inner().downcast_ref::<Directed>();
                let ignores = directed.is_some_and(|directed| directed.ignore_nulls);
                Pick::named(function.name()).map(|pick| (Inner::Pick(pick), ignores))
            }
        }
    }

    pub fn name(&self) -> &str {
        match self {
            Inner::Aggregate { function, .. } => function.name(),
            Inner::Pick(Pick::First) => "first_value",
            Inner::Pick(Pick::Last) => "last_value",
            Inner::Pick(Pick::Nth) => "nth_value",
        }
    }
}

impl Pick {
    pub fn named(name: &str) -> Option<Pick> {
        match name {
            "first_value" => Some(Pick::First),
            "last_value" => Some(Pick::Last),
            "nth_value" => Some(Pick::Nth),
            _ => None,
        }
    }
}

impl Excluding {
    /// How the names of all of these end, as no identifier does.
    pub const SUFFIX: &str = " excluding";

    pub fn new(inner: Inner, ignore_nulls: bool, frame: Frame) -> Excluding {
        Excluding {
            name: format!("{}{}", inner.name(), Excluding::SUFFIX),
            inner,
            ignore_nulls,
            frame,
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }

    pub fn function(self) -> Arc<WindowUDF> {
        Arc::new(WindowUDF::new_from_impl(self))
    }

    /// The inner function's own of all arguments.
    fn own<'a, T>(&self, arguments: &'a [T]) -> Result<&'a [T]> {
        match arguments.len().checked_sub(self.frame.order.len()) {
            Some(own) => Ok(&arguments[..own]),
            None => internal_err!("{} lacks the keys of its order", self.name),
        }
    }

    fn result(&self, fields: &[FieldRef]) -> Result<FieldRef> {
        match (&self.inner, self.own(fields)?) {
            (Inner::Aggregate { function, .. }, own) => function.return_field(own),
            (Inner::Pick(_), [value, ..]) => Ok(Arc::new(value.as_ref().clone().with_nullable(true))),
            (Inner::Pick(_), []) => internal_err!("{} has no argument", self.name),
        }
    }
}

impl WindowUDFImpl for Excluding {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    /// Arguments come as the inner function wanted them.
    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(types.to_vec())
    }

    fn partition_evaluator(&self, args: PartitionEvaluatorArgs<'_>) -> Result<Box<dyn PartitionEvaluator>> {
        Ok(Box::new(Evaluator {
            result: self.result(args.input_fields())?,
            exprs: self.own(args.input_exprs())?.to_vec(),
            fields: self.own(args.input_fields())?.to_vec(),
            function: self.clone(),
        }))
    }

    fn field(&self, args: WindowUDFFieldArgs<'_>) -> Result<FieldRef> {
        let result: Field = self.result(args.input_fields())?.as_ref().clone();
        Ok(Arc::new(result.with_name(args.name())))
    }
}

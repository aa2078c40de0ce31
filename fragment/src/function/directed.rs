//! Window functions whose answer hangs on flags beside their arguments: whether NULLs are ignored, and whether DataFusion turned the
//! window around to save a sort. Here the flags are part of the function.

use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::Result;
use datafusion::common::arrow::compute::SortOptions;
use datafusion::logical_expr::function::{ExpressionArgs, PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{LimitEffect, PartitionEvaluator, ReversedUDWF, Signature, WindowUDF, WindowUDFImpl};
use datafusion::physical_plan::PhysicalExpr;
use std::sync::Arc;

/// DataFusion's functions that read the flags.
const NAMES: [&str; 5] = ["first_value", "lag", "last_value", "lead", "nth_value"];

/// One of these functions with its flags.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Directed {
    inner: Arc<WindowUDF>,
    pub ignore_nulls: bool,
    pub reversed: bool,
}

impl Directed {
    /// DataFusion's function of this name, if it is one that reads the flags.
    pub fn named(name: &str) -> Option<Directed> {
        let inner = NAMES.contains(&name).then(|| super::window(name))??;
        Some(Directed {
            inner,
            ignore_nulls: false,
            reversed: false,
        })
    }

    /// What stands under DataFusion's names.
    pub fn all() -> Vec<Arc<WindowUDF>> {
        let known = NAMES.iter().filter_map(|name| Directed::named(name));
        known.map(Directed::function).collect()
    }

    pub fn with_flags(self, ignore_nulls: bool, reversed: bool) -> Directed {
        Directed {
            ignore_nulls,
            reversed,
            ..self
        }
    }

    pub fn function(self) -> Arc<WindowUDF> {
        Arc::new(WindowUDF::new_from_impl(self))
    }
}

impl WindowUDFImpl for Directed {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        self.inner.coerce_types(types)
    }

    fn expressions(&self, args: ExpressionArgs<'_>) -> Vec<Arc<dyn PhysicalExpr>> {
        self.inner.expressions(args)
    }

    /// The caller's flags say the same where they survived.
    fn partition_evaluator(&self, args: PartitionEvaluatorArgs<'_>) -> Result<Box<dyn PartitionEvaluator>> {
        let ignore_nulls = self.ignore_nulls || args.ignore_nulls();
        let (exprs, fields) = (args.input_exprs(), args.input_fields());
        let args = PartitionEvaluatorArgs::new(exprs, fields, self.reversed, ignore_nulls);
        self.inner.partition_evaluator_factory(args)
    }

    fn field(&self, args: WindowUDFFieldArgs<'_>) -> Result<FieldRef> {
        self.inner.field(args)
    }

    fn sort_options(&self) -> Option<SortOptions> {
        self.inner.sort_options()
    }

    fn reverse_expr(&self) -> ReversedUDWF {
        let ReversedUDWF::Reversed(inner) = self.inner.reverse_expr() else {
            return ReversedUDWF::NotSupported;
        };
        let turned = Directed {
            inner,
            ignore_nulls: self.ignore_nulls,
            reversed: !self.reversed,
        };
        ReversedUDWF::Reversed(turned.function())
    }

    fn limit_effect(&self, args: &[Arc<dyn PhysicalExpr>]) -> LimitEffect {
        self.inner.inner().limit_effect(args)
    }
}

//! Stops joins that do not yield, and keeps nested loops from running their build side twice.
//!
//! A join may look at billions of pairs of rows between two batches of output, within one poll, where no
//! cancellation reaches it. So its filter asks a flag each time it is evaluated, and its output yields to the runtime now and then.

use super::replay;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, FieldRef, Schema};
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::joins::utils::JoinFilter;
use datafusion::physical_plan::joins::{CrossJoinExec, HashJoinExec, NestedLoopJoinExec, NestedLoopJoinExecBuilder};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A flag that the work of one attempt looks at. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<AtomicBool>);

/// What interrupted work fails with. Nobody sees it: the attempt's failure is why it was interrupted.
#[derive(Debug, thiserror::Error)]
#[error("the attempt was told to stop")]
pub struct Interrupted;

impl Interrupt {
    /// Tells the work to stop. It does within the time that one batch of pairs takes.
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn check(&self) -> Result<()> {
        if self.0.load(Ordering::Relaxed) {
            return Err(DataFusionError::External(Box::new(Interrupted)));
        }
        Ok(())
    }

    /// Joins become interruptible, all else stays.
    pub(super) fn guard(&self, node: Arc<dyn ExecutionPlan>) -> Result<Transformed<Arc<dyn ExecutionPlan>>> {
        let join: Arc<dyn ExecutionPlan> = if let Some(join) = node.downcast_ref::<NestedLoopJoinExec>() {
            let filter = join.filter().map(|filter| self.guarded(filter));
            let build =
                NestedLoopJoinExecBuilder::new(replay::build_side(join), Arc::clone(join.right()), *join.join_type());
            let build = build.with_projection_ref(join.projection().clone());
            Arc::new(build.with_filter(filter).build()?)
        } else if let Some(join) = node.downcast_ref::<HashJoinExec>() {
            let filter = join.filter().map(|filter| self.guarded(filter));
            Arc::new(join.builder().with_filter(filter).build()?)
        } else if node.is::<CrossJoinExec>() {
            node
        } else {
            return Ok(Transformed::no(node));
        };
        Ok(Transformed::yes(Arc::new(CooperativeExec::new(join))))
    }

    fn guarded(&self, filter: &JoinFilter) -> JoinFilter {
        let guarded = Guarded {
            inner: Arc::clone(filter.expression()),
            interrupt: self.clone(),
        };
        JoinFilter::new(
            Arc::new(guarded),
            filter.column_indices().to_vec(),
            Arc::clone(filter.schema()),
        )
    }
}

/// A filter that fails once its attempt is told to stop, and is otherwise the one inside.
#[derive(Debug)]
struct Guarded {
    inner: Arc<dyn PhysicalExpr>,
    interrupt: Interrupt,
}

impl PartialEq for Guarded {
    fn eq(&self, other: &Guarded) -> bool {
        self.inner.eq(&other.inner)
    }
}

impl Eq for Guarded {}

impl Hash for Guarded {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.inner.hash(state);
    }
}

impl fmt::Display for Guarded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl PhysicalExpr for Guarded {
    fn data_type(&self, schema: &Schema) -> Result<DataType> {
        self.inner.data_type(schema)
    }

    fn nullable(&self, schema: &Schema) -> Result<bool> {
        self.inner.nullable(schema)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        self.interrupt.check()?;
        self.inner.evaluate(batch)
    }

    fn return_field(&self, schema: &Schema) -> Result<FieldRef> {
        self.inner.return_field(schema)
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.inner]
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn PhysicalExpr>>) -> Result<Arc<dyn PhysicalExpr>> {
        match <[_; 1]>::try_from(children) {
            Ok([inner]) => Ok(Arc::new(Guarded {
                inner,
                interrupt: self.interrupt.clone(),
            })),
            Err(children) => datafusion::common::internal_err!("a guarded filter has {} children", children.len()),
        }
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt_sql(f)
    }
}

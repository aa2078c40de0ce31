//! Passes its input's rows on, and nothing of what DataFusion concludes about them: which columns are constant or equal, how rows are
//! ordered and partitioned. It stands below an aggregation by several grouping sets.
//!
//! There, DataFusion takes what holds of the input's columns for true of the keys as well, which are NULL in the rows of other sets: after
//! `WHERE g = 1 GROUP BY ROLLUP (g)` it leaves `g` out of an order, and two keys that are one column below count as equal above.
//!
//! A fence that hides constants alone stands below an outer join, on the side whose columns become NULL: DataFusion takes a column that is
//! constant there for constant above. It matters to the planner, and is sent as one that hides everything.

use super::only_child;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, Statistics};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::execution_plan::CardinalityEffect;
use datafusion::physical_plan::statistics::StatisticsArgs;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties, ReplaceChildrenOptions,
};
use std::fmt;
use std::sync::Arc;

/// The rows of its input, in as many partitions.
#[derive(Clone, Debug)]
pub struct FenceExec {
    pub input: Arc<dyn ExecutionPlan>,
    hides: Hides,
    properties: Arc<PlanProperties>,
}

#[derive(Clone, Copy, Debug)]
enum Hides {
    Everything,
    Constants,
}

impl FenceExec {
    /// Nothing is known of the rows.
    pub fn new(input: Arc<dyn ExecutionPlan>) -> FenceExec {
        FenceExec::hiding(Hides::Everything, input)
    }

    /// Orders and partitions are known, and not which columns have one value.
    pub fn of_constants(input: Arc<dyn ExecutionPlan>) -> FenceExec {
        FenceExec::hiding(Hides::Constants, input)
    }

    fn hiding(hides: Hides, input: Arc<dyn ExecutionPlan>) -> FenceExec {
        let schema = input.schema();
        let partitions = input.output_partitioning();
        let (known, partitioning) = match hides {
            Hides::Everything => (
                EquivalenceProperties::new(schema),
                Partitioning::UnknownPartitioning(partitions.partition_count()),
            ),
            Hides::Constants => {
                let orders = input.equivalence_properties().oeq_class().iter().cloned();
                let known = EquivalenceProperties::new_with_orderings(schema, orders);
                (known, partitions.clone())
            }
        };
        let properties = PlanProperties::new(known, partitioning, input.pipeline_behavior(), input.boundedness());
        FenceExec {
            input,
            hides,
            properties: Arc::new(properties),
        }
    }
}

impl DisplayAs for FenceExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FenceExec")
    }
}

impl ExecutionPlan for FenceExec {
    fn name(&self) -> &'static str {
        "FenceExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(FenceExec::hiding(
            self.hides,
            only_child("FenceExec", children)?,
        )))
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(FenceExec::hiding(
            self.hides,
            only_child("FenceExec", children)?,
        )))
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        self.input.execute(partition, context)
    }

    fn statistics_from_inputs(&self, inputs: &[Arc<Statistics>], _: &StatisticsArgs) -> Result<Arc<Statistics>> {
        Ok(match inputs.first() {
            Some(input) => Arc::clone(input),
            None => Arc::new(Statistics::new_unknown(&self.schema())),
        })
    }

    fn cardinality_effect(&self) -> CardinalityEffect {
        CardinalityEffect::Equal
    }
}

//! Stands for a part of a plan that yields nothing when one of its inputs has no row, in a plan that was chosen since that input had
//! none: it yields no rows, and holds the input to having none.
//!
//! An input that is lost and made again could come out different. Then the plan is wrong, and the query must not have an answer by it.

use super::only_child;
use crate::FragmentError;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result, Statistics};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, CardinalityEffect, EmissionType};
use datafusion::physical_plan::statistics::StatisticsArgs;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties, ReplaceChildrenOptions,
};
use futures::StreamExt;
use std::fmt;
use std::sync::Arc;

/// No rows of its schema, as many partitions as its input.
#[derive(Clone, Debug)]
pub struct NoRowsExec {
    pub input: Arc<dyn ExecutionPlan>,
    properties: Arc<PlanProperties>,
}

impl NoRowsExec {
    /// `schema`: of the part that it stands for, whatever the input's is.
    pub fn new(input: Arc<dyn ExecutionPlan>, schema: SchemaRef) -> NoRowsExec {
        let partitions = input.output_partitioning().partition_count();
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(partitions),
            EmissionType::Final,
            Boundedness::Bounded,
        );
        NoRowsExec {
            input,
            properties: Arc::new(properties),
        }
    }

    fn over(&self, input: Arc<dyn ExecutionPlan>) -> NoRowsExec {
        NoRowsExec::new(input, self.schema())
    }
}

impl DisplayAs for NoRowsExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NoRowsExec")
    }
}

impl ExecutionPlan for NoRowsExec {
    fn name(&self) -> &'static str {
        "NoRowsExec"
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
        Ok(Arc::new(self.over(only_child("NoRowsExec", children)?)))
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(self.over(only_child("NoRowsExec", children)?)))
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let input = self.input.execute(partition, context)?;
        let rows = input.filter_map(|batch| std::future::ready(refuse_rows(batch).transpose()));
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), rows)))
    }

    fn statistics_from_inputs(&self, _: &[Arc<Statistics>], _: &StatisticsArgs) -> Result<Arc<Statistics>> {
        Ok(Arc::new(Statistics::new_unknown(&self.schema())))
    }

    fn cardinality_effect(&self) -> CardinalityEffect {
        CardinalityEffect::LowerEqual
    }
}

fn refuse_rows(batch: Result<RecordBatch>) -> Result<Option<RecordBatch>> {
    match batch?.num_rows() {
        0 => Ok(None),
        _ => Err(DataFusionError::External(Box::new(FragmentError::NotEmpty))),
    }
}

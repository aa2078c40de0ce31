//! The root of a cut stage: how its rows are assigned to the partitions of the exchange.
//!
//! Executed as a plan it passes its input through, so that a cut stage still runs on one node. On the executor `write` drives its
//! input into an exchange writer.

use super::only_child;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, Statistics};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::execution_plan::{CardinalityEffect, apply_expression_roots};
use datafusion::physical_plan::statistics::{ChildStats, StatisticsArgs};
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, ReplaceChildrenOptions};
use std::fmt;
use std::sync::Arc;

/// Which exchange partition a row goes to.
#[derive(Clone, Debug)]
pub enum OutputPartitioning {
    /// By the hash of the keys, with DataFusion's own fixed seed, so that all producers of an exchange agree.
    Hash(Vec<Arc<dyn PhysicalExpr>>, u32),
    /// Batch after batch, without regard to content.
    RoundRobin(u32),
    /// There is one.
    Single,
}

impl OutputPartitioning {
    pub fn partitions(&self) -> u32 {
        match self {
            OutputPartitioning::Hash(_, partitions) | OutputPartitioning::RoundRobin(partitions) => *partitions,
            OutputPartitioning::Single => 1,
        }
    }
}

impl fmt::Display for OutputPartitioning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OutputPartitioning::Hash(keys, partitions) => {
                let keys: Vec<String> = keys.iter().map(|key| key.to_string()).collect();
                write!(f, "HASH, keys=[{}], partitions={partitions}", keys.join(", "))
            }
            OutputPartitioning::RoundRobin(partitions) => write!(f, "ROUND_ROBIN, partitions={partitions}"),
            OutputPartitioning::Single => f.write_str("SINGLE"),
        }
    }
}

/// Root of a stage that writes an exchange.
#[derive(Clone, Debug)]
pub struct ShuffleWriteExec {
    pub input: Arc<dyn ExecutionPlan>,
    pub partitioning: OutputPartitioning,
}

impl ShuffleWriteExec {
    pub fn new(input: Arc<dyn ExecutionPlan>, partitioning: OutputPartitioning) -> ShuffleWriteExec {
        ShuffleWriteExec { input, partitioning }
    }

    fn with_input(&self, input: Arc<dyn ExecutionPlan>) -> ShuffleWriteExec {
        ShuffleWriteExec::new(input, self.partitioning.clone())
    }
}

impl DisplayAs for ShuffleWriteExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ShuffleWriteExec: {}", self.partitioning)
    }
}

impl ExecutionPlan for ShuffleWriteExec {
    fn name(&self) -> &'static str {
        "ShuffleWriteExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(self.with_input(only_child("ShuffleWriteExec", children)?)))
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(self.with_input(only_child("ShuffleWriteExec", children)?)))
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        match &self.partitioning {
            OutputPartitioning::Hash(keys, _) => apply_expression_roots(keys, f),
            _ => Ok(TreeNodeRecursion::Continue),
        }
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        self.input.execute(partition, context)
    }

    fn child_stats_requests(&self, partition: Option<usize>) -> Vec<ChildStats> {
        vec![ChildStats::At(partition)]
    }

    fn statistics_from_inputs(&self, inputs: &[Arc<Statistics>], _: &StatisticsArgs) -> Result<Arc<Statistics>> {
        Ok(Arc::clone(&inputs[0]))
    }

    fn cardinality_effect(&self) -> CardinalityEffect {
        CardinalityEffect::Equal
    }
}

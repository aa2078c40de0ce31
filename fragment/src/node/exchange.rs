//! "Here the data crosses an exchange": the planner's marker between two stages.
//!
//! It runs in one process as DataFusion's own operators would, so that every rewrite leaves a plan that still runs on one node. A
//! cut replaces it by a [`ShuffleWriteExec`] below and a [`ShuffleReadExec`] above; it never ships.

use super::only_child;
use super::shuffle_read::ShuffleReadExec;
use super::shuffle_write::{OutputPartitioning, ShuffleWriteExec};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, Statistics};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{LexOrdering, OrderingRequirements, Partitioning, PhysicalExpr};
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::execution_plan::{CardinalityEffect, apply_expression_roots};
use datafusion::physical_plan::metrics::MetricsSet;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use datafusion::physical_plan::statistics::{ChildStats, StatisticsArgs};
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, ReplaceChildrenOptions};
use mayfly_protocol::{ExchangeKind, InputRead};
use std::fmt;
use std::sync::Arc;

/// A boundary between a producing and a consuming stage.
#[derive(Clone, Debug)]
pub struct ExchangeExec {
    pub kind: ExchangeKind,
    pub input: Arc<dyn ExecutionPlan>,
    /// What HASH partitions by; empty otherwise.
    pub keys: Vec<Arc<dyn PhysicalExpr>>,
    /// DataFusion partitions above the exchange: those of HASH and ROUND_ROBIN, else 1.
    pub partitions: usize,
    /// Of a SINGLE that merges sorted inputs.
    pub ordering: Option<LexOrdering>,
    /// Of a SINGLE: rows that suffice.
    pub fetch: Option<usize>,
    /// The operator that does the same within one process.
    local: Arc<dyn ExecutionPlan>,
}

impl ExchangeExec {
    /// Rows with equal keys meet in one of `partitions`.
    pub fn hash(
        input: Arc<dyn ExecutionPlan>,
        keys: Vec<Arc<dyn PhysicalExpr>>,
        partitions: usize,
    ) -> Result<ExchangeExec> {
        ExchangeExec::build(ExchangeKind::Hash, input, keys, partitions, None, None)
    }

    /// Rows are spread over `partitions`.
    pub fn round_robin(input: Arc<dyn ExecutionPlan>, partitions: usize) -> Result<ExchangeExec> {
        ExchangeExec::build(ExchangeKind::RoundRobin, input, Vec::new(), partitions, None, None)
    }

    /// Every consumer reads everything.
    pub fn broadcast(input: Arc<dyn ExecutionPlan>) -> Result<ExchangeExec> {
        ExchangeExec::build(ExchangeKind::Broadcast, input, Vec::new(), 1, None, None)
    }

    /// One consumer reads everything, in no order.
    pub fn single(input: Arc<dyn ExecutionPlan>, fetch: Option<usize>) -> Result<ExchangeExec> {
        ExchangeExec::build(ExchangeKind::Single, input, Vec::new(), 1, None, fetch)
    }

    /// One consumer merges inputs that are each sorted by `ordering`.
    pub fn merge(input: Arc<dyn ExecutionPlan>, ordering: LexOrdering, fetch: Option<usize>) -> Result<ExchangeExec> {
        ExchangeExec::build(ExchangeKind::Single, input, Vec::new(), 1, Some(ordering), fetch)
    }

    fn build(
        kind: ExchangeKind,
        input: Arc<dyn ExecutionPlan>,
        keys: Vec<Arc<dyn PhysicalExpr>>,
        partitions: usize,
        ordering: Option<LexOrdering>,
        fetch: Option<usize>,
    ) -> Result<ExchangeExec> {
        let child = Arc::clone(&input);
        let local: Arc<dyn ExecutionPlan> = match (kind, &ordering) {
            (ExchangeKind::Hash, _) => {
                let partitioning = Partitioning::Hash(keys.clone(), partitions);
                Arc::new(RepartitionExec::try_new(child, partitioning)?)
            }
            (ExchangeKind::RoundRobin, _) => {
                let partitioning = Partitioning::RoundRobinBatch(partitions);
                Arc::new(RepartitionExec::try_new(child, partitioning)?)
            }
            (_, Some(ordering)) => Arc::new(SortPreservingMergeExec::new(ordering.clone(), child).with_fetch(fetch)),
            (_, None) => Arc::new(CoalescePartitionsExec::new(child).with_fetch(fetch)),
        };
        Ok(ExchangeExec {
            kind,
            input,
            keys,
            partitions,
            ordering,
            fetch,
            local,
        })
    }

    fn with_input(&self, input: Arc<dyn ExecutionPlan>) -> Result<ExchangeExec> {
        let (ordering, keys) = (self.ordering.clone(), self.keys.clone());
        ExchangeExec::build(self.kind, input, keys, self.partitions, ordering, self.fetch)
    }

    /// How a consumer task reads this exchange.
    pub fn read(&self) -> InputRead {
        match (self.kind, &self.ordering) {
            (ExchangeKind::Hash | ExchangeKind::RoundRobin, _) => InputRead::Partitions,
            (_, Some(_)) => InputRead::Merge,
            (_, None) => InputRead::All,
        }
    }

    /// The lower side of a cut: `input` (this node's, or its rewritten form), gathered, under a writer of `exchange_partitions`, which
    /// counts for HASH and ROUND_ROBIN only.
    pub fn producer(&self, input: Arc<dyn ExecutionPlan>, exchange_partitions: u32) -> Arc<ShuffleWriteExec> {
        self.writer(self.gathered(input), exchange_partitions)
    }

    /// An ordered input of several partitions is merged, so that an object holds one order; a fetch stops each producer as early as the
    /// consumer.
    pub fn gathered(&self, input: Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan> {
        let several = input.properties().partitioning.partition_count() > 1;
        match (&self.ordering, self.fetch) {
            (Some(ordering), fetch) if several || fetch.is_some() => {
                Arc::new(SortPreservingMergeExec::new(ordering.clone(), input).with_fetch(fetch))
            }
            (None, Some(fetch)) => Arc::new(CoalescePartitionsExec::new(input).with_fetch(Some(fetch))),
            _ => input,
        }
    }

    /// What writes a gathered input.
    pub fn writer(&self, input: Arc<dyn ExecutionPlan>, exchange_partitions: u32) -> Arc<ShuffleWriteExec> {
        let partitioning = match self.kind {
            ExchangeKind::Hash => OutputPartitioning::Hash(self.keys.clone(), exchange_partitions),
            ExchangeKind::RoundRobin => OutputPartitioning::RoundRobin(exchange_partitions),
            _ => OutputPartitioning::Single,
        };
        Arc::new(ShuffleWriteExec::new(input, partitioning))
    }

    /// The upper side of a cut: a leaf of `partitions` local partitions (producers, for a merge) and what must stand on it to keep
    /// this node's order and fetch.
    pub fn consumer(&self, input: u32, partitions: usize) -> Result<Arc<dyn ExecutionPlan>> {
        let mut leaf = ShuffleReadExec::new(input, self.input.schema(), self.read(), partitions);
        if self.kind == ExchangeKind::Hash {
            leaf = leaf.with_hash_keys(self.keys.clone());
        }
        Ok(match (&self.ordering, self.fetch) {
            (Some(ordering), fetch) => {
                let leaf = Arc::new(leaf.with_ordering(ordering.clone())?);
                Arc::new(SortPreservingMergeExec::new(ordering.clone(), leaf).with_fetch(fetch))
            }
            (None, Some(fetch)) => Arc::new(CoalescePartitionsExec::new(Arc::new(leaf)).with_fetch(Some(fetch))),
            (None, None) => Arc::new(leaf),
        })
    }
}

impl DisplayAs for ExchangeExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ExchangeExec: {}", self.kind)?;
        if !self.keys.is_empty() {
            let keys: Vec<String> = self.keys.iter().map(|key| key.to_string()).collect();
            write!(f, ", keys=[{}]", keys.join(", "))?;
        }
        if self.read() == InputRead::Partitions {
            write!(f, ", partitions={}", self.partitions)?;
        }
        if let Some(ordering) = &self.ordering {
            write!(f, ", order=[{ordering}]")?;
        }
        self.fetch.map_or(Ok(()), |fetch| write!(f, ", fetch={fetch}"))
    }
}

impl ExecutionPlan for ExchangeExec {
    fn name(&self) -> &'static str {
        "ExchangeExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.local.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(self.with_input(only_child("ExchangeExec", children)?)?))
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(self.with_input(only_child("ExchangeExec", children)?)?))
    }

    fn required_input_ordering(&self) -> Vec<Option<OrderingRequirements>> {
        vec![self.ordering.clone().map(OrderingRequirements::from)]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        self.local.maintains_input_order()
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        let sorted = self
            .ordering
            .iter()
            .flat_map(|ordering| ordering.iter())
            .map(|sort| &sort.expr);
        apply_expression_roots(self.keys.iter().chain(sorted), f)
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        self.local.execute(partition, context)
    }

    fn metrics(&self) -> Option<MetricsSet> {
        self.local.metrics()
    }

    fn child_stats_requests(&self, partition: Option<usize>) -> Vec<ChildStats> {
        self.local.child_stats_requests(partition)
    }

    fn statistics_from_inputs(&self, inputs: &[Arc<Statistics>], args: &StatisticsArgs) -> Result<Arc<Statistics>> {
        self.local.statistics_from_inputs(inputs, args)
    }

    fn fetch(&self) -> Option<usize> {
        self.fetch
    }

    fn cardinality_effect(&self) -> CardinalityEffect {
        self.local.cardinality_effect()
    }

    /// A new run needs a new local operator: a repartition hands out each partition once.
    fn reset_state(self: Arc<Self>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(self.with_input(Arc::clone(&self.input))?))
    }
}

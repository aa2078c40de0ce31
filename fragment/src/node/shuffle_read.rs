//! The leaf of a cut stage: rows that earlier stages published.
//!
//! At planning time it states the properties that the exchange kept (partitioning, order), so that the operators above stay legal.
//! On the executor it is bound to one stream per partition; a stream is gone once executed.

use super::no_child;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, Statistics, exec_err, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, LexOrdering, Partitioning, PhysicalExpr};
use datafusion::physical_plan::coop::make_cooperative;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, SchedulingType, apply_expression_roots};
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, MetricBuilder, MetricsSet};
use datafusion::physical_plan::statistics::StatisticsArgs;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, ReplaceChildrenOptions};
use futures::StreamExt;
use mayfly_protocol::InputRead;
use std::fmt;
use std::sync::{Arc, Mutex};

/// One stream per partition, each taken once.
type Streams = Arc<Mutex<Vec<Option<SendableRecordBatchStream>>>>;

/// Leaf that reads one input of the stage.
#[derive(Clone)]
pub struct ShuffleReadExec {
    /// Ordinal by which `TaskSpec::inputs` names this leaf, unique within the stage.
    pub input: u32,
    pub read: InputRead,
    /// What a HASH exchange partitioned by, over this leaf's schema. Equal keys meet in one local partition, but not in partition
    /// `hash % n`: the exchange has more partitions than the task. Two such leaves go together; a leaf and an in-process hash
    /// repartition do not.
    pub hash_keys: Vec<Arc<dyn PhysicalExpr>>,
    /// Order of each partition of an [`InputRead::Merge`].
    pub ordering: Option<LexOrdering>,
    pub statistics: Arc<Statistics>,
    properties: Arc<PlanProperties>,
    streams: Option<Streams>,
    metrics: ExecutionPlanMetricsSet,
}

impl fmt::Debug for ShuffleReadExec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "ShuffleReadExec({}, {:?}, {})",
            self.input,
            self.read,
            self.partitions()
        )
    }
}

impl ShuffleReadExec {
    /// `partitions`: local partitions of the task, 1 for [`InputRead::All`], producers for [`InputRead::Merge`].
    pub fn new(input: u32, schema: SchemaRef, read: InputRead, partitions: usize) -> ShuffleReadExec {
        let statistics = Arc::new(Statistics::new_unknown(&schema));
        let partitioning = Partitioning::UnknownPartitioning(partitions);
        ShuffleReadExec {
            input,
            read,
            hash_keys: Vec::new(),
            ordering: None,
            statistics,
            properties: properties(EquivalenceProperties::new(schema), partitioning),
            streams: None,
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }

    pub fn with_hash_keys(mut self, keys: Vec<Arc<dyn PhysicalExpr>>) -> ShuffleReadExec {
        let partitioning = match keys.is_empty() {
            true => Partitioning::UnknownPartitioning(self.partitions()),
            false => Partitioning::Hash(keys.clone(), self.partitions()),
        };
        self.properties = properties(self.properties.eq_properties.clone(), partitioning);
        self.hash_keys = keys;
        self
    }

    /// States that each partition is sorted. Only a merge keeps the order of its producers.
    pub fn with_ordering(mut self, ordering: LexOrdering) -> Result<ShuffleReadExec> {
        if self.read != InputRead::Merge {
            return internal_err!("input {} is not read in order", self.input);
        }
        let equivalences = EquivalenceProperties::new_with_orderings(self.schema(), [ordering.clone()]);
        self.properties = properties(equivalences, self.properties.partitioning.clone());
        self.ordering = Some(ordering);
        Ok(self)
    }

    pub fn with_statistics(mut self, statistics: Statistics) -> ShuffleReadExec {
        self.statistics = Arc::new(statistics);
        self
    }

    /// Binds the leaf to its streams, one per partition; their number becomes the leaf's.
    pub fn bound(mut self, streams: Vec<SendableRecordBatchStream>) -> Result<ShuffleReadExec> {
        if streams.is_empty() || (self.read == InputRead::All && streams.len() != 1) {
            return internal_err!("input {} cannot have {} partitions", self.input, streams.len());
        }
        let partitioning = match &self.properties.partitioning {
            Partitioning::Hash(keys, _) => Partitioning::Hash(keys.clone(), streams.len()),
            _ => Partitioning::UnknownPartitioning(streams.len()),
        };
        self.properties = properties(self.properties.eq_properties.clone(), partitioning);
        self.streams = Some(Arc::new(Mutex::new(streams.into_iter().map(Some).collect())));
        Ok(self)
    }

    pub fn partitions(&self) -> usize {
        self.properties.partitioning.partition_count()
    }

    fn take(&self, partition: usize) -> Result<SendableRecordBatchStream> {
        let Some(streams) = &self.streams else {
            return exec_err!("input {} is not bound to an exchange", self.input);
        };
        let mut streams = streams.lock().expect("no panic happens while the lock is held");
        match streams.get_mut(partition).map(Option::take) {
            Some(Some(stream)) => Ok(stream),
            Some(None) => internal_err!("partition {partition} of input {} was read before", self.input),
            None => internal_err!("input {} has no partition {partition}", self.input),
        }
    }
}

fn properties(equivalences: EquivalenceProperties, partitioning: Partitioning) -> Arc<PlanProperties> {
    let properties = PlanProperties::new(
        equivalences,
        partitioning,
        EmissionType::Incremental,
        Boundedness::Bounded,
    );
    Arc::new(properties.with_scheduling_type(SchedulingType::Cooperative))
}

impl DisplayAs for ShuffleReadExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let read = match self.read {
            InputRead::Partitions => "partitions",
            InputRead::All => "all",
            InputRead::Merge => "merge",
        };
        write!(f, "ShuffleReadExec: input={}, read={read}", self.input)?;
        if !self.hash_keys.is_empty() {
            let keys: Vec<String> = self.hash_keys.iter().map(|key| key.to_string()).collect();
            write!(f, ", keys=[{}]", keys.join(", "))?;
        }
        let ordering = self.ordering.as_ref();
        ordering.map_or(Ok(()), |ordering| write!(f, ", order=[{ordering}]"))
    }
}

impl ExecutionPlan for ShuffleReadExec {
    fn name(&self) -> &'static str {
        "ShuffleReadExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        no_child("ShuffleReadExec", &children)?;
        Ok(self)
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        no_child("ShuffleReadExec", &children)?;
        Ok(self)
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
        apply_expression_roots(self.hash_keys.iter().chain(sorted), f)
    }

    fn execute(&self, partition: usize, _: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let stream = self.take(partition)?;
        let rows = MetricBuilder::new(&self.metrics).output_rows(partition);
        let counted = stream.inspect(move |batch| {
            if let Ok(batch) = batch {
                rows.add(batch.num_rows());
            }
        });
        Ok(make_cooperative(Box::pin(RecordBatchStreamAdapter::new(
            self.schema(),
            counted,
        ))))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn statistics_from_inputs(&self, _: &[Arc<Statistics>], args: &StatisticsArgs) -> Result<Arc<Statistics>> {
        let mut statistics = self.statistics.as_ref().clone().to_inexact();
        if args.partition().is_some() {
            let share = |count: usize| count.div_ceil(self.partitions().max(1));
            statistics.num_rows = statistics.num_rows.map(share);
            statistics.total_byte_size = statistics.total_byte_size.map(share);
        }
        Ok(Arc::new(statistics))
    }
}

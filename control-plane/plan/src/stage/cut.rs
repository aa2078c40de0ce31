//! Drafts → stages: leaves for the inputs, a writer at the root, tasks, and the plan as bytes.

use super::alternative::Other;
use super::draft::{Draft, Drafts, replace_exchanges, with_children};
use super::prune::{Pruned, PrunedScans};
use super::size::Sizing;
use super::subquery::{self, Scopes};
use super::{alternative, divisible, late, order, split};
use crate::estimate;
use arrow::datatypes::SchemaRef;
use datafusion::common::{DataFusionError, Result, internal_datafusion_err, internal_err, not_impl_err};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::projection::ProjectionExec;
use mayfly_fragment::{ExchangeExec, OutputPartitioning, ShuffleWriteExec, SplitScanExec};
use mayfly_protocol::limits::STAGES_MAX;
use mayfly_protocol::{
    Alternative, Exchange, ExchangeKind, FunctionSize, InputRead, PlanBytes, Regroup, Stage, StageGraph, StageId,
    StageInput,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A stage and the plan inside it, for people.
#[derive(Debug)]
pub(crate) struct CutStage {
    pub stage: Stage,
    pub plan: Arc<dyn ExecutionPlan>,
    /// Pruned row groups and all row groups of each scan, by its name.
    pub scans: Vec<ScanText>,
    /// What it does instead if an input turns out small, or empty.
    pub others: Vec<Other>,
}

/// What pruning did to a scan.
#[derive(Clone, Debug)]
pub(crate) struct ScanText {
    pub table: String,
    pub row_groups: usize,
    pub row_groups_total: usize,
    pub files: usize,
    pub files_total: usize,
    pub bytes: u64,
}

/// What all stages share.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CutSettings {
    pub sizing: Sizing,
    pub size: FunctionSize,
}

/// Cuts all drafts. Producers precede their consumers; the last stage yields the result.
pub(crate) fn cut(drafts: &Drafts, pruned: &PrunedScans, settings: CutSettings) -> Result<Vec<CutStage>> {
    let widest = widest_reader(&drafts.root).max(drafts.scopes.iter().map(widest_in_scope).max().unwrap_or(1));
    let mut cutter = Cutter {
        pruned,
        settings,
        scopes: &drafts.scopes,
        partitions: settings.sizing.partitions(widest),
        subqueries: BTreeMap::new(),
        stages: Vec::new(),
    };
    cutter.emit(&drafts.root, None)?;
    let mut stages = cutter.stages;
    alternative::add(&mut stages, settings.sizing)?;
    Ok(stages)
}

/// The graph that the stages form; `settings` are DataFusion's, which executors must share.
pub(crate) fn graph(stages: &[CutStage], settings: BTreeMap<String, String>) -> Result<StageGraph> {
    let others = stages.iter().flat_map(|cut| &cut.others);
    let mut alternatives: Vec<Alternative> = others.map(|other| other.alternative.clone()).collect();
    // Of those that one stage decides the first is taken: the one that needs the least to be published, and saves the most.
    alternatives.sort_by_key(|alternative| alternative.bytes_max);
    let graph = StageGraph {
        stages: stages.iter().map(|cut| cut.stage.clone()).collect(),
        settings,
        alternatives,
    };
    graph
        .check()
        .map_err(|cause| DataFusionError::External(Box::new(cause)))?;
    Ok(graph)
}

/// Schema of the result's rows. Names in it are the plan's, not those that the user sees.
pub(crate) fn result_schema(stages: &[CutStage]) -> Result<SchemaRef> {
    match stages.last() {
        Some(root) => Ok(root.plan.schema()),
        None => internal_err!("a query has at least one stage"),
    }
}

/// Tasks of the widest stage that reads partitions.
fn widest_reader(draft: &Draft) -> u32 {
    let below = draft.producers.iter().map(widest_reader).max().unwrap_or(1);
    below.max(draft.tasks)
}

fn widest_in_scope(scope: &subquery::Scope) -> u32 {
    let widths = scope.producers.iter().map(|(_, draft)| widest_reader(draft));
    widths.max().unwrap_or(1)
}

struct Cutter<'a> {
    pruned: &'a PrunedScans,
    settings: CutSettings,
    scopes: &'a Scopes,
    /// Partitions of every HASH and ROUND_ROBIN exchange.
    partitions: u32,
    /// Stages of scalar subqueries, by scope and index: each runs once, whoever reads it.
    subqueries: BTreeMap<(usize, usize), StageId>,
    stages: Vec<CutStage>,
}

impl Cutter<'_> {
    /// Emits the draft's producers, then the draft. `above`: the exchange that reads it; none for the result.
    fn emit(&mut self, draft: &Draft, above: Option<&ExchangeExec>) -> Result<StageId> {
        let mut inputs = Vec::new();
        let plan = self.with_inputs(draft, &mut inputs)?;
        // It may be merged by the value of a subquery.
        let plan = match above {
            Some(exchange) => exchange.gathered(plan),
            None => plan,
        };
        let plan = self.with_subqueries(draft, above, plan, &mut inputs)?;
        let plan = order::restore(&plan)?;
        let mut scans = Vec::new();
        let plan = self.with_scans(&plan, None, &mut scans)?;
        let (root, output) = self.output(plan, above);
        let fetch = above
            .filter(|exchange| exchange.ordering.is_none())
            .and_then(|exchange| exchange.fetch);
        self.push(draft, root, inputs, &scans, (output, fetch.map(|rows| rows as u64)))
    }

    /// A leaf for each exchange of the draft.
    fn with_inputs(&mut self, draft: &Draft, inputs: &mut Vec<StageInput>) -> Result<Arc<dyn ExecutionPlan>> {
        let mut producers = draft.producers.iter();
        replace_exchanges(&draft.plan, &mut |exchange| {
            let Some(producer) = producers.next() else {
                return internal_err!("a part has more exchanges than producers");
            };
            let stage = self.emit(producer, Some(exchange))?;
            let leaf = self.input(exchange, stage, producer.tasks, inputs)?;
            Ok(Some(leaf))
        })
    }

    fn input(
        &self,
        exchange: &ExchangeExec,
        stage: StageId,
        producers: u32,
        inputs: &mut Vec<StageInput>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let input = inputs.len() as u32;
        let read = exchange.read();
        inputs.push(StageInput { input, stage, read });
        let partitions = match read {
            InputRead::Partitions => self.settings.sizing.local_partitions,
            InputRead::All => 1,
            InputRead::Merge => producers,
        };
        exchange.consumer(input, partitions as usize)
    }

    /// The values of scalar subqueries that the draft's expressions read.
    fn with_subqueries(
        &mut self,
        draft: &Draft,
        above: Option<&ExchangeExec>,
        plan: Arc<dyn ExecutionPlan>,
        inputs: &mut Vec<StageInput>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let used = subquery::used(&draft.plan, above)?;
        if used.is_empty() {
            return Ok(plan);
        }
        let Some(scope) = draft.scope else {
            return internal_err!("a stage reads the value of a scalar subquery that it cannot see");
        };
        let scopes = self.scopes;
        scopes.get(scope).wrap(plan, &used, &mut |index, exchange| {
            let producer = &scopes.get(scope).producers[index].1;
            let stage = match self.subqueries.get(&(scope, index)) {
                Some(stage) => *stage,
                None => self.emit(producer, Some(exchange))?,
            };
            self.subqueries.insert((scope, index), stage);
            self.input(exchange, stage, producer.tasks, inputs)
        })
    }

    /// Numbers the scans within the stage, gives them the task's partitions, and says which materialize late. `kept`: share of its rows that
    /// a filter above keeps.
    fn with_scans(
        &self,
        plan: &Arc<dyn ExecutionPlan>,
        kept: Option<f64>,
        scans: &mut Vec<u32>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        if let Some(scan) = plan.downcast_ref::<SplitScanExec>() {
            let ordinal = scans.len() as u32;
            scans.push(scan.scan);
            let late = late::pays(scan, self.scan(scan.scan)?, kept);
            let partitions = self.settings.sizing.local_partitions as usize;
            let scan = scan.clone().with_late(late).with_scan(ordinal);
            return Ok(Arc::new(scan.with_partitions(partitions)?));
        }
        // Names change on the way from a scan to its filter, rows do not.
        let passes = plan.downcast_ref::<ProjectionExec>().and(kept);
        let kept = late::share_kept(plan).or(passes);
        let mut children = Vec::new();
        for child in plan.children() {
            children.push(self.with_scans(child, kept, scans)?);
        }
        with_children(plan, children)
    }

    fn output(&self, plan: Arc<dyn ExecutionPlan>, above: Option<&ExchangeExec>) -> (ShuffleWriteExec, Exchange) {
        let Some(exchange) = above else {
            let root = ShuffleWriteExec::new(plan, OutputPartitioning::Single);
            let output = Exchange {
                kind: ExchangeKind::Result,
                partitions: 1,
            };
            return (root, output);
        };
        let root = exchange.writer(plan, self.partitions);
        let output = Exchange {
            kind: exchange.kind,
            partitions: root.partitioning.partitions(),
        };
        (root.as_ref().clone(), output)
    }

    fn push(
        &mut self,
        draft: &Draft,
        root: ShuffleWriteExec,
        inputs: Vec<StageInput>,
        scans: &[u32],
        (output, enough_rows): (Exchange, Option<u64>),
    ) -> Result<StageId> {
        if self.stages.len() >= STAGES_MAX {
            return not_impl_err!("the query takes more than {STAGES_MAX} stages");
        }
        let pruned: Vec<&Pruned> = scans.iter().map(|scan| self.scan(*scan)).collect::<Result<_>>()?;
        let shared = inputs.iter().any(|input| input.read == InputRead::Partitions);
        let partitions = shared.then_some(self.partitions);
        let id = StageId::new(self.stages.len() as u32);
        let output_bytes_estimate = estimate::exchange_bytes(&draft.plan);
        let plan: Arc<dyn ExecutionPlan> = Arc::new(root);
        let bytes = mayfly_fragment::encode(&plan).map_err(|cause| DataFusionError::External(Box::new(cause)))?;
        let sizing = self.settings.sizing;
        let may_regroup = shared && pruned.is_empty() && draft.tasks > 1 && !sizing.forced();
        let regroup = may_regroup.then(|| Regroup {
            task_bytes: sizing.target_task_bytes,
            slots: sizing.concurrency,
            divisible: divisible::inputs(&plan),
        });
        let stage = Stage {
            id,
            plan: PlanBytes::new(bytes),
            inputs,
            tasks: split::tasks(draft.tasks, &pruned, partitions, sizing.target_task_bytes),
            output,
            local_partitions: sizing.local_partitions,
            size: self.settings.size,
            output_bytes_estimate,
            enough_rows,
            after: None,
            regroup,
        };
        let scans = pruned.into_iter().map(scan_text).collect();
        self.stages.push(CutStage {
            stage,
            plan,
            scans,
            others: Vec::new(),
        });
        Ok(id)
    }

    fn scan(&self, scan: u32) -> Result<&Pruned> {
        let unknown = || internal_datafusion_err!("scan {scan} was not pruned");
        self.pruned.get(&scan).ok_or_else(unknown)
    }
}

fn scan_text(pruned: &Pruned) -> ScanText {
    ScanText {
        table: pruned.table.name.to_string(),
        row_groups: pruned.pieces.len(),
        row_groups_total: pruned.pieces_total,
        files: pruned.files(),
        files_total: pruned.table.files.len(),
        bytes: pruned.bytes(),
    }
}

//! The stage graph: what `plan` hands to `schedule`. Plans inside are opaque bytes, so that the scheduler stays free of DataFusion.

use crate::{Digest, FunctionSize, PartitionRange, Split, StageId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// How the rows of a producing stage reach its consumers. Named as Trino's EXPLAIN names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ExchangeKind {
    /// Rows with equal keys meet in one partition.
    Hash,
    /// Every consumer task reads everything.
    Broadcast,
    /// One consumer task reads everything.
    Single,
    /// Rows are spread evenly without regard to content.
    RoundRobin,
    /// Rows leave the query: the client reads them.
    Result,
}

impl fmt::Display for ExchangeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ExchangeKind::Hash => "HASH",
            ExchangeKind::Broadcast => "BROADCAST",
            ExchangeKind::Single => "SINGLE",
            ExchangeKind::RoundRobin => "ROUND_ROBIN",
            ExchangeKind::Result => "RESULT",
        })
    }
}

/// The output side of a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    pub kind: ExchangeKind,
    /// Partitions that each task writes; 1 unless HASH or ROUND_ROBIN.
    pub partitions: u32,
}

/// How a consumer task reads one input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InputRead {
    /// The task's own partition range (`TaskTemplate::partitions`) of every producer; partitions spread over the local ones.
    Partitions,
    /// Everything from every producer, all partitions, as one local partition: broadcasts and unordered gathers.
    All,
    /// Everything, one local partition per producer, each in its producer's order: the leaf below a sort-preserving merge.
    Merge,
}

/// An edge of the graph, seen from the consumer. The plan's leaf names `input`; the spec binds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageInput {
    /// Ordinal by which the plan's `ShuffleRead` leaf names this input, unique within the stage.
    pub input: u32,
    pub stage: StageId,
    pub read: InputRead,
}

/// A serialized stage plan and the digest by which it is verified before it is decoded.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanBytes {
    pub digest: Digest,
    #[serde(with = "crate::base64_bytes")]
    pub bytes: Vec<u8>,
}

impl PlanBytes {
    pub fn new(bytes: Vec<u8>) -> PlanBytes {
        PlanBytes {
            digest: Digest::of(&bytes),
            bytes,
        }
    }
}

impl fmt::Debug for PlanBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PlanBytes({} bytes, {})", self.bytes.len(), self.digest)
    }
}

/// A task that could run: its share of the scans and of the exchange partitions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskTemplate {
    /// For each scan leaf of the stage's plan, in ordinal order, the splits of this task. Empty lists are legal.
    pub scans: Vec<Vec<Split>>,
    /// The partitions of `InputRead::Partitions` inputs that are this task's; adjacent tasks have adjacent ranges.
    pub partitions: PartitionRange,
    /// When tasks share a partition: which part of it is this one's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<InputShare>,
}

/// A part of one input: what some of its producers wrote. All other inputs are read as if there were no shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputShare {
    pub input: u32,
    pub producers: PartitionRange,
}

/// How a stage's tasks may be formed anew when the sizes of its inputs are known. Only for stages that scan nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Regroup {
    /// Encoded bytes of its partitions, over all inputs, that a task shall read.
    pub task_bytes: u64,
    /// Task slots: more tasks than these are rounded up to whole waves.
    pub slots: u32,
    /// Inputs of which tasks may share a partition: the stage's operators need not see all of its rows together, as long as each
    /// task reads the other inputs whole.
    pub divisible: Vec<u32>,
}

/// One stage: a plan that ships once, and the tasks that run it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    pub id: StageId,
    pub plan: PlanBytes,
    /// Producing stages, in ordinal order of the plan's leaves.
    pub inputs: Vec<StageInput>,
    pub tasks: Vec<TaskTemplate>,
    pub output: Exchange,
    /// DataFusion partitions that each task runs, one per vCPU by default.
    pub local_partitions: u32,
    /// Size of the first attempt's function.
    pub size: FunctionSize,
    /// Output bytes that the planner expects of the whole stage; 0 when unknown. For admission and display, never for answers.
    pub output_bytes_estimate: u64,
    /// Rows, of whichever tasks, after which the others need not run: all that its consumer wants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enough_rows: Option<u64>,
    /// A stage, none of those that it reads, that should end before this one begins: what it publishes may make this one needless.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<StageId>,
    /// Present if `tasks` are but a guess.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regroup: Option<Regroup>,
}

/// A planned query. Stages stand in an order in which every producer precedes its consumers; the last one produces the result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageGraph {
    pub stages: Vec<Stage>,
    /// DataFusion settings that the executor must share with the planner, e.g. `datafusion.execution.batch_size`.
    pub settings: std::collections::BTreeMap<String, String>,
    /// Other plans for parts of the graph, taken if a stage publishes little.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alternatives: Vec<Alternative>,
}

/// What to do instead once a stage has published, and no task of the stages that change was launched. One that is taken takes with it
/// those that do not go together with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alternative {
    pub decides: StageId,
    /// Most encoded bytes that it may have published.
    pub bytes_max: u64,
    /// Instead of the stage of the same id, for the same readers.
    pub stage: Stage,
    /// Need not run: their work is part of that stage's, or nobody wants it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dropped: Vec<StageId>,
}

impl Alternative {
    /// The stages that are no more what they were planned to be.
    pub fn changed(&self) -> impl Iterator<Item = StageId> {
        [self.stage.id].into_iter().chain(self.dropped.iter().copied())
    }

    /// Whether the other makes no sense any more once this one is taken: both change one stage, or one needs what the other drops.
    pub fn excludes(&self, other: &Alternative) -> bool {
        let needs = |one: &Alternative, stage: StageId| {
            one.decides == stage || one.stage.inputs.iter().any(|input| input.stage == stage)
        };
        let changes = |stage: StageId| other.changed().any(|changed| changed == stage);
        let drops = |one: &Alternative, two: &Alternative| one.dropped.iter().any(|gone| needs(two, *gone));
        self.changed().any(changes) || drops(self, other) || drops(other, self)
    }
}

/// Why a graph is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    #[error("the graph has no stage")]
    Empty,
    #[error("stage {stage} reads {producer}, which does not precede it")]
    Order { stage: StageId, producer: StageId },
    #[error("stage {stage} stands twice")]
    Duplicate { stage: StageId },
    #[error("stage {stage} has no task")]
    NoTask { stage: StageId },
    #[error("the tasks of stage {stage} do not cover the partitions of {producer} exactly once")]
    Partitions { stage: StageId, producer: StageId },
    #[error("stage {stage} is read by no other and is not the last")]
    Unread { stage: StageId },
}

impl StageGraph {
    pub fn stage(&self, id: StageId) -> Option<&Stage> {
        self.stages.iter().find(|stage| stage.id == id)
    }

    /// The stage whose output is the query's result.
    pub fn root(&self) -> Option<&Stage> {
        self.stages.last()
    }

    pub fn tasks(&self) -> usize {
        self.stages.iter().map(|stage| stage.tasks.len()).sum()
    }

    /// Checks what the scheduler relies on: order, uniqueness, tasks, and that each partition of each input is read exactly once.
    pub fn check(&self) -> Result<(), GraphError> {
        self.check_stages()?;
        let changed = self.alternatives.iter().map(|alternative| self.with(alternative));
        changed.into_iter().try_for_each(|graph| graph.check_stages())
    }

    /// The graph that the alternative makes of it.
    pub fn with(&self, alternative: &Alternative) -> StageGraph {
        let kept = self
            .stages
            .iter()
            .filter(|stage| !alternative.dropped.contains(&stage.id));
        let taken = kept.map(|stage| match stage.id == alternative.stage.id {
            true => alternative.stage.clone(),
            false => stage.clone(),
        });
        let free = |other: &&Alternative| !alternative.excludes(other);
        StageGraph {
            stages: taken.collect(),
            settings: self.settings.clone(),
            alternatives: self.alternatives.iter().filter(free).cloned().collect(),
        }
    }

    fn check_stages(&self) -> Result<(), GraphError> {
        let root = self.root().ok_or(GraphError::Empty)?.id;
        for (at, stage) in self.stages.iter().enumerate() {
            let earlier = &self.stages[..at];
            if earlier.iter().any(|other| other.id == stage.id) {
                return Err(GraphError::Duplicate { stage: stage.id });
            }
            if stage.tasks.is_empty() {
                return Err(GraphError::NoTask { stage: stage.id });
            }
            stage
                .inputs
                .iter()
                .try_for_each(|input| check_input(stage, input, earlier))?;
            let read = self
                .stages
                .iter()
                .any(|other| other.inputs.iter().any(|input| input.stage == stage.id));
            if !read && stage.id != root {
                return Err(GraphError::Unread { stage: stage.id });
            }
        }
        Ok(())
    }
}

/// The stages that nobody reads once `changed` stands in the place of the one of its id. `stages` are a graph's, in its order.
pub fn dropped_by<'a>(stages: impl DoubleEndedIterator<Item = &'a Stage>, changed: &'a Stage) -> Vec<StageId> {
    let mut read: Option<BTreeSet<StageId>> = None;
    let mut dropped = Vec::new();
    for stage in stages.rev() {
        // The last stage is the query's result.
        let is_read = read.as_ref().is_none_or(|read| read.contains(&stage.id));
        let read = read.get_or_insert_default();
        match is_read {
            true if stage.id == changed.id => read.extend(changed.inputs.iter().map(|input| input.stage)),
            true => read.extend(stage.inputs.iter().map(|input| input.stage)),
            false => dropped.push(stage.id),
        }
    }
    dropped.reverse();
    dropped
}

fn check_input(stage: &Stage, input: &StageInput, earlier: &[Stage]) -> Result<(), GraphError> {
    let wrong = GraphError::Order {
        stage: stage.id,
        producer: input.stage,
    };
    let producer = earlier.iter().find(|other| other.id == input.stage).ok_or(wrong)?;
    let covered = match input.read {
        InputRead::Partitions => covers(
            stage.tasks.iter().map(|task| task.partitions),
            producer.output.partitions,
        ),
        InputRead::All => true,
        InputRead::Merge => producer.output.partitions == 1,
    };
    if covered {
        Ok(())
    } else {
        Err(GraphError::Partitions {
            stage: stage.id,
            producer: input.stage,
        })
    }
}

/// Whether the ranges, in order, are adjacent and cover `0..end`.
fn covers(ranges: impl Iterator<Item = PartitionRange>, end: u32) -> bool {
    let mut next = 0;
    for range in ranges {
        if range.start != next || range.end < range.start {
            return false;
        }
        next = range.end;
    }
    next == end
}

/// Whether the tasks, in order, read each of so many partitions once: those of equal ranges share one partition of one input, and
/// their producers, in order, cover all of that input's, of which `producers` knows the number.
pub fn covers_with_shares(tasks: &[TaskTemplate], partitions: u32, producers: impl Fn(u32) -> Option<u32>) -> bool {
    let together = |a: &TaskTemplate, b: &TaskTemplate| match (a.share, b.share) {
        (Some(first), Some(second)) => a.partitions == b.partitions && first.input == second.input,
        _ => false,
    };
    let groups: Vec<&[TaskTemplate]> = tasks.chunk_by(together).collect();
    let is_whole = |group: &&[TaskTemplate]| match group[0].share {
        None => true,
        Some(InputShare { input, .. }) => {
            let shares = group.iter().filter_map(|task| task.share);
            let whole = producers(input).is_some_and(|count| covers(shares.map(|share| share.producers), count));
            group[0].partitions.end == group[0].partitions.start + 1 && whole
        }
    };
    groups.iter().all(is_whole) && covers(groups.iter().map(|group| group[0].partitions), partitions)
}

impl StageGraph {
    /// Whether all stages read their inputs exactly once.
    pub fn is_read_once(&self) -> bool {
        let written = |id| self.stage(id).map(Written::from);
        let mut stages = self.stages.iter();
        stages.all(|stage| reads_once(stage, &stage.tasks, written))
    }
}

/// What a stage writes: each of its tasks a part of each partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// How many there are.
    pub tasks: u32,
    /// How many there are.
    pub partitions: u32,
}

impl From<&Stage> for Written {
    fn from(stage: &Stage) -> Written {
        Written {
            tasks: stage.tasks.len() as u32,
            partitions: stage.output.partitions,
        }
    }
}

/// Whether the tasks, formed anew perhaps, read what the stage's inputs publish exactly once. `written` knows the stages that are read;
/// one that it does not know is not judged.
pub fn reads_once(stage: &Stage, tasks: &[TaskTemplate], written: impl Fn(StageId) -> Option<Written>) -> bool {
    let producers = |input: u32| {
        let read = stage.inputs.iter().find(|own| own.input == input)?;
        written(read.stage).map(|written| written.tasks)
    };
    let mut shared = stage.inputs.iter().filter(|input| input.read == InputRead::Partitions);
    shared.all(|input| {
        written(input.stage).is_none_or(|written| covers_with_shares(tasks, written.partitions, producers))
    })
}

#[cfg(test)]
mod tests;

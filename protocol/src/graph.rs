//! The stage graph: what `plan` hands to `schedule`. Plans inside are opaque bytes, so that the scheduler stays free of DataFusion.

use crate::{Digest, FunctionSize, PartitionRange, Split, StageId};
use serde::{Deserialize, Serialize};
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
    /// Everything from every producer, as one local partition: broadcasts and unordered gathers.
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
}

/// A planned query. Stages stand in an order in which every producer precedes its consumers; the last one produces the result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageGraph {
    pub stages: Vec<Stage>,
    /// DataFusion settings that the executor must share with the planner, e.g. `datafusion.execution.batch_size`.
    pub settings: std::collections::BTreeMap<String, String>,
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
        InputRead::All | InputRead::Merge => producer.output.partitions == 1,
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

/// Whether the ranges, in order, are adjacent and cover `0..partitions`.
fn covers(ranges: impl Iterator<Item = PartitionRange>, partitions: u32) -> bool {
    let mut next = 0;
    for range in ranges {
        if range.start != next || range.end < range.start {
            return false;
        }
        next = range.end;
    }
    next == partitions
}

#[cfg(test)]
mod tests;

//! The right answer, computed without a scheduler: what the root's tasks publish when each stage runs once. Exists only for graphs
//! whose stages are all deterministic and read whole; for the others the auditor's lineage judges.

use crate::content::{self, Nature, ReadDigest};
use mayfly_protocol::{InputRead, InputShare, PartitionEntry, PartitionRange, StageGraph, StageId, TaskId};
use std::collections::BTreeMap;

type Answer = Vec<Vec<PartitionEntry>>;

/// The partitions of each task of the root stage, in order. The graph has the tasks that there are in the end; natures stay by the
/// stages' indexes.
pub(crate) fn answer(natures: &[Nature], graph: &StageGraph) -> Option<Answer> {
    let chooses = graph.stages.iter().any(|stage| stage.enough_rows.is_some());
    if chooses || natures.iter().any(|nature| nature.nondeterministic) {
        return None;
    }
    let mut published = BTreeMap::<StageId, Answer>::new();
    for stage in &graph.stages {
        let nature = &natures[stage.id.index as usize];
        let mut answers = Answer::new();
        for (index, template) in (0..).zip(&stage.tasks) {
            let mut read = ReadDigest::new();
            for input in &stage.inputs {
                read_input(
                    &mut read,
                    input.input,
                    input.stage,
                    &published[&input.stage],
                    match input.read {
                        InputRead::Partitions => template.partitions,
                        InputRead::All | InputRead::Merge => whole(&published[&input.stage]),
                    },
                    template.share.filter(|share| share.input == input.input),
                );
            }
            let task = TaskId { stage: stage.id, index };
            answers.push(content::partitions(nature, task, read, stage.output.partitions, 0));
        }
        published.insert(stage.id, answers);
    }
    published.remove(&graph.root()?.id)
}

fn read_input(
    read: &mut ReadDigest,
    input: u32,
    stage: StageId,
    producers: &Answer,
    range: PartitionRange,
    share: Option<InputShare>,
) {
    let is_read = |index: u32| share.is_none_or(|share| (share.producers.start..share.producers.end).contains(&index));
    for (index, partitions) in (0..).zip(producers).filter(|(index, _)| is_read(*index)) {
        let entries = &partitions[range.start as usize..range.end as usize];
        for entry in entries {
            read.read(input, TaskId { stage, index }, entry);
        }
    }
}

/// All partitions of whatever the producers wrote.
fn whole(producers: &Answer) -> PartitionRange {
    PartitionRange::new(0, producers.first().map_or(0, Vec::len) as u32)
}

//! The right answer, computed without a scheduler: what the root's tasks publish when each stage runs once. Exists only for graphs
//! whose stages are all deterministic; for the others the auditor's lineage judges.

use crate::content::{self, ReadDigest};
use crate::graphs::Modelled;
use mayfly_protocol::{InputRead, PartitionEntry, PartitionRange, StageId, TaskId};
use std::collections::BTreeMap;

type Answer = Vec<Vec<PartitionEntry>>;

/// The partitions of each task of the root stage, in order.
pub(crate) fn answer(modelled: &Modelled) -> Option<Answer> {
    if modelled.natures.iter().any(|nature| nature.nondeterministic) {
        return None;
    }
    let mut published = BTreeMap::<StageId, Answer>::new();
    for (stage, nature) in modelled.graph.stages.iter().zip(&modelled.natures) {
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
                        InputRead::All | InputRead::Merge => PartitionRange::new(0, 1),
                    },
                );
            }
            let task = TaskId { stage: stage.id, index };
            answers.push(content::partitions(nature, task, read, stage.output.partitions, 0));
        }
        published.insert(stage.id, answers);
    }
    published.remove(&modelled.graph.root()?.id)
}

fn read_input(read: &mut ReadDigest, input: u32, stage: StageId, producers: &Answer, range: PartitionRange) {
    for (index, partitions) in (0..).zip(producers) {
        let entries = &partitions[range.start as usize..range.end as usize];
        for entry in entries {
            read.read(input, TaskId { stage, index }, entry);
        }
    }
}

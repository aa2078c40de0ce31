//! The lineage of a result: which outputs it was computed from, all the way down.
//!
//! A result is sound if no task is in it in two versions, and if each partition of each producer is read exactly once by each stage
//! that reads partitions. A slice without rows carries nothing into the result, so what is behind it is not followed.

use crate::history::{History, Published};
use crate::launch;
use crate::violation::{Rule, must};
use mayfly_protocol::{InputRead, Output, PartitionEntry, SliceSource, Stage, StageId, TaskId};
use std::collections::{BTreeMap, BTreeSet};

/// By stage, input and producer: which task of the stage read each partition.
type Reads = BTreeMap<(StageId, u32, TaskId), Vec<Option<TaskId>>>;

#[derive(Default)]
struct Lineage<'a> {
    /// The version of each task's output in the result.
    versions: BTreeMap<TaskId, &'a [PartitionEntry]>,
    /// Outputs whose inputs were followed.
    seen: BTreeSet<(TaskId, u64)>,
    reads: Reads,
}

pub(crate) fn check(history: &History, outputs: &[Output]) -> Rule {
    let root = history.graph.root().ok_or("no stage")?;
    must(outputs.len() == root.tasks.len(), || {
        format!("the answer has {} of {} parts", outputs.len(), root.tasks.len())
    })?;
    let mut lineage = Lineage::default();
    let mut pending = Vec::new();
    for (index, output) in (0..).zip(outputs) {
        let task = TaskId { stage: root.id, index };
        let same = || {
            history
                .published_by(task)
                .iter()
                .filter(|other| other.output == *output)
        };
        // Under another plan of its stage the task may have published the same.
        let published = same()
            .find(|other| launch::is_as_planned(history, other))
            .or_else(|| same().next());
        let published = published.ok_or_else(|| format!("{task}: its part of the answer was never published"))?;
        let gone = published.key().is_some_and(|key| history.discarded.contains(key));
        must(!gone, || format!("{task}: its part of the answer was discarded"))?;
        // An answer without rows carries nothing, and several attempts can have published it alike.
        if published.output.rows() > 0 {
            pending.push(published);
        }
    }
    while let Some(published) = pending.pop() {
        lineage.follow(history, published, &mut pending)?;
    }
    lineage.check_coverage(history)
}

impl<'a> Lineage<'a> {
    fn follow(&mut self, history: &'a History, published: &'a Published, pending: &mut Vec<&'a Published>) -> Rule {
        let task = published.attempt.task;
        let version = self.versions.entry(task).or_insert(&published.output.partitions);
        must(*version == published.output.partitions, || {
            format!("{task} is in the answer in two versions")
        })?;
        if !self.seen.insert((task, published.nonce.0)) {
            return Ok(());
        }
        let spec = history.spec_of(&published.attempt).ok_or("reported, never launched")?;
        for input in &spec.inputs {
            for slice in &input.slices {
                if input.read == InputRead::Partitions && !is_repeated(history, task, input.input) {
                    let parts = (input.partitions.start..).zip(&slice.partitions);
                    let with_rows = parts.filter(|(_, part)| part.rows > 0).map(|(partition, _)| partition);
                    self.read(task, input.input, slice.producer, with_rows)?;
                }
                if slice.source != SliceSource::Empty {
                    let source = launch::find(history, slice.producer, slice, input.partitions);
                    pending.push(source.ok_or_else(|| format!("{task} read what nobody published"))?);
                }
            }
        }
        Ok(())
    }

    /// What has no rows is read by nobody: two coordinators that form tasks otherwise can come to equal outputs that differ in that alone.
    fn read(
        &mut self,
        reader: TaskId,
        input: u32,
        producer: TaskId,
        mut partitions: impl Iterator<Item = u32>,
    ) -> Rule {
        let readers = self.reads.entry((reader.stage, input, producer)).or_default();
        partitions.try_for_each(|partition| {
            let place = partition as usize;
            if readers.len() <= place {
                readers.resize(place + 1, None);
            }
            let first = *readers[place].get_or_insert(reader);
            must(first == reader, || {
                format!("partition {partition} of {producer} was consumed twice, by {first} and {reader}")
            })
        })
    }

    /// Rows that nobody read are missing, unless the task that should have read them had no row in the answer itself.
    fn check_coverage(&self, history: &History) -> Rule {
        for stage in &history.graph.stages {
            let inputs = stage.inputs.iter().filter(|input| input.read == InputRead::Partitions);
            for input in inputs {
                for (producer, version) in self.versions.iter().filter(|(task, _)| task.stage == input.stage) {
                    let readers = self.reads.get(&(stage.id, input.input, *producer));
                    let readers = readers.map_or(&[][..], Vec::as_slice);
                    let with_rows = (0..).zip(version.iter()).filter(|(_, entry)| entry.rows > 0);
                    for (partition, _) in with_rows {
                        let is_read = readers.get(partition as usize).is_some_and(Option::is_some);
                        let is_repeated =
                            || owners(stage, partition).any(|task| is_repeated(history, task, input.input));
                        must(is_read || is_repeated() || self.is_unheard(stage, partition), || {
                            format!("partition {partition} of {producer} is missing from {}", stage.id)
                        })?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether tasks read the partition that are not in the answer, as what they made of it had no rows.
    fn is_unheard(&self, stage: &Stage, partition: u32) -> bool {
        owners(stage, partition).any(|task| !self.versions.contains_key(&task))
    }
}

/// The tasks that read the partition, or a part of it.
fn owners(stage: &Stage, partition: u32) -> impl Iterator<Item = TaskId> {
    let tasks = (0..).zip(&stage.tasks);
    let owners = tasks.filter(move |(_, task)| (task.partitions.start..task.partitions.end).contains(&partition));
    owners.map(|(index, _)| TaskId { stage: stage.id, index })
}

/// Whether the tasks that share a partition all read this input whole.
fn is_repeated(history: &History, task: TaskId, input: u32) -> bool {
    let stage = history.graph.stage(task.stage);
    let template = stage.and_then(|stage| stage.tasks.get(task.index as usize));
    let share = template.and_then(|template| template.share);
    share.is_some_and(|share| share.input != input)
}

//! A launch: allowed, within its budgets, and of the spec that the graph calls for.

use crate::copies::{self, Copy};
use crate::history::{History, Published};
use crate::violation::{Rule, must};
use crate::{again, budget, risk, standing};
use mayfly_protocol::{
    EpochMs, InputBinding, InputRead, OutputLocation, PartitionEntry, PartitionRange, ProducerSlice, SliceSource,
    Stage, StageInput, TaskId, TaskSpec, TaskTemplate, limits,
};

/// What makes it a copy, if it is one.
pub(crate) fn check(history: &History, now: EpochMs, spec: &TaskSpec) -> Result<Option<Copy>, String> {
    check_time(history, now, spec)?;
    check_identity(history, spec)?;
    check_template(history, spec)?;
    check_hold(history, spec)?;
    let copy = copies::check(history, now, spec)?;
    again::check(history, now, spec, copy.is_some())?;
    budget::check(history, now, spec)?;
    risk::check(history)?;
    standing::check_launch(history, spec.attempt.task)?;
    Ok(copy)
}

fn check_time(history: &History, now: EpochMs, spec: &TaskSpec) -> Rule {
    must(!history.is_over(), || "launched after the end".to_owned())?;
    must(!history.canceled, || "launched after the cancel".to_owned())?;
    must(now < history.deadline, || "launched after the deadline".to_owned())?;
    must(spec.deadline > now && spec.deadline <= history.deadline, || {
        format!("has deadline {}, its query {}", spec.deadline, history.deadline)
    })?;
    must(spec.deadline.0 - now.0 <= limits::TASK_DURATION_MS_MAX, || {
        "may run for longer than the platform lets it".to_owned()
    })
}

fn check_identity(history: &History, spec: &TaskSpec) -> Rule {
    let attempt = &spec.attempt;
    must(attempt.epoch == history.epoch, || "of another epoch".to_owned())?;
    let earlier = history.launches_of(attempt.task).len();
    must(attempt.number as usize == earlier, || {
        format!("is numbered {} after {earlier} attempts", attempt.number)
    })?;
    let prefix = &spec.output.key_prefix;
    must(prefix.contains(attempt.query.as_str()), || {
        format!("writes to {prefix}, which is not its own")
    })
}

/// A stage may wait for one that it does not read.
fn check_hold(history: &History, spec: &TaskSpec) -> Rule {
    let stage = history.graph.stage(spec.attempt.task.stage);
    let after = stage.and_then(|stage| history.graph.stage(stage.after?));
    let Some(after) = after else { return Ok(()) };
    let mut tasks = (0..after.tasks.len() as u32).map(|index| TaskId { stage: after.id, index });
    let is_done = |task: TaskId| !history.published_by(task).is_empty() || history.is_needless(task);
    must(tasks.all(is_done), || {
        format!("launched before {} was complete", after.id)
    })
}

fn check_template(history: &History, spec: &TaskSpec) -> Rule {
    let task = spec.attempt.task;
    let stage = history.graph.stage(task.stage).ok_or("of an unknown stage")?;
    let template = stage.tasks.get(task.index as usize).ok_or("of an unknown task")?;
    let scans = spec.scans.iter().map(|scan| &scan.splits);
    must(scans.eq(&template.scans), || {
        "scans other splits than planned".to_owned()
    })?;
    must(spec.plan.digest() == stage.plan.digest, || {
        "has another plan".to_owned()
    })?;
    must(spec.output.partitions == stage.output.partitions, || {
        "writes another number of partitions".to_owned()
    })?;
    must(spec.size >= stage.size, || "is smaller than planned".to_owned())?;
    let same = spec.local_partitions == stage.local_partitions && spec.settings == history.graph.settings;
    must(same, || "has other settings than planned".to_owned())?;
    must(spec.inputs.len() == stage.inputs.len(), || {
        "has another number of inputs".to_owned()
    })?;
    let mut inputs = stage.inputs.iter().zip(&spec.inputs);
    inputs.try_for_each(|(planned, bound)| check_input(history, planned, bound, template))
}

fn check_input(history: &History, planned: &StageInput, bound: &InputBinding, task: &TaskTemplate) -> Rule {
    let producer = history.graph.stage(planned.stage).ok_or("reads an unknown stage")?;
    let range = match planned.read {
        InputRead::Partitions => task.partitions,
        InputRead::All | InputRead::Merge => PartitionRange::new(0, producer.output.partitions),
    };
    let same = (bound.input, bound.stage, bound.read) == (planned.input, planned.stage, planned.read);
    must(same && bound.partitions == range, || {
        format!("reads {:?} of {}, planned was {range:?}", bound.partitions, bound.stage)
    })?;
    let whole = PartitionRange::new(0, producer.tasks.len() as u32);
    let share = task.share.filter(|share| share.input == planned.input);
    let producers = share.map_or(whole, |share| share.producers);
    let count = (producers.end - producers.start) as usize;
    must(bound.producers == producers && bound.slices.len() == count, || {
        format!(
            "reads {:?} with {} slices, not {producers:?}",
            bound.producers,
            bound.slices.len()
        )
    })?;
    let mut slices = (producers.start..).zip(&bound.slices);
    slices.try_for_each(|(index, slice)| check_slice(history, producer, index, slice, range))
}

fn check_slice(history: &History, producer: &Stage, index: u32, slice: &ProducerSlice, range: PartitionRange) -> Rule {
    let task = TaskId {
        stage: producer.id,
        index,
    };
    must(slice.producer == task, || {
        format!("reads {} in place of {task}", slice.producer)
    })?;
    if is_skipped(history, producer, slice) {
        return Ok(());
    }
    let published = find(history, task, slice, range);
    let published = published.ok_or_else(|| format!("reads {slice:?} of {task}, which nobody published"))?;
    if let SliceSource::Object { key, .. } = &slice.source {
        standing::check_read(history, key)?;
    }
    let gone = published.key().is_some_and(|key| history.discarded.contains(key));
    must(!gone || slice.source == SliceSource::Empty, || {
        format!("reads {:?}, which was discarded", published.key())
    })
}

/// Whether the producer need not have run: nothing is read of it, and the others have published all the rows that are wanted.
pub(crate) fn is_skipped(history: &History, producer: &Stage, slice: &ProducerSlice) -> bool {
    let nothing = slice.source == SliceSource::Empty && slice.partitions.iter().all(|part| part.rows == 0);
    nothing && producer.id == slice.producer.stage && history.is_needless(slice.producer)
}

/// The published output that a slice is cut from.
pub(crate) fn find<'a>(
    history: &'a History,
    task: TaskId,
    slice: &ProducerSlice,
    range: PartitionRange,
) -> Option<&'a Published> {
    let published = history.published_by(task).iter();
    let matching = published.filter(|published| is_cut_from(slice, published, range));
    // Equal slices can be cut from several outputs: of an earlier plan of the stage, or given up since.
    let is_gone = |published: &Published| published.key().is_some_and(|key| history.discarded.contains(key));
    matching.min_by_key(|published| (!is_as_planned(history, published), is_gone(published)))
}

/// Whether it read what its stage reads by now.
pub(crate) fn is_as_planned(history: &History, published: &Published) -> bool {
    let task = published.attempt.task;
    let stage = history.graph.stage(task.stage);
    let planned = stage.and_then(|stage| Some((stage, stage.tasks.get(task.index as usize)?)));
    let (Some((stage, template)), Some(spec)) = (planned, history.spec_of(&published.attempt)) else {
        return false;
    };
    reads_as_planned(stage, template, spec)
}

pub(crate) fn is_cut_from(slice: &ProducerSlice, published: &Published, range: PartitionRange) -> bool {
    let all = &published.output.partitions;
    let Some(entries) = all.get(range.start as usize..range.end as usize) else {
        return false;
    };
    let before: u64 = all[..range.start as usize].iter().map(|entry| entry.len_bytes).sum();
    let len: u64 = entries.iter().map(|entry| entry.len_bytes).sum();
    let same = |(part, entry): (&mayfly_protocol::spec::PartitionSlice, &PartitionEntry)| {
        (part.len_bytes, part.rows, part.digest) == (entry.len_bytes, entry.rows, entry.digest)
    };
    let index = slice.partitions.len() == entries.len() && slice.partitions.iter().zip(entries).all(same);
    index
        && match (&slice.source, &published.output.location) {
            (SliceSource::Empty, _) => entries.iter().all(|entry| entry.rows == 0),
            (
                SliceSource::Object { key, etag, offset },
                OutputLocation::Object {
                    key: at,
                    etag: version,
                    data_offset,
                    ..
                },
            ) => key == at && etag == version && *offset == data_offset + before,
            (SliceSource::Inline { bytes }, OutputLocation::Inline { bytes: all }) => {
                all.get(before as usize..(before + len) as usize) == Some(bytes)
            }
            _ => false,
        }
}

/// Whether the order names what the task reads as its stage is by now.
pub(crate) fn reads_as_planned(stage: &Stage, template: &TaskTemplate, spec: &TaskSpec) -> bool {
    let is_same = |(input, bound): (&StageInput, &InputBinding)| {
        let is_own = input.read != InputRead::Partitions || bound.partitions == template.partitions;
        let share = template.share.filter(|share| share.input == input.input);
        is_own && input.read == bound.read && share.is_none_or(|share| share.producers == bound.producers)
    };
    stage.inputs.len() == spec.inputs.len() && stage.inputs.iter().zip(&spec.inputs).all(is_same)
}

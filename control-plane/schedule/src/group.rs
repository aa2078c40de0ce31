//! Partitions → tasks, by what the partitions hold: small ones go together, one that is far too large is shared by several tasks.
//!
//! ```text
//! bytes       │ 3 │ 1 │ 2 │ 40                │ 5 │ 4 │
//! tasks of 10 │ t0        │ t1 │ t2 │ t3 │ t4 │ t5    │     t1–t4 read partition 3 of other producers each
//! ```
//!
//! Pure: whoever calls it decides whether the tasks may still change.

use mayfly_protocol::{InputShare, PartitionRange, Regroup, TaskTemplate};

/// How many times a task's share a partition has to hold before it is worth sharing.
const SKEW: f64 = 1.5;

/// An input that is read by partitions.
pub(crate) struct Input {
    pub input: u32,
    /// By producer and partition, encoded.
    pub bytes: Vec<Vec<u64>>,
}

impl Input {
    fn partition(&self, partition: usize) -> u64 {
        self.bytes.iter().map(|producer| producer[partition]).sum()
    }
}

/// Tasks that cover each partition of the inputs once, in order; all inputs have so many partitions.
pub(crate) fn tasks(regroup: &Regroup, inputs: &[Input], partitions: u32) -> Vec<TaskTemplate> {
    let bytes = |partition: u32| {
        let inputs = inputs.iter();
        inputs.map(|input| input.partition(partition as usize)).sum::<u64>()
    };
    let sizes: Vec<u64> = (0..partitions).map(bytes).collect();
    let share = fair_share(regroup, sizes.iter().sum(), partitions);
    let mut grouper = Grouper::new(share);
    for (partition, bytes) in (0..).zip(&sizes) {
        let is_skewed = *bytes as f64 > SKEW * share as f64;
        match largest_divisible(regroup, inputs, partition).filter(|_| is_skewed) {
            Some(input) => grouper.shared(partition, input),
            None => grouper.add(partition, *bytes),
        }
    }
    if !mutant!(RegroupWithGap) {
        grouper.close(partitions);
    }
    grouper.tasks
}

/// Bytes for one task when all have the same.
fn fair_share(regroup: &Regroup, total: u64, partitions: u32) -> u64 {
    let wanted = total.div_ceil(regroup.task_bytes.max(1)).max(1);
    let slots = u64::from(regroup.slots.max(1));
    let in_waves = if wanted > slots {
        wanted.next_multiple_of(slots)
    } else {
        wanted
    };
    total.div_ceil(in_waves.min(u64::from(partitions.max(1)))).max(1)
}

/// The input to divide: that which holds most of the partition, if it has several producers.
fn largest_divisible<'a>(regroup: &Regroup, inputs: &'a [Input], partition: u32) -> Option<&'a Input> {
    let divisible = inputs
        .iter()
        .filter(|input| regroup.divisible.contains(&input.input) && input.bytes.len() > 1);
    divisible.max_by_key(|input| input.partition(partition as usize))
}

struct Grouper {
    share: u64,
    tasks: Vec<TaskTemplate>,
    /// First partition of the task under way, and what it holds so far.
    start: u32,
    bytes: u64,
}

impl Grouper {
    fn new(share: u64) -> Grouper {
        Grouper {
            share,
            tasks: Vec::new(),
            start: 0,
            bytes: 0,
        }
    }

    /// A partition goes where it brings the task nearer to its share.
    fn add(&mut self, partition: u32, bytes: u64) {
        let (without, with) = (self.share.abs_diff(self.bytes), self.share.abs_diff(self.bytes + bytes));
        if self.bytes > 0 && with > without {
            self.close(partition);
        }
        self.bytes += bytes;
    }

    /// Ends the task under way before this partition.
    fn close(&mut self, end: u32) {
        if end > self.start {
            self.tasks.push(TaskTemplate {
                partitions: PartitionRange::new(self.start, end),
                ..TaskTemplate::default()
            });
        }
        (self.start, self.bytes) = (end, 0);
    }

    /// A partition for several tasks, each with some of the input's producers.
    fn shared(&mut self, partition: u32, input: &Input) {
        self.close(partition);
        let held = |producer: &Vec<u64>| producer[partition as usize];
        let mut producers = (0, 0, 0);
        let count = input.bytes.len() as u32;
        for (at, bytes) in (0..count).zip(input.bytes.iter().map(held)) {
            let (start, _, before) = producers;
            if before > 0 && before + bytes / 2 > self.share {
                self.part(partition, input.input, start..at);
                producers = (at, at + 1, bytes);
            } else {
                producers = (start, at + 1, before + bytes);
            }
        }
        self.part(partition, input.input, producers.0..count);
        self.start = partition + 1;
    }

    fn part(&mut self, partition: u32, input: u32, producers: std::ops::Range<u32>) {
        self.tasks.push(TaskTemplate {
            partitions: PartitionRange::new(partition, partition + 1),
            share: Some(InputShare {
                input,
                producers: PartitionRange::new(producers.start, producers.end),
            }),
            ..TaskTemplate::default()
        });
    }
}

#[cfg(test)]
mod tests;

//! The journal's meaning, read a second time: who counts as winner after each entry. Shares nothing with the scheduler's own reading,
//! which goes by digests; here a winner counts if what its spec names is what the winners before it published.

use crate::history::Published;
use crate::launch;
use crate::violation::{Rule, must};
use mayfly_protocol::journal::{Entry, Won, WonOutput};
use mayfly_protocol::{
    AttemptId, InputBinding, Nonce, PartitionEntry, ProducerSlice, SliceSource, Stage, StageGraph, StageId, TaskId,
    TaskSpec,
};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// What is known of attempts: what each was told, and what its executions published.
#[derive(Debug, Default)]
pub(crate) struct Works {
    pub specs: BTreeMap<AttemptId, Rc<TaskSpec>>,
    pub published: BTreeMap<(AttemptId, Nonce), Published>,
}

#[derive(Clone, Debug)]
pub(crate) struct Fold {
    pub graph: StageGraph,
    pub winners: BTreeMap<TaskId, Published>,
    /// Starts since the last winner.
    pub starts: u32,
    /// How often each task's winner was lost, and did not fall with its inputs.
    pub losses: BTreeMap<TaskId, usize>,
    /// What was lost, until it is made again.
    previous: BTreeMap<TaskId, Vec<PartitionEntry>>,
}

impl Fold {
    pub fn new(graph: StageGraph) -> Fold {
        Fold {
            graph,
            winners: BTreeMap::new(),
            starts: 0,
            losses: BTreeMap::new(),
            previous: BTreeMap::new(),
        }
    }

    /// Takes in an entry; says what is wrong with it, if it does not count.
    pub fn take(&mut self, works: &Works, entry: &Entry) -> Rule {
        match entry {
            Entry::Epoch { .. } => self.starts += 1,
            Entry::Regrouped { stage, tasks } => {
                let own = self.graph.stages.iter_mut().find(|own| own.id == *stage);
                let own = own.ok_or_else(|| format!("regroups {stage}, which there is not"))?;
                must(own.regroup.take().is_some(), || format!("regroups {stage} again"))?;
                own.tasks.clone_from(tasks);
            }
            Entry::Switched { alternative } => {
                must(self.graph.alternatives.contains(alternative), || {
                    format!("switches {} to what there is not", alternative.stage.id)
                })?;
                self.graph = self.graph.with(alternative);
            }
            Entry::Won(won) => {
                self.starts = 0;
                let winner = self.check_win(works, won)?.clone();
                self.crown(winner);
            }
            Entry::Lost { task, nonce, .. } => {
                let winner = self.winners.get(task).filter(|winner| winner.nonce == *nonce);
                let winner = winner.ok_or_else(|| format!("loses {task}, whose winner it is not"))?;
                if works
                    .specs
                    .get(&winner.attempt)
                    .is_some_and(|spec| self.stands_on_winners(spec))
                {
                    *self.losses.entry(*task).or_default() += 1;
                }
                self.previous
                    .extend(self.winners.remove(task).map(|lost| (*task, lost.output.partitions)));
            }
            Entry::Accepted(_) | Entry::Beat { .. } | Entry::Cancel | Entry::Final { .. } => {}
        }
        Ok(())
    }

    fn check_win<'a>(&self, works: &'a Works, won: &Won) -> Result<&'a Published, String> {
        let attempt = &won.attempt;
        let spec = works
            .specs
            .get(attempt)
            .ok_or_else(|| format!("{attempt} was never launched"))?;
        let published = works.published.get(&(attempt.clone(), won.nonce));
        let published = published.ok_or_else(|| format!("{attempt}#{} never published", won.nonce))?;
        must(WonOutput::of(&published.output) == won.output, || {
            format!("{attempt} published something else")
        })?;
        must(spec.pin_digest == won.pin_digest, || {
            format!("{attempt} had other pins")
        })?;
        must(!self.winners.contains_key(&attempt.task), || {
            format!("{attempt} wins a task that has a winner")
        })?;
        let stage = self.graph.stage(attempt.task.stage);
        let stage = stage.ok_or_else(|| format!("{attempt} is of a stage that is none"))?;
        must((attempt.task.index as usize) < stage.tasks.len(), || {
            format!("{attempt} is of a task that is none")
        })?;
        must(self.stands_on_winners(spec), || {
            format!("{attempt} read what is not its inputs' winners'")
        })?;
        Ok(published)
    }

    fn crown(&mut self, winner: Published) {
        let task = winner.attempt.task;
        let previous = self.previous.remove(&task);
        if previous.is_some_and(|previous| previous != winner.output.partitions) {
            self.let_fall(task.stage);
        }
        self.winners.insert(task, winner);
    }

    /// An output came out different when it was made again: what was computed from the one before is none any more. Mostly the journal
    /// says so of each; but an owner that could not find what a reader had read does not know of the reader.
    fn let_fall(&mut self, stage: StageId) {
        let readers = self.graph.stages.iter();
        let readers = readers.filter(|reader| reader.inputs.iter().any(|input| input.stage == stage));
        let readers: Vec<StageId> = readers.map(|reader| reader.id).collect();
        for reader in readers {
            let before = self.winners.len() + self.previous.len();
            self.winners.retain(|task, _| task.stage != reader);
            self.previous.retain(|task, _| task.stage != reader);
            if self.winners.len() + self.previous.len() < before {
                self.let_fall(reader);
            }
        }
    }

    fn stands_on_winners(&self, spec: &TaskSpec) -> bool {
        spec.inputs.iter().all(|input| self.is_current(input))
    }

    fn is_current(&self, input: &InputBinding) -> bool {
        let is_current = |slice: &ProducerSlice| match self.winners.get(&slice.producer) {
            Some(winner) => launch::is_cut_from(slice, winner, input.partitions),
            None => slice.source == SliceSource::Empty,
        };
        let stage = self.graph.stage(input.stage);
        stage.is_some_and(|stage| self.is_complete(stage)) && input.slices.iter().all(is_current)
    }

    fn winners_of(&self, stage: StageId) -> impl Iterator<Item = &Published> {
        let first = TaskId { stage, index: 0 };
        let last = TaskId { stage, index: u32::MAX };
        self.winners.range(first..=last).map(|(_, winner)| winner)
    }

    fn is_complete(&self, stage: &Stage) -> bool {
        let rows = || {
            self.winners_of(stage.id)
                .map(|winner| winner.output.rows())
                .sum::<u64>()
        };
        let all = self.winners_of(stage.id).count() == stage.tasks.len();
        all || stage.enough_rows.is_some_and(|enough| rows() >= enough)
    }

    /// Tasks whose winners stand on winners all the way down: they never run again unless something is lost.
    pub fn durable(&self) -> BTreeSet<TaskId> {
        let mut sound = BTreeSet::<StageId>::new();
        let mut durable = BTreeSet::new();
        for stage in &self.graph.stages {
            if stage.inputs.iter().all(|input| sound.contains(&input.stage)) {
                durable.extend(self.winners_of(stage.id).map(|winner| winner.attempt.task));
                if self.is_complete(stage) {
                    sound.insert(stage.id);
                }
            }
        }
        durable
    }
}

/// Whether the winner needs an object, and there is none.
pub(crate) fn is_gone(entry: &Entry, found: &BTreeSet<(AttemptId, Nonce)>) -> bool {
    match entry {
        Entry::Won(won) => {
            let is_object = matches!(won.output, WonOutput::Object { .. });
            is_object && !found.contains(&(won.attempt.clone(), won.nonce))
        }
        _ => false,
    }
}

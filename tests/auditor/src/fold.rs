//! The journal's meaning, read a second time: who counts as winner after each entry. Shares nothing with the scheduler's own reading,
//! which goes by digests; here a winner counts if what its spec names is what the winners before it published.

use crate::by_task::ByTask;
use crate::history::Published;
use crate::launch;
use crate::violation::{Rule, must};
use mayfly_protocol::journal::{Entry, Won, WonOutput};
use mayfly_protocol::{
    AttemptId, InputBinding, InputShare, Nonce, PartitionRange, ProducerSlice, SliceSource, Stage, StageGraph, StageId,
    TaskId, TaskReport, TaskSpec,
};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// What is known of a query's attempts, by task, epoch and number: what each was told, and what its executions published.
#[derive(Debug, Default)]
pub(crate) struct Works {
    specs: ByTask<BTreeMap<(u32, u32), Rc<TaskSpec>>>,
    published: ByTask<BTreeMap<(u32, u32, Nonce), Published>>,
}

impl Works {
    /// Whether it is the first of its id.
    pub fn launch(&mut self, spec: &Rc<TaskSpec>) -> bool {
        let AttemptId {
            task, epoch, number, ..
        } = spec.attempt;
        let specs = self.specs.entry(task).get_or_insert_default();
        specs.insert((epoch, number), spec.clone()).is_none()
    }

    pub fn publish(&mut self, report: &Rc<TaskReport>) {
        let AttemptId {
            task, epoch, number, ..
        } = report.attempt;
        let published = self.published.entry(task).get_or_insert_default();
        published.insert((epoch, number, report.nonce), Published(report.clone()));
    }

    pub fn specs(&self) -> impl Iterator<Item = &Rc<TaskSpec>> {
        self.specs.values().flat_map(BTreeMap::values)
    }

    pub fn published(&self) -> impl Iterator<Item = &Published> {
        self.published.values().flat_map(BTreeMap::values)
    }

    pub fn published_by(&self, task: TaskId) -> impl Iterator<Item = &Published> {
        self.published.get(task).into_iter().flat_map(BTreeMap::values)
    }

    fn spec_of(&self, attempt: &AttemptId) -> Option<&TaskSpec> {
        let specs = self.specs.get(attempt.task)?;
        specs.get(&(attempt.epoch, attempt.number)).map(|spec| &**spec)
    }

    fn published_as(&self, attempt: &AttemptId, nonce: Nonce) -> Option<&Published> {
        let published = self.published.get(attempt.task)?;
        published.get(&(attempt.epoch, attempt.number, nonce))
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Fold {
    pub graph: Rc<StageGraph>,
    pub winners: ByTask<Published>,
    /// Starts since the last winner.
    pub starts: u32,
    /// How often each task's winner was lost, and did not fall with its inputs.
    pub losses: BTreeMap<TaskId, usize>,
    /// What was lost, until it is made again.
    previous: ByTask<Published>,
}

impl Fold {
    pub fn new(graph: Rc<StageGraph>) -> Fold {
        Fold {
            graph,
            winners: ByTask::default(),
            starts: 0,
            losses: BTreeMap::new(),
            previous: ByTask::default(),
        }
    }

    /// Takes in an entry; says what is wrong with it, if it does not count.
    pub fn take(&mut self, works: &Works, entry: &Entry) -> Rule {
        match entry {
            Entry::Epoch { .. } => self.starts += 1,
            Entry::Regrouped { stage, tasks } => {
                must(self.winners.in_stage(*stage).next().is_none(), || {
                    format!("regroups {stage}, which has winners")
                })?;
                let mut graph = StageGraph::clone(&self.graph);
                let own = graph.stages.iter_mut().find(|own| own.id == *stage);
                let own = own.ok_or_else(|| format!("regroups {stage}, which there is not"))?;
                must(own.regroup.take().is_some(), || format!("regroups {stage} again"))?;
                own.tasks.clone_from(tasks);
                must(graph.is_read_once(), || {
                    format!("regroups {stage}, and not everything is read once then")
                })?;
                self.graph = Rc::new(graph);
            }
            Entry::Switched { alternative } => {
                must(self.graph.alternatives.contains(alternative), || {
                    format!("switches {} to what there is not", alternative.stage.id)
                })?;
                let has_winners = |stage| self.winners.in_stage(stage).next().is_some();
                must(!alternative.changed().any(has_winners), || {
                    format!("switches {}, which has winners", alternative.stage.id)
                })?;
                let graph = self.graph.with(alternative);
                must(graph.is_read_once(), || {
                    format!("switches {}, by which its readers were formed", alternative.stage.id)
                })?;
                let is_changed = |task: &TaskId| alternative.changed().any(|changed| changed == task.stage);
                self.losses.retain(|task, _| !is_changed(task));
                self.graph = Rc::new(graph);
            }
            Entry::Won(won) => {
                self.starts = 0;
                let winner = self.check_win(works, won)?.clone();
                self.crown(winner);
            }
            Entry::Lost { task, nonce, .. } => {
                let winner = self.winners.get(*task).filter(|winner| winner.nonce == *nonce);
                let winner = winner.ok_or_else(|| format!("loses {task}, whose winner it is not"))?;
                if works
                    .spec_of(&winner.attempt)
                    .is_some_and(|spec| self.stands_on_winners(spec))
                {
                    *self.losses.entry(*task).or_default() += 1;
                }
                *self.previous.entry(*task) = self.winners.remove(*task);
            }
            Entry::Accepted(_) | Entry::Beat { .. } | Entry::Cancel | Entry::Final { .. } => {}
        }
        Ok(())
    }

    fn check_win<'a>(&self, works: &'a Works, won: &Won) -> Result<&'a Published, String> {
        let attempt = &won.attempt;
        let spec = works
            .spec_of(attempt)
            .ok_or_else(|| format!("{attempt} was never launched"))?;
        let published = works.published_as(attempt, won.nonce);
        let published = published.ok_or_else(|| format!("{attempt}#{} never published", won.nonce))?;
        must(won.output.is_of(&published.output), || {
            format!("{attempt} published something else")
        })?;
        must(spec.pin_digest == won.pin_digest, || {
            format!("{attempt} had other pins")
        })?;
        must(self.winners.get(attempt.task).is_none(), || {
            format!("{attempt} wins a task that has a winner")
        })?;
        let stage = self.graph.stage(attempt.task.stage);
        let stage = stage.ok_or_else(|| format!("{attempt} is of a stage that is none"))?;
        let template = stage.tasks.get(attempt.task.index as usize);
        let template = template.ok_or_else(|| format!("{attempt} is of a task that is none"))?;
        must(launch::reads_as_planned(stage, template, spec), || {
            format!("{attempt} read what is not its task's")
        })?;
        must(self.stands_on_winners(spec), || {
            format!("{attempt} read what is not its inputs' winners'")
        })?;
        Ok(published)
    }

    fn crown(&mut self, winner: Published) {
        let task = winner.attempt.task;
        let previous = self.previous.remove(task);
        if previous.is_some_and(|previous| previous.output.partitions != winner.output.partitions) {
            self.let_fall(task.stage);
        }
        *self.winners.entry(task) = Some(winner);
    }

    /// An output came out different when it was made again: what was computed from the one before is none any more. Mostly the journal
    /// says so of each; but an owner that could not find what a reader had read does not know of the reader.
    fn let_fall(&mut self, stage: StageId) {
        let readers = self.graph.stages.iter();
        let readers = readers.filter(|reader| reader.inputs.iter().any(|input| input.stage == stage));
        let readers: Vec<StageId> = readers.map(|reader| reader.id).collect();
        for reader in readers {
            let (won, lost) = (self.winners.clear(reader), self.previous.clear(reader));
            if won || lost {
                self.let_fall(reader);
            }
        }
    }

    fn stands_on_winners(&self, spec: &TaskSpec) -> bool {
        let share = self.share_of(spec.attempt.task);
        let is_shared = |input: &InputBinding| share.is_some_and(|share| share.input == input.input);
        let mut inputs = spec.inputs.iter();
        inputs.all(|input| self.is_current(input) && (is_shared(input) || self.is_whole(input)))
    }

    fn share_of(&self, task: TaskId) -> Option<InputShare> {
        self.graph.stage(task.stage)?.tasks.get(task.index as usize)?.share
    }

    /// Whether it reads all tasks that the stage has.
    fn is_whole(&self, input: &InputBinding) -> bool {
        let stage = self.graph.stage(input.stage);
        stage.is_some_and(|stage| input.producers == PartitionRange::new(0, stage.tasks.len() as u32))
    }

    fn is_current(&self, input: &InputBinding) -> bool {
        let is_current = |slice: &ProducerSlice| match self.winners.get(slice.producer) {
            Some(winner) => launch::is_cut_from(slice, winner, input.partitions),
            None => slice.source == SliceSource::Empty,
        };
        let stage = self.graph.stage(input.stage);
        stage.is_some_and(|stage| self.is_complete(stage)) && input.slices.iter().all(is_current)
    }

    fn is_complete(&self, stage: &Stage) -> bool {
        let rows = || {
            let winners = self.winners.in_stage(stage.id);
            winners.map(|winner| winner.output.rows()).sum::<u64>()
        };
        let all = self.winners.in_stage(stage.id).count() == stage.tasks.len();
        all || stage.enough_rows.is_some_and(|enough| rows() >= enough)
    }

    /// Tasks whose winners stand on winners all the way down: they never run again unless something is lost.
    pub fn durable(&self) -> BTreeSet<TaskId> {
        let mut sound = BTreeSet::<StageId>::new();
        let mut durable = BTreeSet::new();
        for stage in &self.graph.stages {
            if stage.inputs.iter().all(|input| sound.contains(&input.stage)) {
                durable.extend(self.winners.in_stage(stage.id).map(|winner| winner.attempt.task));
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

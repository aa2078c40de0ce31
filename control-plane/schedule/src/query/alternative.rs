//! A stage has published so little that another plan is better: the graph's alternatives that it decides are taken, where nothing that
//! they concern was launched.

use super::{Query, new};
use crate::Command;
use crate::core::Core;
use crate::stage::StageState;
use crate::task::Phase;
use mayfly_protocol::journal::Entry;
use mayfly_protocol::{Alternative, StageId, Written, reads_once};

impl Query {
    /// Takes what the complete stage decides, and lets go of what it decides no more.
    pub(super) fn take_alternatives(&mut self, core: &mut Core, stage: usize) {
        let decider = &self.stages[stage];
        let (id, bytes) = (decider.id(), decider.bytes_out);
        let decided: Vec<Alternative> = self.alternatives.extract_if(.., |other| other.decides == id).collect();
        for alternative in decided {
            let is_small = bytes <= alternative.bytes_max || mutant!(SwitchLarge);
            if is_small && (self.is_untouched(&alternative) || mutant!(SwitchAfterLaunch)) {
                core.commands.push_back(Command::Switched {
                    query: self.id.clone(),
                    alternative: Box::new(alternative.clone()),
                });
                core.counters.alternatives_taken += 1;
                self.note_change(Entry::Switched {
                    alternative: Box::new(alternative.clone()),
                });
                let dropped = alternative.dropped.clone();
                self.take(core, alternative);
                dropped.into_iter().for_each(|gone| self.open_held(core, gone));
            }
        }
    }

    /// What waits for a stage that will not run need not.
    fn open_held(&mut self, core: &mut Core, gone: StageId) {
        let held = self.held_by(self.positions[&gone]);
        held.into_iter().for_each(|stage| self.open(core, stage));
    }

    /// Stages that wait for this one without reading it.
    pub(super) fn held_by(&self, stage: usize) -> Vec<usize> {
        let id = self.stages[stage].id();
        let numbered = self.stages.iter().enumerate();
        let held = numbered.filter(|(_, other)| other.planned.after == Some(id));
        held.map(|(position, _)| position).collect()
    }

    pub(super) fn is_untouched(&self, alternative: &Alternative) -> bool {
        let is_changed = |stage: &&StageState| alternative.changed().any(|changed| changed == stage.id());
        let mut stages = self.stages.iter().filter(is_changed);
        // What an earlier coordinator launched shows only where it won.
        let is_free = |stage: &StageState| stage.attempts == 0 && stage.count(Phase::Done) == 0;
        stages.all(|stage| is_free(stage) && !stage.is_dropped && !stage.is_alternative)
            && self.is_readable(alternative.stage.id, Written::from(&alternative.stage))
    }

    /// Whether the tasks of the stage's readers are right for it if it writes so much. They are not where another coordinator formed
    /// them by more tasks of the stage, or by fewer, of which nothing is left.
    pub(super) fn is_readable(&self, stage: StageId, written: Written) -> bool {
        let all = |id: StageId| if id == stage { Some(written) } else { self.written(id) };
        let mut readers = self.stages.iter().map(|stage| &stage.planned);
        readers.all(|reader| {
            let is_reader = reader.inputs.iter().any(|input| input.stage == stage);
            !is_reader || reads_once(reader, &reader.tasks, all)
        })
    }

    /// As things stand; none of a stage that there is not.
    pub(super) fn written(&self, stage: StageId) -> Option<Written> {
        let at = self.positions.get(&stage)?;
        Some(Written::from(&self.stages[*at].planned))
    }

    pub(super) fn take(&mut self, core: &mut Core, alternative: Alternative) {
        self.alternatives.retain(|other| !alternative.excludes(other));
        let Alternative { stage, dropped, .. } = alternative;
        let at = self.positions[&stage.id];
        self.close(core, at);
        self.stages[at] = new::place(stage, &core.settings.tenant, &self.id);
        self.stages[at].is_alternative = true;
        for gone in dropped
            .iter()
            .map(|dropped| self.positions[dropped])
            .collect::<Vec<_>>()
        {
            self.close(core, gone);
            self.stages[gone].drop_work();
        }
        self.link();
        (0..self.stages.len()).for_each(|position| self.share_inline_bytes_of(position));
    }
}

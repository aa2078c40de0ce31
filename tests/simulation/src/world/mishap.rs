//! Bad luck of coordinators: they crash, start again knowing nothing, stand still, and have their clocks set.

use super::{Step, World};
use crate::coordinator::{Condition, Phase};
use crate::heap::Happening;
use crate::mishaps::Mishap;
use std::time::Duration;

impl World<'_> {
    pub(super) fn strike(&mut self, c: usize, mishap: Mishap) -> Step {
        match (mishap, self.coordinators[c].condition) {
            (Mishap::Crash { down_ms }, Condition::Up | Condition::Paused { .. }) => self.crash(c, down_ms),
            (Mishap::Restart, Condition::Down) => {
                self.restart(c);
                Ok(())
            }
            (Mishap::Pause { ms }, Condition::Up) => {
                self.pause(c, ms);
                Ok(())
            }
            (Mishap::Wake, Condition::Paused { until }) if until <= self.now => self.unpause(c),
            (Mishap::Jump { offset_ms }, _) => self.jump(c, offset_ms),
            _ => Ok(()),
        }
    }

    pub(super) fn crash(&mut self, c: usize, down_ms: u64) -> Step {
        self.trace.note(self.now, format_args!("c{c} crashes"));
        for name in self.crash_sites(c) {
            self.coverage.hit(name);
        }
        self.count_branches(c);
        let coordinator = &mut self.coordinators[c];
        coordinator.condition = Condition::Down;
        coordinator.owned.clear();
        coordinator.writes.clear();
        self.arrange_mishap(c, down_ms, Mishap::Restart);
        let (scheduler, auditor) = self.mind(c, self.coordinators[c].life + 1);
        let coordinator = &mut self.coordinators[c];
        coordinator.life += 1;
        coordinator.scheduler = scheduler;
        coordinator.auditor = auditor;
        Ok(())
    }

    /// What it was about.
    fn crash_sites(&self, c: usize) -> Vec<&'static str> {
        let coordinator = &self.coordinators[c];
        let site = |phase: &Phase, ending: bool| match phase {
            Phase::Accepting => "fault crash while accepting",
            Phase::Claiming(_) => "fault crash while claiming",
            Phase::Listing(_) => "fault crash while listing",
            Phase::Running if ending => "fault crash at the end",
            Phase::Running => "fault crash while running",
        };
        let owned = coordinator.owned.values();
        let sites = owned.map(|owned| site(&owned.phase, owned.end.is_some()));
        let idle = coordinator.owned.is_empty().then_some("fault crash while idle");
        sites.chain(idle).collect()
    }

    fn restart(&mut self, c: usize) {
        self.trace.note(self.now, format_args!("c{c} starts again"));
        self.coordinators[c].condition = Condition::Up;
    }

    fn pause(&mut self, c: usize, ms: u64) {
        self.trace.note(self.now, format_args!("c{c} stands still for {ms} ms"));
        self.coverage.hit("fault paused");
        let until = self.now + Duration::from_millis(ms);
        self.coordinators[c].condition = Condition::Paused { until };
        self.arrange_mishap(c, ms, Mishap::Wake);
    }

    fn unpause(&mut self, c: usize) -> Step {
        self.trace.note(self.now, format_args!("c{c} goes on"));
        let local = self.local(c);
        let coordinator = &mut self.coordinators[c];
        coordinator.condition = Condition::Up;
        coordinator.auditor.woke(local);
        self.note_zombies(c);
        self.drain(c)
    }

    /// Counts queries of which another is the owner, and this one does not know.
    fn note_zombies(&mut self, c: usize) {
        let owned = self.coordinators[c].owned.iter();
        let owned: Vec<(usize, u32)> = owned.map(|(query, owned)| (*query, owned.epoch)).collect();
        for (query, epoch) in owned {
            if self.shelf.standing(query).epoch > epoch {
                self.coverage.hit("fault zombie");
            }
        }
    }

    fn jump(&mut self, c: usize, offset_ms: i64) -> Step {
        self.trace
            .note(self.now, format_args!("c{c}'s clock is off by {offset_ms} ms"));
        self.coverage.hit("fault clock jump");
        self.coordinators[c].offset_ms = offset_ms;
        // Who stands still does not look at it.
        if self.coordinators[c].condition == Condition::Up {
            let local = self.local(c);
            self.coordinators[c].auditor.woke(local);
        }
        Ok(())
    }

    pub(super) fn arrange_mishap(&mut self, coordinator: usize, after_ms: u64, mishap: Mishap) {
        let at = self.now + Duration::from_millis(after_ms);
        self.heap.arrange(at, Happening::Mishap { coordinator, mishap });
    }
}

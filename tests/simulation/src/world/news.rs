//! What reaches a coordinator: if it lives, and when it moves.

use super::{Step, World};
use crate::coordinator::{Address, Condition, News};
use crate::heap::Happening;
use mayfly_protocol::{AttemptId, Failure, Meter, TaskReport};
use mayfly_schedule::Event;
use std::rc::Rc;

impl World<'_> {
    pub(super) fn deliver(&mut self, to: Address, news: News) -> Step {
        let coordinator = &self.coordinators[to.coordinator];
        if coordinator.life != to.life || coordinator.condition == Condition::Down {
            if matches!(news, News::Report { .. }) {
                self.coverage.hit("fault report to the dead");
            }
            return Ok(());
        }
        if let Condition::Paused { until } = coordinator.condition {
            self.heap.arrange(until, Happening::Deliver { to, news });
            return Ok(());
        }
        let c = to.coordinator;
        match news {
            News::Report { report, meter } => self.report(c, &report, meter),
            News::Fail {
                attempt,
                failure,
                meter,
            } => self.fail(c, attempt, failure, meter),
            News::PutAgain { write } => self.put(c, write),
            News::PutAnswered { write, answer } => self.answered(c, write, answer)?,
            News::ReadBack { write } => self.read_back(c, write)?,
            News::Beat { query, epoch } => self.beat(c, query, epoch)?,
            News::Sweep { query } => self.sweep(query),
            News::Listed { query, epoch } => self.listed(c, query, epoch)?,
        }
        self.drain(c)
    }

    fn report(&mut self, c: usize, report: &Rc<TaskReport>, meter: Meter) {
        let attempt = report.attempt.clone();
        self.trace
            .note(self.now, format_args!("c{c} report {attempt}#{}", report.nonce));
        let local = self.local(c);
        self.coordinators[c].auditor.reported(local, report, &meter);
        let answer = Box::new((**report).clone());
        self.handle(c, Event::Reported { attempt, answer, meter });
    }

    fn fail(&mut self, c: usize, attempt: AttemptId, failure: Failure, meter: Meter) {
        self.trace.note(self.now, format_args!("c{c} fail {attempt} {failure}"));
        if matches!(failure, Failure::InputLost { .. }) {
            self.chronicle.lost(&attempt.query);
        }
        let local = self.local(c);
        self.coordinators[c].auditor.failed(local, &attempt, &failure, &meter);
        let event = Event::Failed {
            attempt,
            failure,
            meter,
        };
        self.handle(c, event);
    }
}

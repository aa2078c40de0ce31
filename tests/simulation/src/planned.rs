//! The queries of a seed: what each looks like, when it is submitted, how much time it has, and whether somebody cancels it.

use crate::faults::Faults;
use crate::graphs::{self, Modelled};
use crate::random::{Streams, chance};
use mayfly_protocol::{EpochMs, QueryId};
use mayfly_schedule::Usage;
use rand::Rng;
use std::time::Duration;
use std::{fmt, iter};

/// Nothing is submitted before, so that clocks that are behind still show a time.
pub(crate) const BEGIN_MS: u64 = 10_000;

pub(crate) struct Planned {
    pub id: QueryId,
    pub modelled: Modelled,
    pub submitted: EpochMs,
    pub deadline: EpochMs,
    /// The step before which it is canceled.
    pub cancel_at: Option<u64>,
    /// Everything that the scheduler has billed for it, at its end and after.
    pub usage: Usage,
    /// Whether what it left was deleted.
    pub is_swept: bool,
}

/// One to three queries, submitted within four seconds.
pub(crate) fn draw(streams: &mut Streams, faults: &Faults) -> Vec<Planned> {
    let count = streams.graphs.random_range(1..=3);
    (0..count).map(|index| draw_one(index, streams, faults)).collect()
}

fn draw_one(index: u32, streams: &mut Streams, faults: &Faults) -> Planned {
    let submitted = EpochMs(BEGIN_MS + streams.graphs.random_range(0..4_000));
    let mut modelled = graphs::draw(&mut streams.graphs, faults);
    modelled.enlarge(&mut streams.sizes);
    // Where answers are lost each costs a minute, and some queries run out of time. Elsewhere there is always enough.
    let spare_ms = if faults.lost == 0.0 { 200_000 } else { 0 };
    let time_ms = streams.graphs.random_range(20_000..400_000) + spare_ms;
    let cancel = chance(&mut streams.faults, faults.canceled);
    let step = streams.faults.random_range(1..200);
    Planned {
        id: format!("q{index}").parse().expect("letters and digits"),
        modelled,
        submitted,
        deadline: submitted + Duration::from_millis(time_ms),
        cancel_at: cancel.then_some(step),
        usage: Usage::default(),
        is_swept: false,
    }
}

impl Planned {
    /// `q0: s0×3 s1×2←s0`, for traces.
    pub fn shape(&self) -> impl fmt::Display {
        fmt::from_fn(|f| {
            write!(f, "{}:", self.id)?;
            for stage in &self.modelled.graph.stages {
                write!(f, " {}×{}", stage.id, stage.tasks.len())?;
                let mut links = ["←"].into_iter().chain(iter::repeat("+"));
                for (input, link) in stage.inputs.iter().zip(&mut links) {
                    write!(f, "{link}{}", input.stage)?;
                }
            }
            Ok(())
        })
    }
}

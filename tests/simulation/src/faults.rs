//! Which faults a seed has, and how likely each is. Swarm testing: each is off with p = 0.35, else uniform up to its maximum, so that
//! some seeds know one fault alone and others all of them.

use crate::random::chance;
use rand::Rng;
use rand::rngs::SmallRng;

const OFF: f64 = 0.35;

/// Probabilities per invocation, unless stated.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Faults {
    /// The answer never comes; half of the time the driver notices five seconds after the deadline.
    pub lost: f64,
    /// The answer comes twice.
    pub duplicate_answer: f64,
    /// The attempt is executed twice, with two nonces.
    pub duplicate_execution: f64,
    /// The answer comes after nobody waits for it.
    pub late: f64,
    pub straggler: f64,
    pub transient: f64,
    pub environment_lost: f64,
    pub memory: f64,
    pub broken: f64,
    pub user_error: f64,
    /// The report is no answer to its spec.
    pub malformed: f64,
    /// A burst of throttling begins.
    pub throttled: f64,
    /// The published object is lost some time later.
    pub object_lost: f64,
    /// Per query.
    pub canceled: f64,
    /// Per seed: from some moment on nothing runs any more.
    pub fleet_dead: f64,
    /// Per task: it always needs a larger function, or one larger than there is.
    pub hungry: f64,
    /// Per task: whatever it publishes is lost at once.
    pub cursed: f64,
    /// Per stage: running a task again gives other rows.
    pub nondeterministic: f64,
}

/// Draws probabilities.
pub(crate) struct Swarm<'a>(pub &'a mut SmallRng);

impl Swarm<'_> {
    pub fn up_to(&mut self, max: f64) -> f64 {
        let off = chance(self.0, OFF);
        let probability = self.0.random::<f64>() * max;
        if off { 0.0 } else { probability }
    }
}

impl Faults {
    pub fn draw(stream: &mut SmallRng) -> Faults {
        let mut swarm = Swarm(stream);
        let mut up_to = |max: f64| swarm.up_to(max);
        Faults {
            lost: up_to(0.10),
            duplicate_answer: up_to(0.30),
            duplicate_execution: up_to(0.30),
            late: up_to(0.10),
            straggler: up_to(0.20),
            transient: up_to(0.20),
            environment_lost: up_to(0.25),
            memory: up_to(0.10),
            broken: up_to(0.10),
            user_error: up_to(0.01),
            malformed: up_to(0.05),
            throttled: up_to(0.30),
            object_lost: up_to(0.15),
            canceled: up_to(0.20),
            fleet_dead: up_to(0.05),
            hungry: up_to(0.01),
            cursed: up_to(0.01),
            nondeterministic: up_to(0.60),
        }
    }

    pub const NONE: Faults = Faults {
        lost: 0.0,
        duplicate_answer: 0.0,
        duplicate_execution: 0.0,
        late: 0.0,
        straggler: 0.0,
        transient: 0.0,
        environment_lost: 0.0,
        memory: 0.0,
        broken: 0.0,
        user_error: 0.0,
        malformed: 0.0,
        throttled: 0.0,
        object_lost: 0.0,
        canceled: 0.0,
        fleet_dead: 0.0,
        hungry: 0.0,
        cursed: 0.0,
        nondeterministic: 0.0,
    };
}

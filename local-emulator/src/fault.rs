//! Seeded faults: the rules a test switches on, at start or over HTTP, and the dice they are drawn with. What a fault does
//! stands with its service: `s3/fault.rs`, `sqs/fault.rs`, `lambda/fault.rs`.

#[cfg(test)]
mod tests;

use std::sync::{Mutex, MutexGuard};

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};

use crate::lambda::LambdaFault;
use crate::s3::S3Fault;
use crate::sqs::SqsFault;

/// Which faults happen, and the seed that says when. The default has none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FaultSettings {
    /// One stream of chance per service is derived from it.
    pub seed: u64,
    pub s3: Vec<FaultRule<S3Fault>>,
    pub sqs: Vec<FaultRule<SqsFault>>,
    pub lambda: Vec<FaultRule<LambdaFault>>,
}

/// One fault: what, how often, to whom, and how many times at most.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRule<K> {
    pub fault: K,
    /// From 0 to 1, per request that it could happen to.
    #[serde(default = "always")]
    pub probability: f64,
    /// Prefix of what it may happen to: `bucket/key`, a queue's name, a function's name. Empty means all.
    #[serde(default)]
    pub target: String,
    /// After so many times the rule is spent; `None` never is.
    #[serde(default)]
    pub count_max: Option<u64>,
}

impl<K> FaultRule<K> {
    /// Strikes every time, whatever begins with `target`.
    pub fn always(fault: K, target: &str) -> FaultRule<K> {
        FaultRule {
            fault,
            probability: always(),
            target: target.to_owned(),
            count_max: None,
        }
    }
}

fn always() -> f64 {
    1.0
}

/// The rules of one service, in their order, with a stream of chance of their own.
#[derive(Debug)]
pub(crate) struct Dice<K>(Mutex<State<K>>);

#[derive(Debug)]
struct State<K> {
    rules: Vec<(FaultRule<K>, u64)>,
    random: SmallRng,
}

/// A rule and how often it has happened, as `GET /_emulator/faults` shows it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Drawn<K> {
    #[serde(flatten)]
    pub rule: FaultRule<K>,
    pub fired: u64,
}

impl<K: Clone> Dice<K> {
    pub fn new(rules: Vec<FaultRule<K>>, seed: u64) -> Dice<K> {
        Dice(Mutex::new(State::new(rules, seed)))
    }

    /// Forgets the old rules, their counts and their place in the stream.
    pub fn replace(&self, rules: Vec<FaultRule<K>>, seed: u64) {
        *self.lock() = State::new(rules, seed);
    }

    /// The first rule in order that fits `target`, is `eligible`, is not spent, and whose chance comes up.
    pub fn draw(&self, target: &str, eligible: impl Fn(&K) -> bool) -> Option<K> {
        let mut state = self.lock();
        let State { rules, random } = &mut *state;
        let (rule, fired) = rules.iter_mut().find(|(rule, fired)| {
            target.starts_with(&rule.target)
                && rule.count_max.is_none_or(|most| *fired < most)
                && eligible(&rule.fault)
                && rule.probability > 0.0
                && random.random_bool(rule.probability.min(1.0))
        })?;
        *fired += 1;
        Some(rule.fault.clone())
    }

    /// A number below `bound` from the same stream: which byte to flip, how long to wait.
    pub fn below(&self, bound: u64) -> u64 {
        self.lock().random.random_range(0..bound.max(1))
    }

    pub fn drawn(&self) -> Vec<Drawn<K>> {
        let state = self.lock();
        let drawn = |(rule, fired): &(FaultRule<K>, u64)| Drawn {
            rule: rule.clone(),
            fired: *fired,
        };
        state.rules.iter().map(drawn).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State<K>> {
        self.0.lock().expect("drawing does not panic")
    }
}

impl<K> State<K> {
    fn new(rules: Vec<FaultRule<K>>, seed: u64) -> State<K> {
        State {
            rules: rules.into_iter().map(|rule| (rule, 0)).collect(),
            random: SmallRng::seed_from_u64(seed),
        }
    }
}

/// The dice of all services, which the control pages throw anew.
#[derive(Debug)]
pub(crate) struct Faults {
    pub s3: Dice<S3Fault>,
    pub sqs: Dice<SqsFault>,
    pub lambda: Dice<LambdaFault>,
}

impl Faults {
    pub fn new(settings: FaultSettings) -> Faults {
        let [s3, sqs, lambda] = seeds(settings.seed);
        Faults {
            s3: Dice::new(settings.s3, s3),
            sqs: Dice::new(settings.sqs, sqs),
            lambda: Dice::new(settings.lambda, lambda),
        }
    }

    pub fn replace(&self, settings: FaultSettings) {
        let [s3, sqs, lambda] = seeds(settings.seed);
        self.s3.replace(settings.s3, s3);
        self.sqs.replace(settings.sqs, sqs);
        self.lambda.replace(settings.lambda, lambda);
    }
}

/// A stream each, so that requests to one service do not move the chance of another.
fn seeds(seed: u64) -> [u64; 3] {
    [1, 2, 3].map(|stream: u64| seed.wrapping_mul(4).wrapping_add(stream))
}

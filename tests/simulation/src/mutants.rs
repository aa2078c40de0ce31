//! Breaks one rule of the scheduler after another and looks whether a seed notices. A rule whose loss nobody notices is not tested.

use crate::campaign::threads;
use crate::trace::Tracing;
use crate::world::{price_book, run};
use mayfly_schedule::mutant::{self, Mutant};
use std::any::Any;
use std::fmt;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// What became of a mutant.
#[derive(Clone, Debug)]
pub struct Fate {
    pub mutant: Mutant,
    /// Seeds that ran.
    pub seeds: u64,
    /// The rule that the last of them broke.
    pub death: Option<String>,
}

impl Fate {
    /// Whether nobody noticed a rule that matters.
    pub fn is_unnoticed(&self) -> bool {
        self.death.is_none()
    }
}

/// Runs each mutant from the first seed on, until one breaks or so many have passed. A panic is a death: asserts are rules, too.
pub fn run_all(mutants: &[Mutant], start: u64, seeds_max: u64) -> Vec<Fate> {
    panic::set_hook(Box::new(|_| {}));
    let next = AtomicUsize::new(0);
    let share = || {
        let take = || mutants.get(next.fetch_add(1, Ordering::Relaxed));
        std::iter::from_fn(take)
            .map(|mutant| fate(*mutant, start, seeds_max))
            .collect()
    };
    let mut fates: Vec<Fate> = thread::scope(|scope| {
        let runners: Vec<_> = (0..threads()).map(|_| scope.spawn(share)).collect();
        let fates = runners
            .into_iter()
            .map(|runner| runner.join().expect("seeds catch their panics"));
        fates.collect::<Vec<Vec<Fate>>>().concat()
    });
    let _ = panic::take_hook();
    fates.sort_by_key(|fate| fate.mutant as usize);
    fates
}

fn fate(mutant: Mutant, start: u64, seeds_max: u64) -> Fate {
    let book = price_book();
    mutant::set(Some(mutant));
    let one = |seed: u64| {
        let result = panic::catch_unwind(AssertUnwindSafe(|| run(seed, &book, Tracing::Off).broken));
        result.unwrap_or_else(|panic| Some(format!("seed={seed} panicked: {}", message(panic.as_ref()))))
    };
    let death = (start..start + seeds_max).find_map(|seed| Some((seed, one(seed)?)));
    mutant::set(None);
    Fate {
        mutant,
        seeds: death.as_ref().map_or(seeds_max, |(seed, _)| seed - start + 1),
        death: death.map(|(_, what)| what),
    }
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("without a word")
}

/// `IgnorePins  killed after 3 seeds: seed=2 t=4.100 s …`
impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = format!("{:?}", self.mutant);
        match &self.death {
            Some(what) => write!(f, "{name:<26} killed after {} seeds: {what}", self.seeds),
            None => write!(f, "{name:<26} SURVIVED {} seeds", self.seeds),
        }
    }
}

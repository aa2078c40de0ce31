//! Many seeds on all cores. The one place here that owns threads; a seed itself knows none.

use crate::coverage::Coverage;
use crate::trace::Tracing;
use crate::world::{price_book, run};
use std::num::NonZeroUsize;
use std::panic::{self, AssertUnwindSafe};
use std::thread;

/// Every so many seeds one runs twice, and both runs must be the same to the last line.
const TWICE_EVERY: u64 = 1_000;

/// Broken seeds that a report lists.
const BROKEN_LISTED_MAX: usize = 20;

/// Which seeds to run.
#[derive(Clone, Copy, Debug)]
pub struct Campaign {
    pub start: u64,
    pub seeds: u64,
}

/// How they went.
#[derive(Clone, Debug, Default)]
pub struct Report {
    pub seeds: u64,
    pub broken: u64,
    /// The first few, in order of their seeds.
    pub listed: Vec<(u64, String)>,
    pub coverage: Coverage,
    pub repeated: u64,
}

impl Campaign {
    /// Runs all seeds, each thread every n-th.
    pub fn run(&self) -> Report {
        let threads = threads();
        let reports = thread::scope(|scope| {
            let runners: Vec<_> = (0..threads)
                .map(|nth| scope.spawn(move || self.share(nth, threads)))
                .collect();
            let join =
                |runner: thread::ScopedJoinHandle<'_, Report>| runner.join().expect("panics of seeds are caught");
            runners.into_iter().map(join).collect::<Vec<_>>()
        });
        let mut sum = Report::default();
        reports.iter().for_each(|report| sum.merge(report));
        sum.listed.sort();
        sum.listed.truncate(BROKEN_LISTED_MAX);
        sum
    }

    fn share(&self, nth: u64, threads: u64) -> Report {
        let book = price_book();
        let mut report = Report::default();
        for seed in (self.start + nth..self.start + self.seeds).step_by(threads as usize) {
            let is_twice = seed % TWICE_EVERY == 0;
            let tracing = if is_twice { Tracing::Hash } else { Tracing::Off };
            report.seeds += 1;
            let ran = caught(|| {
                let first = run(seed, &book, tracing);
                let differs = is_twice && run(seed, &book, tracing) != first;
                (first, differs)
            });
            report.repeated += u64::from(is_twice);
            match ran {
                Ok((first, differs)) => {
                    report.coverage.merge(&first.coverage);
                    let differs = differs.then(|| format!("seed={seed} two runs differ"));
                    first
                        .broken
                        .or(differs)
                        .into_iter()
                        .for_each(|what| report.add(seed, what));
                }
                Err(panic) => report.add(seed, format!("seed={seed} panicked: {panic}")),
            }
        }
        report
    }
}

/// A panic is what a seed found, not the end of the campaign.
fn caught<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    panic::catch_unwind(AssertUnwindSafe(run)).map_err(|payload| {
        let text = payload.downcast_ref::<String>().cloned();
        let text = text.or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        text.unwrap_or_else(|| "without a word".to_owned())
    })
}

pub(crate) fn threads() -> u64 {
    thread::available_parallelism().map_or(1, NonZeroUsize::get) as u64
}

impl Report {
    fn add(&mut self, seed: u64, what: String) {
        self.broken += 1;
        if self.listed.len() < BROKEN_LISTED_MAX {
            self.listed.push((seed, what));
        }
    }

    fn merge(&mut self, other: &Report) {
        self.seeds += other.seeds;
        self.broken += other.broken;
        self.repeated += other.repeated;
        self.listed.extend(other.listed.iter().cloned());
        self.coverage.merge(&other.coverage);
    }
}

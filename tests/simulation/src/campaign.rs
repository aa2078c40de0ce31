//! Many seeds on all cores. The one place here that owns threads; a seed itself knows none.

use crate::coverage::Coverage;
use crate::trace::Tracing;
use crate::world::{price_book, run};
use std::num::NonZeroUsize;
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
            let join = |runner: thread::ScopedJoinHandle<'_, Report>| {
                runner.join().expect("a seed that panics is a broken test")
            };
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
            let first = run(seed, &book, tracing);
            report.seeds += 1;
            report.coverage.merge(&first.coverage);
            let mut broken = first.broken.clone();
            if is_twice {
                report.repeated += 1;
                let second = run(seed, &book, tracing);
                if second != first {
                    broken.get_or_insert(format!("seed={seed} two runs differ"));
                }
            }
            if let Some(what) = broken {
                report.broken += 1;
                if report.listed.len() < BROKEN_LISTED_MAX {
                    report.listed.push((seed, what));
                }
            }
        }
        report
    }
}

pub(crate) fn threads() -> u64 {
    thread::available_parallelism().map_or(1, NonZeroUsize::get) as u64
}

impl Report {
    fn merge(&mut self, other: &Report) {
        self.seeds += other.seeds;
        self.broken += other.broken;
        self.repeated += other.repeated;
        self.listed.extend(other.listed.iter().cloned());
        self.coverage.merge(&other.coverage);
    }
}

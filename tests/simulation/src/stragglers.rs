//! What copies are worth: queries of a stage of two hundred tasks, of which one in a hundred is ten times as slow as it should be.
//! The same queries run clean, with stragglers, and with stragglers and copies; compared are the p99 of their time and their bill.
//!
//! Left out: every other fault (see `world`), and the auditor. A straggler that has lost runs to its end and is billed: nothing kills it.
//!
//! A task reads 32 to 96 MiB at 32 MiB/s, give or take (a log-normal factor of σ = 0.2), and one start in ten is cold. A straggler
//! is slow because of where it runs: its copy runs elsewhere, and straggles as seldom as any other if `Model::copies_straggle`.

mod query;

use crate::campaign::threads;
use mayfly_schedule::Speculation;
use std::fmt;
use std::thread;

/// What may go wrong in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Model {
    /// Whether one first attempt in a hundred straggles.
    pub attempts_straggle: bool,
    /// Whether copies straggle as often.
    pub copies_straggle: bool,
    pub speculation: Option<Speculation>,
}

impl Model {
    pub const CLEAN: Model = Model {
        attempts_straggle: false,
        copies_straggle: false,
        speculation: None,
    };

    pub const UNSPECULATED: Model = Model {
        attempts_straggle: true,
        ..Model::CLEAN
    };
}

/// How the queries of a run went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// From submission to the end, by query, ascending.
    pub latency_ms: Vec<u64>,
    /// Of all attempts, those included that ended after their query.
    pub billed_ms: u64,
    pub copies: u64,
    pub copies_won: u64,
}

impl Outcome {
    /// The latency that so many in a thousand queries do not exceed.
    pub fn quantile_ms(&self, per_mille: usize) -> u64 {
        let nth = (self.latency_ms.len() * per_mille).div_ceil(1_000);
        self.latency_ms[nth.saturating_sub(1)]
    }

    fn merge(&mut self, other: Outcome) {
        self.latency_ms.extend(other.latency_ms);
        self.billed_ms += other.billed_ms;
        self.copies += other.copies;
        self.copies_won += other.copies_won;
    }
}

/// Runs so many queries on all cores.
pub fn run(queries: u64, model: Model) -> Outcome {
    let threads = threads();
    let outcomes = thread::scope(|scope| {
        let runners: Vec<_> = (0..threads)
            .map(|nth| scope.spawn(move || share((nth..queries).step_by(threads as usize), model)))
            .collect();
        let join = |runner: thread::ScopedJoinHandle<'_, Outcome>| {
            runner.join().expect("a query that panics is a broken test")
        };
        runners.into_iter().map(join).collect::<Vec<_>>()
    });
    let mut sum = Outcome::default();
    outcomes.into_iter().for_each(|outcome| sum.merge(outcome));
    sum.latency_ms.sort_unstable();
    sum
}

fn share(seeds: impl Iterator<Item = u64>, model: Model) -> Outcome {
    let mut sum = Outcome::default();
    seeds.for_each(|seed| sum.merge(query::run(seed, model)));
    sum
}

/// The same queries clean, with stragglers, and with stragglers and copies; and what copies cost and do where none is needed.
#[derive(Clone, Debug)]
pub struct Comparison {
    pub clean: Outcome,
    pub clean_speculated: Outcome,
    pub straggling: Outcome,
    pub speculated: Outcome,
    /// With copies that straggle as often as first attempts.
    pub straggling_copies: Outcome,
}

impl Comparison {
    pub fn run(queries: u64, speculation: Speculation) -> Comparison {
        let speculation = Some(speculation);
        let with = |model: Model| run(queries, Model { speculation, ..model });
        let copies_straggle = true;
        Comparison {
            clean: run(queries, Model::CLEAN),
            clean_speculated: with(Model::CLEAN),
            straggling: run(queries, Model::UNSPECULATED),
            speculated: with(Model::UNSPECULATED),
            straggling_copies: with(Model {
                copies_straggle,
                ..Model::UNSPECULATED
            }),
        }
    }

    /// The p99 with stragglers and copies, over the clean one.
    pub fn p99_ratio(&self) -> f64 {
        self.speculated.quantile_ms(990) as f64 / self.clean.quantile_ms(990) as f64
    }

    /// What was billed with stragglers and copies, over what was billed without copies.
    pub fn billed_ratio(&self) -> f64 {
        self.speculated.billed_ms as f64 / self.straggling.billed_ms as f64
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let runs = [
            ("clean", &self.clean),
            ("clean, speculated", &self.clean_speculated),
            ("stragglers", &self.straggling),
            ("stragglers, speculated", &self.speculated),
            ("stragglers among copies", &self.straggling_copies),
        ];
        for (name, run) in runs {
            let (p50, p90, p99) = (run.quantile_ms(500), run.quantile_ms(900), run.quantile_ms(990));
            writeln!(
                f,
                "{name:<24} p50 {p50:>6} ms  p90 {p90:>6} ms  p99 {p99:>6} ms  billed {:>12} ms  {} copies, {} won",
                run.billed_ms, run.copies, run.copies_won
            )?;
        }
        let (p99, billed) = (self.p99_ratio(), self.billed_ratio());
        write!(
            f,
            "p99 ratio {p99:.3} x of clean, billed ratio {billed:.3} x of unspeculated"
        )
    }
}

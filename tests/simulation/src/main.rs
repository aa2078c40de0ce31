//! `mayfly-simulation --seeds N` runs a campaign; `--seed N --trace` replays one seed, line by line; `--stragglers` measures what
//! copies are worth; `--mutants`, with the feature `mutants`, breaks the scheduler's rules one by one.

use clap::Parser;
use mayfly_schedule::Speculation;
use mayfly_simulation::stragglers::Comparison;
use mayfly_simulation::world::price_book;
use mayfly_simulation::{Campaign, Tracing, run};
use std::process::ExitCode;

/// Drives the real scheduler through a modelled cloud with seeded faults.
#[derive(Parser)]
struct Arguments {
    /// How many seeds to run: 10,000 unless stated, and of each mutant at most 200,000.
    #[arg(long)]
    seeds: Option<u64>,
    /// The first of them.
    #[arg(long, default_value_t = 0)]
    start: u64,
    /// Run this seed alone.
    #[arg(long)]
    seed: Option<u64>,
    /// With --seed: print everything that happens.
    #[arg(long, requires = "seed")]
    trace: bool,
    /// Compare queries with and without stragglers and copies.
    #[arg(long)]
    stragglers: bool,
    /// Break each rule of the scheduler until a seed notices.
    #[cfg(feature = "mutants")]
    #[arg(long)]
    mutants: bool,
    /// With --mutants: this one alone.
    #[cfg(feature = "mutants")]
    #[arg(long, requires = "mutants")]
    only: Option<String>,
}

const SEEDS: u64 = 10_000;
#[cfg(feature = "mutants")]
const SEEDS_OF_A_MUTANT: u64 = 200_000;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    #[cfg(feature = "mutants")]
    if arguments.mutants {
        let seeds = arguments.seeds.unwrap_or(SEEDS_OF_A_MUTANT);
        return mutants(arguments.start, seeds, arguments.only.as_deref());
    }
    let seeds = arguments.seeds.unwrap_or(SEEDS);
    let broken = match arguments.seed {
        Some(seed) => replay(seed, arguments.trace),
        None if arguments.stragglers => stragglers(seeds),
        None => campaign(arguments.start, seeds),
    };
    if broken == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn replay(seed: u64, trace: bool) -> u64 {
    let tracing = if trace { Tracing::HashAndKeep } else { Tracing::Hash };
    let run = run(seed, &price_book(), tracing);
    print!("{}", run.trace);
    println!("seed={seed} hash={:016x}", run.hash);
    match run.broken {
        Some(broken) => {
            println!("{broken}");
            1
        }
        None => 0,
    }
}

/// Prints the comparison; nothing of it is wrong or right here, see `tests/stragglers.rs`.
fn stragglers(queries: u64) -> u64 {
    println!("{}", Comparison::run(queries, Speculation::default()));
    0
}

#[cfg(feature = "mutants")]
fn mutants(start: u64, seeds: u64, only: Option<&str>) -> ExitCode {
    use mayfly_schedule::mutant::Mutant;
    use mayfly_simulation::mutants::Fate;
    let is_chosen = |mutant: &&Mutant| only.is_none_or(|name| format!("{mutant:?}") == name);
    let chosen: Vec<Mutant> = Mutant::ALL.iter().filter(is_chosen).copied().collect();
    let fates = mayfly_simulation::mutants::run_all(&chosen, start, seeds);
    fates.iter().for_each(|fate| println!("{fate}"));
    let died = fates.iter().filter(|fate| fate.death.is_some()).count();
    println!("{died} of {} mutants died", fates.len());
    match fates.iter().any(Fate::is_unnoticed) {
        true => ExitCode::FAILURE,
        false => ExitCode::SUCCESS,
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "how fast a campaign ran is not part of any seed"
)]
fn campaign(start: u64, seeds: u64) -> u64 {
    let began = std::time::Instant::now();
    let report = Campaign { start, seeds }.run();
    let seconds = began.elapsed().as_secs_f64();
    print!("{}", report.coverage);
    for (_, broken) in &report.listed {
        println!("{broken}");
    }
    println!(
        "{:.0} seeds/s, {} run twice and compared",
        report.seeds as f64 / seconds,
        report.repeated
    );
    println!("{} seeds, {} broken", report.seeds, report.broken);
    report.broken
}

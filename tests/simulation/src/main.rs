//! `mayfly-simulation --seeds N` runs a campaign; `--seed N --trace` replays one seed, line by line.

use clap::Parser;
use mayfly_simulation::world::price_book;
use mayfly_simulation::{Campaign, run};
use std::process::ExitCode;

/// Drives the real scheduler through a modelled cloud with seeded faults.
#[derive(Parser)]
struct Arguments {
    /// How many seeds to run.
    #[arg(long, default_value_t = 10_000)]
    seeds: u64,
    /// The first of them.
    #[arg(long, default_value_t = 0)]
    start: u64,
    /// Run this seed alone.
    #[arg(long)]
    seed: Option<u64>,
    /// With --seed: print everything that happens.
    #[arg(long, requires = "seed")]
    trace: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let broken = match arguments.seed {
        Some(seed) => replay(seed, arguments.trace),
        None => campaign(arguments.start, arguments.seeds),
    };
    if broken == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn replay(seed: u64, trace: bool) -> u64 {
    let run = run(seed, &price_book(), trace);
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

//! Figures as text: medians per query, totals, ratios.

use std::time::Duration;

/// One side's reading of one query in one round.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reading {
    pub wall: Duration,
    pub cpu: Duration,
}

/// What only our side has.
#[derive(Clone, Debug, Default)]
pub struct Detail {
    pub emulator: Duration,
    pub tasks: u64,
    pub gets: u64,
    pub puts: u64,
    pub shuffled_bytes: u64,
    pub cost: String,
}

/// All rounds of one query.
#[derive(Clone, Debug, Default)]
pub struct Row {
    pub number: u32,
    pub ours: Vec<Reading>,
    pub peer: Vec<Reading>,
    pub detail: Detail,
}

fn median(readings: &[Reading], pick: impl Fn(&Reading) -> Duration) -> Duration {
    let mut values: Vec<Duration> = readings.iter().map(pick).collect();
    values.sort();
    values.get(values.len() / 2).copied().unwrap_or_default()
}

fn seconds(duration: Duration) -> f64 {
    duration.as_secs_f64()
}

pub fn print(rows: &[Row]) {
    println!(
        "query  wall s  (DataFusion)  cpu s  (DataFusion)  emulator cpu s  tasks   gets   puts  shuffled MB  bill"
    );
    let mut totals = [Duration::ZERO; 5];
    for row in rows {
        let values = [
            median(&row.ours, |reading| reading.wall),
            median(&row.peer, |reading| reading.wall),
            median(&row.ours, |reading| reading.cpu),
            median(&row.peer, |reading| reading.cpu),
            row.detail.emulator,
        ];
        totals.iter_mut().zip(values).for_each(|(total, value)| *total += value);
        let [wall, peer_wall, cpu, peer_cpu, emulator] = values.map(seconds);
        let Detail {
            tasks,
            gets,
            puts,
            shuffled_bytes,
            cost,
            ..
        } = &row.detail;
        println!(
            "q{:02}   {wall:7.3} {peer_wall:13.3} {cpu:6.2} {peer_cpu:13.2} {emulator:15.2} {tasks:6} {gets:6} {puts:6} {:12.1}  {cost}",
            row.number,
            *shuffled_bytes as f64 / 1e6,
        );
    }
    let [wall, peer_wall, cpu, peer_cpu, emulator] = totals.map(seconds);
    println!("total {wall:7.3} {peer_wall:13.3} {cpu:6.2} {peer_cpu:13.2} {emulator:15.2}");
    println!(
        "wall ratio {:.2} x, cpu ratio {:.2} x",
        wall / peer_wall,
        cpu / peer_cpu
    );
}

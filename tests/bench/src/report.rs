//! Figures as text: medians per query, totals, ratios.

use comfy_table::Table;
use comfy_table::presets::NOTHING;
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
    pub read_bytes: u64,
    pub shuffled_bytes: u64,
    pub cost_usd: f64,
    /// Records of the journal, and how long they took to write.
    pub records: u64,
    pub journal: Duration,
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

/// Columns of the table, in order.
const HEADINGS: [&str; 12] = [
    "query",
    "wall s",
    "DataFusion",
    "cpu s",
    "DataFusion",
    "emulator cpu s",
    "tasks",
    "GET",
    "PUT",
    "read MB",
    "shuffled MB",
    "bill $",
];

pub fn print(rows: &[Row]) {
    let mut table = Table::new();
    table.load_preset(NOTHING).set_header(HEADINGS);
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
        table.add_row(cells(format!("q{:02}", row.number), values, Some(&row.detail)));
    }
    table.add_row(cells("total".to_owned(), totals, None));
    println!("{table}");
    let [wall, peer_wall, cpu, peer_cpu, _] = totals.map(seconds);
    println!(
        "wall ratio {:.2} x, cpu ratio {:.2} x",
        wall / peer_wall,
        cpu / peer_cpu
    );
    print_journal(rows, wall);
}

/// What the journal can have held the queries up at most: records are also written while tasks run.
fn print_journal(rows: &[Row], wall: f64) {
    let took: Duration = rows.iter().map(|row| row.detail.journal).sum();
    let records: u64 = rows.iter().map(|row| row.detail.records).sum();
    let tasks: u64 = rows.iter().map(|row| row.detail.tasks).sum();
    println!(
        "journal: {records} records of {} queries with {tasks} tasks, {:.2} % of wall",
        rows.len(),
        100.0 * seconds(took) / wall
    );
}

fn cells(name: String, values: [Duration; 5], detail: Option<&Detail>) -> Vec<String> {
    let mut cells = vec![name];
    cells.extend(values.map(|value| format!("{:.3}", seconds(value))));
    if let Some(detail) = detail {
        cells.extend([detail.tasks, detail.gets, detail.puts].map(|count| count.to_string()));
        cells.extend([detail.read_bytes, detail.shuffled_bytes].map(|bytes| format!("{:.1}", bytes as f64 / 1e6)));
        cells.push(format!("{:.6}", detail.cost_usd));
    }
    cells
}

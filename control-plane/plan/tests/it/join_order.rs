//! Random joins of random tables: in whichever order they are planned, the rows are those of DataFusion, which keeps the order written.

use crate::world::{Layout, World, forced, session};
use crate::{cluster, oracle};
use arrow::array::{ArrayRef, Int64Array, StringArray};
use arrow::record_batch::RecordBatch;
use std::sync::Arc;

/// Rows of the tables r0, r1, ….
const ROWS: [usize; 6] = [0, 3, 25, 60, 120, 400];

/// Different keys: a join of the two longest tables yields some thousand rows.
const KEYS: u64 = 40;

const QUERIES: u64 = 60;

/// Steps of Marsaglia's xorshift64.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end.max(1)
    }

    fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }
}

/// Three keys with NULLs among them, of wide and narrow ranges; a value; a text.
fn table(random: &mut Random, rows: usize) -> RecordBatch {
    let mut keys = |width: u64| -> ArrayRef {
        let key = |_| (!random.one_in(12)).then(|| random.below(KEYS / width) as i64);
        Arc::new((0..rows).map(key).collect::<Int64Array>())
    };
    let (k0, k1, k2) = (keys(1), keys(1), keys(4));
    let v: ArrayRef = Arc::new(
        (0..rows)
            .map(|_| Some(random.below(100) as i64))
            .collect::<Int64Array>(),
    );
    let text = |_| Some(format!("t{}", random.below(5)));
    let t: ArrayRef = Arc::new((0..rows).map(text).collect::<StringArray>());
    RecordBatch::try_from_iter([("k0", k0), ("k1", k1), ("k2", k2), ("v", v), ("t", t)]).unwrap()
}

async fn world() -> World {
    let world = World::empty().await;
    let mut random = Random(88_172_645_463_325_252);
    for (at, rows) in ROWS.into_iter().enumerate() {
        let layout = Layout {
            files: 2,
            rows_per_group: 50,
        };
        world
            .table(&format!("r{at}"), &[table(&mut random, rows)], layout)
            .await;
    }
    world
}

/// A query whose joins are connected; some inputs are no tables, and some conditions no equalities.
fn query(random: &mut Random) -> String {
    let count = 3 + random.below(3);
    let mut conditions = Vec::new();
    for at in 1..count {
        let with = random.below(at);
        conditions.push(format!("a{at}.k{} = a{with}.k{}", random.below(3), random.below(3)));
    }
    if random.one_in(2) {
        conditions.push(format!("a0.k{0} = a{1}.k{0}", random.below(3), count - 1));
    }
    for _ in 0..random.below(4) {
        conditions.push(condition(random, count));
    }
    let inputs: Vec<String> = (0..count).map(|at| input(random, at)).collect();
    let sums: Vec<String> = (1..count).map(|at| format!("sum(a{at}.v), max(a{at}.t)")).collect();
    format!(
        "SELECT a0.k0, count(*), {} FROM {} WHERE {} GROUP BY a0.k0",
        sums.join(", "),
        inputs.join(", "),
        conditions.join(" AND ")
    )
}

fn condition(random: &mut Random, count: u64) -> String {
    let (one, other) = (random.below(count), random.below(count));
    match random.below(6) {
        0 => format!("a{one}.v < {}", random.below(100)),
        1 => format!("a{one}.t = 't{}'", random.below(6)),
        2 => format!("a{one}.v < a{other}.v + {}", random.below(50)),
        3 => format!("(a{one}.t = 't1' AND a{other}.v > 10 OR a{one}.t = 't2' AND a{other}.v < 90)"),
        4 => format!("a{one}.k1 IN (SELECT k2 FROM r3 WHERE v > {})", random.below(100)),
        _ => format!("a{one}.k{} IS NOT NULL", random.below(3)),
    }
}

fn input(random: &mut Random, at: u64) -> String {
    let table = random.below(ROWS.len() as u64 + 4).max(4) % ROWS.len() as u64;
    match random.below(8) {
        0 => format!("(SELECT k0, k1, max(k2) AS k2, sum(v) AS v, min(t) AS t FROM r{table} GROUP BY k0, k1) a{at}"),
        1 => format!("(SELECT x.k0, y.k1, x.k2, x.v, x.t FROM r{table} x LEFT JOIN r2 y ON x.k0 = y.k0) a{at}"),
        2 => format!("(SELECT x.k0, y.k1, x.k2, y.v, x.t FROM r{table} x JOIN r2 y ON x.k0 = y.k1) a{at}"),
        _ => format!("r{table} a{at}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn random_joins_yield_the_rows_of_the_order_written() {
    let world = world().await;
    let oracle = oracle::context(&world, &["r0", "r1", "r2", "r3", "r4", "r5"]).await;
    let mut reordered = 0;
    for seed in 1..=QUERIES {
        let sql = query(&mut Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15)));
        let written = oracle.sql(&sql).await.unwrap().into_optimized_plan().unwrap();
        let expected = oracle::rows(&oracle::answer(&oracle, &sql).await, false);
        for session in [session(&[]), session(&[("target_partitions", "3")]), forced("2")] {
            let Ok(mayfly_plan::Planned::Query(planned)) = world.run_in(&sql, &session).await else {
                // Nothing can match: there is no row to read.
                assert!(expected.is_empty(), "seed={seed} {sql}");
                continue;
            };
            let found = cluster::run(&world, &planned)
                .await
                .unwrap_or_else(|error| panic!("seed={seed} {sql}: {error}"));
            let found = oracle::rows(&found, false);
            assert_eq!(expected, found, "seed={seed} {sql}\n{}", planned.text.logical);
            reordered += usize::from(tables(&planned.text.logical) != tables(&written.display_indent().to_string()));
        }
    }
    assert!(
        reordered > QUERIES as usize / 4,
        "only {reordered} plans have another order"
    );
}

/// The tables of a plan in their order.
fn tables(plan: &str) -> Vec<&str> {
    let scan = |line: &&str| line.trim_start().starts_with("TableScan");
    plan.lines()
        .filter(scan)
        .map(|line| line.trim_start().split(' ').nth(1).unwrap_or(""))
        .collect()
}

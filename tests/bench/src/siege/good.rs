//! The good queries: who asks them, and whether each was answered as in process.

use mayfly_end_to_end::client::Client;
use mayfly_end_to_end::oracle;
use mayfly_end_to_end::table::Table;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const QUERIES: [&str; 8] = [
    "SELECT n_regionkey, count(*) FROM nation GROUP BY n_regionkey",
    "SELECT l_returnflag, l_linestatus, count(*), sum(l_quantity), max(l_comment) FROM lineitem GROUP BY 1, 2",
    "SELECT o_orderpriority, count(*), max(l_comment) FROM orders JOIN lineitem ON o_orderkey = l_orderkey \
     WHERE o_totalprice > 100000 GROUP BY 1",
    "SELECT o_orderkey, o_totalprice FROM orders WHERE o_orderdate < DATE '1993-01-01' ORDER BY o_totalprice, o_orderkey",
    "SELECT o_orderkey, row_number() OVER (PARTITION BY o_custkey ORDER BY o_orderkey) FROM orders WHERE o_orderkey % 7 = 0",
    "SELECT c_mktsegment, count(DISTINCT c_nationkey) FROM customer GROUP BY 1",
    "SELECT count(*) FROM part WHERE p_name LIKE '%green%'",
    "SELECT 1",
];

pub struct Good {
    queries: Arc<Vec<(&'static str, Table)>>,
}

/// How the good queries fared.
#[derive(Default)]
pub struct Verdict {
    right: usize,
    wrong: Vec<String>,
    times: Vec<Duration>,
}

impl Good {
    pub async fn new(files: &Path) -> Good {
        let context = oracle::context(files, 2).await;
        let mut queries = Vec::new();
        for sql in QUERIES {
            queries.push((sql, oracle::answer(&context, sql).await));
        }
        Good {
            queries: Arc::new(queries),
        }
    }

    /// Each once, so that what the server keeps warm is there before it is measured.
    pub async fn warm_up(&self, client: &Client) {
        for (at, _) in self.queries.iter().enumerate() {
            let (fault, _) = one(&distributed(client, at), &self.queries, at).await;
            assert_eq!(fault, None, "before the siege");
        }
    }

    pub async fn ask(&self, client: &Client, count: usize, at_once: usize) -> Verdict {
        let next = Arc::new(AtomicUsize::new(0));
        let asking = (0..at_once).map(|_| {
            let (client, queries, next) = (client.clone(), self.queries.clone(), next.clone());
            tokio::spawn(async move {
                let mut verdict = Verdict::default();
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    if at >= count {
                        return verdict;
                    }
                    let (fault, time) = one(&distributed(&client, at), &queries, at).await;
                    verdict.note(fault, time);
                }
            })
        });
        let asking: Vec<_> = asking.collect();
        let mut verdict = Verdict::default();
        for asking in asking {
            verdict.absorb(asking.await.expect("a client does not panic"));
        }
        verdict
    }
}

/// Every second one in many tasks.
fn distributed(client: &Client, at: usize) -> Client {
    match at / QUERIES.len() % 2 {
        0 => client.clone(),
        _ => client
            .clone()
            .with("target_task_bytes", "64kB")
            .with("target_partitions", 1),
    }
}

async fn one(client: &Client, queries: &[(&'static str, Table)], at: usize) -> (Option<String>, Duration) {
    let (sql, expected) = &queries[at % queries.len()];
    let start = Instant::now();
    let fault = match client.query(sql).await {
        Ok(answer) => answer.table.difference(expected),
        Err(failure) => Some(format!("{failure:?}")),
    };
    (fault.map(|fault| format!("{sql}: {fault}")), start.elapsed())
}

impl Verdict {
    fn note(&mut self, fault: Option<String>, time: Duration) {
        self.times.push(time);
        match fault {
            None => self.right += 1,
            Some(fault) => self.wrong.push(fault),
        }
    }

    fn absorb(&mut self, other: Verdict) {
        self.right += other.right;
        self.wrong.extend(other.wrong);
        self.times.extend(other.times);
    }

    pub fn is_right(&self) -> bool {
        self.wrong.is_empty()
    }

    pub fn print(&self, took: Duration) {
        self.wrong.iter().for_each(|wrong| println!("WRONG {wrong}"));
        let mut times = self.times.clone();
        times.sort();
        let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64();
        println!(
            "good queries: {} of {} right in {:.0} s; half within {:.2} s, 99 of 100 within {:.1} s, all within {:.1} s",
            self.right,
            times.len(),
            took.as_secs_f64(),
            at(0.5),
            at(0.99),
            at(1.0)
        );
    }
}

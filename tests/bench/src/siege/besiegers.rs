//! The hostile side: each kind goes on, again and again, until the siege ends, and says how often it came.

use mayfly_end_to_end::bombs;
use mayfly_end_to_end::client::Client;
use mayfly_end_to_end::clock::Clock;
use mayfly_end_to_end::gate::Gate;
use mayfly_end_to_end::raw;
use mayfly_end_to_end::server::Server;
use serde_json::{Value, json};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::task::JoinHandle;

/// Hostile clients call from here; the good ones from 127.0.0.1.
const ENEMY: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
/// Connections that are held open, and taken anew, at a time.
const CONNECTIONS: usize = 1_500;
/// Registrations of one wave of the flood.
const FLOOD: usize = 200;
const ENDLESS: &str = "SELECT count(*) FROM lineitem a CROSS JOIN lineitem b CROSS JOIN orders c WHERE a.l_tax + b.l_tax > c.o_totalprice";
/// Any secret: the emulator's Lambda looks at the name alone.
const SIGNED: &str =
    "Authorization: AWS4-HMAC-SHA256 Credential=emulator/20261201/us-east-1/lambda/aws4_request, Signature=0";
/// Users' values that functions of DataFusion's panic on, or choke on.
const BAD_VALUES: [&str; 8] = [
    "SELECT lpad(n_name, CAST(-n_nationkey AS int)) FROM nation",
    "SELECT rpad(n_name, CAST(n_nationkey AS int) - 2000000000) FROM nation",
    "SELECT approx_percentile_cont(n_nationkey, 2.0) FROM nation",
    "SELECT regexp_replace(n_name, n_name || '(', 'x') FROM nation",
    "SELECT length(repeat(n_name, 2000000000)) FROM nation",
    "SELECT 1 / (n_nationkey - n_nationkey) FROM nation",
    "SELECT CAST(n_name AS bigint) FROM nation",
    "SELECT repeat(n_comment, 1000000) FROM nation",
];

/// Files that lie, each in the folder of a table: footers that promise too much, text that is none, values that nest without end.
pub fn files() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let footer = |meta: &[u8]| {
        let mut bytes = b"PAR1".to_vec();
        bytes.extend(meta);
        bytes.extend(u32::try_from(meta.len()).expect("small").to_le_bytes());
        bytes.extend(b"PAR1");
        bytes
    };
    // A list of 2^31 - 1 row groups; no footer at all.
    let many = footer(&[
        0x15, 2, 0x19, 0x1c, 0x48, 1, b'r', 0x15, 2, 0, 0x16, 0, 0x19, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x07,
    ]);
    let nested = |levels: usize| format!("{}1{}\n", "{\"a\":".repeat(levels), "}".repeat(levels));
    let (nests, nests_less) = (nested(3_000), nested(120));
    // A schema of 3,000 groups in one another.
    let group = [0x35, 0, 0x18, 1, b'a', 0x15, 2, 0];
    let leaf = [0x15, 2, 0x25, 0, 0x18, 1, b'a', 0];
    // The list has 3,001 elements.
    let schema = [&[0x15, 2, 0x19, 0xfc, 0xb9, 0x17][..], &group.repeat(3_000), &leaf];
    let deep = footer(&[&schema.concat()[..], &[0x16, 0, 0x19, 0x0c, 0]].concat());
    let cases: [(&str, &[u8]); 6] = [
        ("many/a.parquet", &many),
        ("deep/a.parquet", &deep),
        ("noise/a.parquet", &footer(&[0xff; 64])),
        ("nested/a.json", nests.as_bytes()),
        ("less/a.json", nests_less.as_bytes()),
        ("binary/a.csv", b"\x00\xff\xfe\x01,\x80\x81\n"),
    ];
    for (path, bytes) in cases {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("writable");
        std::fs::write(path, bytes).expect("writable");
    }
    folder
}

/// How often each kind came.
pub struct Deeds(Vec<(&'static str, u64)>);

impl Deeds {
    pub fn print(&self) {
        let kinds: Vec<String> = self.0.iter().map(|(kind, times)| format!("{times} {kind}")).collect();
        println!("besieged by {}", kinds.join(", "));
    }
}

pub struct Besiegers {
    kinds: Vec<(&'static str, JoinHandle<u64>)>,
    faults: String,
    client: Client,
}

impl Besiegers {
    pub fn begin(
        server: &Server,
        cloud: &Server,
        gate: Gate,
        clock: Clock,
        seed: u64,
        ended: Arc<AtomicBool>,
    ) -> Besiegers {
        let enemy = |user: &str| {
            let client = Client::new(&server.url, "tpch").of(user, ENEMY);
            client.with("max_run_time", "20s")
        };
        let faults = format!("{}/_emulator/faults", cloud.lambda);
        let kinds = vec![
            (
                "statements without end",
                tokio::spawn(bombs(enemy("bomber"), ended.clone())),
            ),
            ("endless joins", tokio::spawn(endless(enemy("joiner"), ended.clone()))),
            ("bad values", tokio::spawn(bad_values(enemy("valuer"), ended.clone()))),
            ("bad files", tokio::spawn(bad_files(enemy("filer"), ended.clone()))),
            ("large pages", tokio::spawn(large_pages(enemy("reader"), ended.clone()))),
            ("registrations", tokio::spawn(flood(enemy("flooder"), ended.clone()))),
            (
                "connections",
                tokio::spawn(connections(server.url.clone(), ended.clone())),
            ),
            (
                "calls by foreign names",
                tokio::spawn(strangers(
                    [&server.url, &cloud.s3, &cloud.lambda].map(String::clone),
                    ended.clone(),
                )),
            ),
            (
                "forged orders",
                tokio::spawn(forgers(cloud.lambda.clone(), ended.clone())),
            ),
            (
                "failures of one task of many",
                tokio::spawn(failures(enemy("failer"), ended.clone())),
            ),
            (
                "guesses",
                tokio::spawn(guesses(enemy("guesser"), server.url.clone(), ended.clone())),
            ),
            ("outages of Lambda", tokio::spawn(outages(gate, ended.clone()))),
            ("jumps of the clock", tokio::spawn(jumps(clock, ended.clone()))),
            (
                "days of faults",
                tokio::spawn(bad_days(enemy("-"), faults.clone(), seed, ended)),
            ),
        ];
        Besiegers {
            kinds,
            faults,
            client: enemy("-"),
        }
    }

    pub async fn end(self, ended: &AtomicBool) -> Deeds {
        ended.store(true, Ordering::Relaxed);
        let mut deeds = Vec::new();
        for (kind, task) in self.kinds {
            deeds.push((kind, task.await.unwrap_or_else(|error| panic!("{kind}: {error}"))));
        }
        self.client.put_json(&self.faults, &json!({})).await;
        Deeds(deeds)
    }
}

fn goes_on(ended: &AtomicBool) -> bool {
    !ended.load(Ordering::Relaxed)
}

async fn pause(ended: &AtomicBool, time: Duration) {
    const LOOK: Duration = Duration::from_millis(100);
    for _ in 0..time.as_millis() / LOOK.as_millis() {
        if goes_on(ended) {
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// Several at once, each after its first few seconds canceled.
async fn bombs(client: Client, ended: Arc<AtomicBool>) -> u64 {
    let all: Vec<String> = bombs::all().into_iter().map(|bomb| bomb.sql).collect();
    let mut thrown = 0;
    while goes_on(&ended) {
        let some = (0..4).map(|at| all[(thrown as usize + at) % all.len()].clone());
        let some = some.map(|sql| {
            let client = client.clone();
            tokio::spawn(async move { canceled_after(&client, &sql, Duration::from_secs(5)).await })
        });
        for bomb in some.collect::<Vec<_>>() {
            bomb.await.expect("a client does not panic");
            thrown += 1;
        }
    }
    thrown
}

async fn canceled_after(client: &Client, sql: &str, time: Duration) {
    let first = client.submit(sql).await;
    let mut page = first;
    let end = tokio::time::Instant::now() + time;
    while let Some(next) = page["nextUri"].as_str().map(str::to_owned) {
        if tokio::time::Instant::now() > end {
            return client.cancel(&page).await;
        }
        match client.try_page(&next).await {
            Some(next) => page = next,
            None => return,
        }
    }
}

async fn endless(client: Client, ended: Arc<AtomicBool>) -> u64 {
    let mut times = 0;
    while goes_on(&ended) {
        let some = (0..3).map(|_| canceled_after(&client, ENDLESS, Duration::from_secs(8)));
        let some: Vec<_> = some.collect();
        times += some.len() as u64;
        for one in some {
            one.await;
        }
    }
    times
}

async fn bad_values(client: Client, ended: Arc<AtomicBool>) -> u64 {
    let mut times = 0;
    while goes_on(&ended) {
        for sql in BAD_VALUES {
            let answer = client.query(sql).await;
            if let Err(failure) = answer {
                let is_ours = failure.name == "MAYFLY_TASK_POISONED" || failure.name == "GENERIC_INTERNAL_ERROR";
                assert!(!is_ours, "{sql}: {failure:?}");
            }
            times += 1;
        }
    }
    times
}

async fn bad_files(client: Client, ended: Arc<AtomicBool>) -> u64 {
    let mut times = 0;
    while goes_on(&ended) {
        for (name, format) in [
            ("many", "PARQUET"),
            ("deep", "PARQUET"),
            ("noise", "PARQUET"),
            ("nested", "JSON"),
            ("less", "JSON"),
            ("binary", "CSV"),
        ] {
            let sql = format!(
                "CREATE EXTERNAL TABLE IF NOT EXISTS h_{name} STORED AS {format} LOCATION 's3://hostile/{name}/'"
            );
            let _ = client.query(&sql).await;
            let _ = client.query(&format!("SELECT * FROM h_{name}")).await;
            let _ = client
                .query(&format!("SELECT count(*) FROM 's3://hostile/{name}/'"))
                .await;
            times += 3;
        }
        pause(&ended, Duration::from_secs(1)).await;
    }
    times
}

async fn large_pages(client: Client, ended: Arc<AtomicBool>) -> u64 {
    let mut times = 0;
    while goes_on(&ended) {
        let _ = client.query("SELECT repeat('x', 30000000)").await;
        times += 1;
    }
    times
}

/// Statements that nobody ever polls for.
async fn flood(client: Client, ended: Arc<AtomicBool>) -> u64 {
    let (large, mut times) = ("x".repeat(500_000), 0);
    while goes_on(&ended) {
        for at in 0..FLOOD {
            let sql = if at % 10 == 0 { &large[..] } else { "SELECT 1" };
            client.submit(sql).await;
            times += 1;
        }
        pause(&ended, Duration::from_secs(1)).await;
    }
    times
}

/// Every second one begins a head that it never ends.
async fn connections(server: String, ended: Arc<AtomicBool>) -> u64 {
    let (mut held, mut times) = (std::collections::VecDeque::new(), 0);
    while goes_on(&ended) {
        let connecting = raw::connect(&server, ENEMY);
        if let Ok(Ok(mut stream)) = tokio::time::timeout(Duration::from_secs(1), connecting).await {
            if times % 2 == 0 {
                // It may be closed already, as too many are open.
                let _ = stream
                    .write_all(b"POST /v1/statement HTTP/1.1\r\nhost: localhost\r\nx-slow: ")
                    .await;
            }
            held.push_back(stream);
            times += 1;
        }
        if held.len() > CONNECTIONS {
            held.pop_front();
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    times
}

/// A page of another site, whose name was made to be our address; and heads that are too long.
async fn strangers(places: [String; 3], ended: Arc<AtomicBool>) -> u64 {
    let long = format!("GET /v1/info?{}", "x".repeat(40_000));
    let mut times = 0;
    while goes_on(&ended) {
        for place in &places {
            for (line, host) in [
                ("GET /v1/mayfly/info", "evil.example"),
                ("POST /v1/statement", "localhost.evil.example:80"),
                ("PUT /_emulator/faults", "evil.example"),
                (&long, "evil.example"),
            ] {
                let headers = [&format!("Host: {host}")[..], "Origin: http://evil.example", SIGNED];
                if let Ok(answer) = raw::ask(place, ENEMY, line, &headers, "").await {
                    // One whose connection made room for another hears nothing.
                    let status = raw::status(&answer);
                    assert!(
                        matches!(status, None | Some(414 | 421 | 431)),
                        "{place} {line:.40}: {answer:.200}"
                    );
                }
                times += 1;
            }
        }
        pause(&ended, Duration::from_millis(200)).await;
    }
    times
}

/// Orders that no coordinator has sent, by whoever knows the emulator's name.
async fn forgers(lambda: String, ended: Arc<AtomicBool>) -> u64 {
    const ORDERS: [&str; 4] = [
        "{}",
        "null",
        r#"{"v":1,"body":{"attempt":"q/s0/t0/a0"}}"#,
        r#"{"v":99}"#,
    ];
    let line = "POST /2015-03-31/functions/mayfly-executor-1769/invocations";
    let mut times = 0;
    while goes_on(&ended) {
        for order in ORDERS {
            let _ = raw::ask(&lambda, ENEMY, line, &["Host: localhost", SIGNED], order).await;
            times += 1;
        }
        pause(&ended, Duration::from_secs(2)).await;
    }
    times
}

/// One task fails while others run on; and tasks that may hold next to nothing.
async fn failures(client: Client, ended: Arc<AtomicBool>) -> u64 {
    let many = client
        .clone()
        .with("target_task_bytes", "64kB")
        .with("target_partitions", 1);
    let tiny = client.with("max_task_memory", "1MB");
    let mut times = 0;
    while goes_on(&ended) {
        let _ = many
            .query("SELECT count(*) FROM lineitem a CROSS JOIN orders b WHERE b.o_totalprice > 10 / (a.l_orderkey + b.o_orderkey - 2)")
            .await;
        let _ = tiny
            .query("SELECT length(string_agg(l_comment, ',')) FROM lineitem")
            .await;
        times += 2;
        pause(&ended, Duration::from_secs(1)).await;
    }
    times
}

async fn guesses(client: Client, server: String, ended: Arc<AtomicBool>) -> u64 {
    let mut times = 0_u64;
    while goes_on(&ended) {
        let slug = format!("{times:032x}");
        let guess = format!(
            "{server}/v1/statement/queued/20261130_120000_{:05}_abcde/{slug}/1",
            times % 100_000
        );
        client.try_page(&guess).await;
        times += 1;
    }
    times
}

async fn outages(mut gate: Gate, ended: Arc<AtomicBool>) -> u64 {
    let mut times = 0;
    while goes_on(&ended) {
        pause(&ended, Duration::from_secs(20)).await;
        gate.shut().await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        gate.open();
        times += 1;
    }
    // It stays open for what comes after the siege.
    std::mem::forget(gate);
    times
}

/// As far as S3 still takes what is signed by it, and backwards by less than a lease, which servers compare by their wall clocks.
async fn jumps(clock: Clock, ended: Arc<AtomicBool>) -> u64 {
    let mut times = 0;
    while goes_on(&ended) {
        for ahead_s in [10, 0, -10, 0, 600, 0] {
            pause(&ended, Duration::from_secs(3)).await;
            clock.set(ahead_s * 1_000);
            times += 1;
        }
    }
    clock.set(0);
    times
}

/// Another seed every ten seconds.
async fn bad_days(client: Client, faults: String, seed: u64, ended: Arc<AtomicBool>) -> u64 {
    let mut times = 0;
    while goes_on(&ended) {
        client.put_json(&faults, &rules(seed + times)).await;
        times += 1;
        pause(&ended, Duration::from_secs(10)).await;
    }
    times
}

fn rules(seed: u64) -> Value {
    let rule = |fault: Value, probability: f64, target: &str| json!({"fault": fault, "probability": probability, "target": target});
    let kill = |moment: Value| rule(json!({"kill": {"moment": moment}}), 0.01, "");
    json!({
        "seed": seed,
        "lambda": [
            kill(json!("event_delivered")), kill(json!({"after_ms": 20})), kill(json!("before_response")), kill(json!("frozen")),
            rule(json!("throttle"), 0.03, ""), rule(json!("response_lost"), 0.005, ""),
        ],
        "s3": [
            rule(json!("slow_down"), 0.03, ""), rule(json!("internal_error"), 0.01, ""), rule(json!("reset"), 0.005, ""),
            rule(json!("truncate"), 0.005, ""), rule(json!("flip_bit"), 0.002, "mayfly/x/"), rule(json!("flip_bit"), 0.001, "mayfly/j/"),
            rule(json!("flip_bit"), 0.005, "mayfly/catalog/"),
            rule(json!("applied_but_error"), 0.02, "mayfly/"), rule(json!("applied_but_reset"), 0.01, "mayfly/"),
        ],
        "sqs": [rule(json!("duplicate"), 0.1, ""), rule(json!("drop"), 0.05, ""), rule(json!({"delay": {"ms": 300}}), 0.1, "")],
    })
}

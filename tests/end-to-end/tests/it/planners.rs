//! Planning in processes of its own: a statement that cannot be planned in time or memory ends alone, whatever ends it, and a file that
//! aborts its reader aborts no server.

use mayfly_end_to_end::bombs;
use mayfly_end_to_end::client::Client;
use mayfly_end_to_end::server::{Executors, Server, descendants, is_alive, signal};
use nix::sys::signal::Signal;
use std::path::Path;
use std::time::Duration;

/// More plannings at once than there are turns for.
const MANY: usize = 12;

/// Looks for something to be gone, a tenth of a second apart.
const LOOKS_MAX: usize = 100;

/// A join of so many relations takes the optimizer minutes, and every part of it is small.
fn endless() -> String {
    let joins: Vec<String> = (0..300)
        .map(|at| format!("JOIN (VALUES (1)) t{at}(k{at}) ON k = k{at}"))
        .collect();
    format!("SELECT count(*) FROM (VALUES (1)) t(k) {}", joins.join(" "))
}

fn server(arguments: &[&str]) -> (Server, Client) {
    let server = Server::start_with(Executors::Itself, arguments);
    let client = Client::new(&server.url, "default");
    (server, client)
}

fn planners(server: &Server) -> Vec<u32> {
    let name = |pid: &u32| std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    let all = descendants(server.pid()).into_iter();
    all.filter(|pid| name(pid).trim() == "mayfly-planner").collect()
}

/// Clock ticks that a process has computed.
fn ticks(pid: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields = stat.rsplit_once(") ").map_or("", |(_, fields)| fields);
    let field = |at: usize| fields.split(' ').nth(at).and_then(|text| text.parse::<u64>().ok());
    field(11).unwrap_or(0) + field(12).unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn canceled_plannings_free_their_turns_and_compute_no_more() {
    let (server, client) = server(&[]);
    let mut pages = Vec::new();
    for _ in 0..MANY {
        let page = client.submit(&endless()).await;
        let poll = page["nextUri"].as_str().expect("registered").to_owned();
        pages.push(client.get_json(&poll).await);
    }
    let answer = client.query("SELECT 1").await.expect("answered beside them");
    assert_eq!(answer.table.rows, [[Some("1".to_owned())]]);
    for page in &pages {
        client.cancel(page).await;
    }
    for page in pages {
        let last = client.follow(page, |_| {}).await;
        assert_eq!(last["error"]["errorName"], "USER_CANCELED", "{last}");
    }
    for _ in 0..MANY {
        client.query("SELECT 1").await.expect("answered");
    }
    let before: u64 = planners(&server).into_iter().map(ticks).sum();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let after: u64 = planners(&server).into_iter().map(ticks).sum();
    assert!(
        after.saturating_sub(before) < 50,
        "planners computed {before} to {after} ticks for nobody"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_planning_ends_with_the_time_of_its_query() {
    let (_server, client) = server(&[]);
    for time in ["1s", "2s"] {
        let timed = client.clone().with("max_run_time", time);
        let failure = timed.query(&endless()).await.expect_err(time);
        assert_eq!(failure.name, "EXCEEDED_TIME_LIMIT", "{}", failure.message);
        assert!(
            failure.message.contains(&format!("{time} of max_run_time")),
            "{}",
            failure.message
        );
    }
    client
        .clone()
        .with("max_run_time", "10s")
        .query("SELECT 1")
        .await
        .expect("answered");
}

/// Names of errors that end what multiplies in planning.
const BOUNDS: [&str; 3] = [
    "EXCEEDED_TIME_LIMIT",
    "EXCEEDED_LOCAL_MEMORY_LIMIT",
    "MAYFLY_TOO_COMPLEX",
];

#[tokio::test(flavor = "multi_thread")]
async fn views_that_name_the_one_before_twice_end_within_bounds() {
    let (_server, client) = server(&[]);
    let timed = client.clone().with("max_run_time", "4s");
    let first = timed.query("CREATE VIEW v0 AS SELECT 1 AS x").await;
    first.expect("a small view");
    let mut levels = 0;
    let failure = loop {
        let sql = format!(
            "CREATE VIEW v{} AS SELECT a.x FROM v{levels} a JOIN v{levels} b ON a.x = b.x",
            levels + 1
        );
        match timed.query(&sql).await {
            Ok(_) => levels += 1,
            Err(failure) => break failure,
        }
        assert!(levels <= 16, "views nest no deeper");
    };
    assert!(levels >= 4, "{levels}: {}", failure.message);
    assert!(BOUNDS.contains(&failure.name.as_str()), "{}", failure.message);
    let answer = client
        .query("SELECT x FROM v3")
        .await
        .expect("the views that there are");
    assert_eq!(answer.table.rows, [[Some("1".to_owned())]]);
}

/// Planning is quadratic in columns: it ends with its query's time at the latest, and holds up nobody.
#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_columns_end_within_bounds() {
    const COLUMNS: usize = 10_000;
    let folder = tempfile::tempdir().expect("a folder");
    let line = |item: fn(usize) -> String| (0..COLUMNS).map(item).collect::<Vec<_>>().join(",");
    let text = format!("{}\n{}\n", line(|at| format!("c{at}")), line(|at| at.to_string()));
    std::fs::write(folder.path().join("wide.csv"), text).expect("writable");
    let (_server, client) = server(&["--mount", &format!("wide={}", folder.path().display())]);
    let timed = client.clone().with("max_run_time", "6s");
    let wide = tokio::spawn(async move { timed.query("SELECT * FROM 's3://wide/wide.csv'").await });
    client.query("SELECT 1").await.expect("answered beside it");
    match wide.await.expect("no panic") {
        Ok(answer) => assert_eq!(answer.table.rows[0].len(), COLUMNS),
        Err(failure) => assert!(BOUNDS.contains(&failure.name.as_str()), "{}", failure.message),
    }
    let one = client.query("SELECT c9999 FROM 's3://wide/wide.csv'").await;
    assert_eq!(
        one.expect("one column is small").table.rows,
        [[Some("9999".to_owned())]]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_planner_that_is_killed_is_replaced() {
    let (server, client) = server(&[]);
    for _ in 0..3 {
        client.query("SELECT 1").await.expect("answered");
        let old = planners(&server);
        assert!(!old.is_empty());
        old.iter().for_each(|pid| signal(*pid, Signal::SIGKILL));
        for _ in 0..LOOKS_MAX {
            if !old.iter().any(|pid| is_alive(*pid)) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        client.query("SELECT 1").await.expect("answered by another");
    }
}

/// A Parquet file that is nothing but a footer.
fn footer_file(folder: &Path, name: &str, footer: &[u8]) {
    let length = u32::try_from(footer.len()).expect("short").to_le_bytes();
    let bytes = [b"PAR1".as_slice(), footer, &length, b"PAR1"].concat();
    std::fs::create_dir_all(folder.join(name)).expect("writable");
    std::fs::write(folder.join(name).join("part-0.parquet"), bytes).expect("writable");
}

/// Thrift's variable-length number.
fn number(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

/// A file's metadata with these schema elements, which claims so many row groups and has none.
fn metadata(elements: &[Vec<u8>], row_groups: u64) -> Vec<u8> {
    let list = |count: u64| match count {
        0..15 => vec![(count as u8) << 4 | 0x0c],
        _ => [vec![0xfc], number(count)].concat(),
    };
    [
        vec![0x15, 0x02, 0x19],
        list(elements.len() as u64),
        elements.concat(),
        vec![0x16, 0x00, 0x19],
        list(row_groups),
        vec![0x00],
    ]
    .concat()
}

fn group() -> Vec<u8> {
    vec![0x35, 0x00, 0x18, 0x01, b'a', 0x15, 0x02, 0x00]
}

fn leaf() -> Vec<u8> {
    vec![0x15, 0x02, 0x25, 0x00, 0x18, 0x01, b'a', 0x00]
}

#[tokio::test(flavor = "multi_thread")]
async fn footers_that_abort_their_reader_abort_no_server() {
    let folder = tempfile::tempdir().expect("a folder");
    let flat = [group(), leaf()];
    let deep = [vec![group(); 3_000], vec![leaf()]].concat();
    footer_file(folder.path(), "many", &metadata(&flat, 1 << 28));
    footer_file(folder.path(), "most", &metadata(&flat, (1 << 31) - 1));
    footer_file(folder.path(), "deep", &metadata(&deep, 0));
    footer_file(
        folder.path(),
        "deepest",
        &metadata(&[vec![group(); 9_000], vec![leaf()]].concat(), 0),
    );
    let (server, client) = server(&["--mount", &format!("bad={}", folder.path().display())]);
    for table in ["many", "most", "deep", "deepest"] {
        let sql = format!("CREATE EXTERNAL TABLE {table} STORED AS PARQUET LOCATION 's3://bad/{table}/'");
        let failure = client.query(&sql).await.expect_err(table);
        assert_eq!(failure.name, "MAYFLY_BAD_FILE", "{table}: {}", failure.message);
        client.query("SELECT 1").await.expect("the server lives");
    }
    assert!(is_alive(server.pid()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_takes_more_memory_than_planning_has_ends_alone() {
    let (server, client) = server(&[]);
    // `||` is no function: nothing knows its size before it is made.
    let doubled = |levels: usize| {
        let double = |inner: String, level: usize| format!("SELECT x || x AS x FROM ({inner}) t{level}");
        let start = "SELECT repeat('x', 60000) AS x".to_owned();
        let sql = (0..levels).fold(start, double);
        format!("SELECT length(x) FROM ({sql}) t")
    };
    let failure = client.query(&doubled(14)).await.expect_err("it takes a gigabyte");
    assert_eq!(failure.name, "EXCEEDED_LOCAL_MEMORY_LIMIT", "{}", failure.message);
    let answer = client.query(&doubled(2)).await.expect("240 kB");
    assert_eq!(answer.table.rows, [[Some("240000".to_owned())]]);
    assert!(is_alive(server.pid()));
}

/// The most that a server may hold whatever is asked of it, in kB.
const SERVER_KB_MAX: u64 = 500_000;

fn resident_kb(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let text = line.map(|line| line.trim().trim_end_matches(" kB").to_owned());
    text.and_then(|text| text.parse().ok())
        .expect("Linux tells what a process has held at most")
}

/// Each of these took a server, or its planning, while planning was a part of it.
#[tokio::test(flavor = "multi_thread")]
async fn statements_that_took_a_server_end_alone() {
    let (server, client) = server(&["--concurrency", "2"]);
    let mut wrong = Vec::new();
    for bomb in bombs::all() {
        let shown: String = bomb.sql.chars().take(90).collect();
        let ended = client.clone().with("max_run_time", "8s").query(&bomb.sql).await;
        let is_expected = match &ended {
            Ok(_) => bomb.ends.is_empty(),
            Err(failure) => bomb.ends.contains(&failure.name.as_str()),
        };
        if !is_expected {
            wrong.push(format!("{shown}: not {:?}: {:?}", bomb.ends, ended.err()));
        }
        client.query("SELECT 1").await.expect("the server lives");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let held = resident_kb(server.pid());
    assert!(held < SERVER_KB_MAX, "the server held {held} kB");
}

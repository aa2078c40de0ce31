//! Who runs tasks. The whole suite has executors of another user, who cannot look into the emulator's data, wherever it may start such:
//! what they read and write goes over the wire, or it fails. Here that is checked, and the other way is taken once.

use crate::support;
use mayfly_end_to_end::client::Client;
use mayfly_end_to_end::server::{Executors, Server, descendants};
use mayfly_end_to_end::{oracle, tpch};

/// Program and user of each executor.
fn executors(server: &Server) -> Vec<(String, u32)> {
    let executor = |pid: u32| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name));
        let uid = field("Uid:")?.split_whitespace().next()?.parse().ok()?;
        Some((field("Name:")?.trim().to_owned(), uid))
    };
    descendants(server.pid()).into_iter().filter_map(executor).collect()
}

async fn run(executors: Executors) -> Vec<(String, u32)> {
    let files = support::files();
    let mount = format!("tpch={}", files.display());
    let server = Server::start_with(executors, &["--mount", &mount]);
    let client = Client::new(&server.url, support::SCHEMA);
    support::create_tables(&client, "s3://tpch").await;
    let client = support::forced(client, 1);
    let oracle = oracle::context(&files, 2).await;
    for number in [1, 3, 18] {
        let sql = tpch::query(number);
        let answer = client
            .query(&sql)
            .await
            .unwrap_or_else(|error| panic!("q{number}: {error:?}"));
        let expected = oracle::answer(&oracle, &sql).await;
        assert_eq!(answer.table.difference(&expected), None, "q{number}");
    }
    self::executors(&server)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_deployable_executor_of_another_user_answers() {
    if !nix::unistd::geteuid().is_root() {
        println!("not root: executors cannot be started as another user here");
        return;
    }
    let executors = run(Executors::Foreign).await;
    let foreign = executors
        .iter()
        .filter(|(name, uid)| name == "bootstrap" && *uid == 65_534);
    assert!(foreign.count() >= 1, "{executors:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_binary_itself_is_an_executor_too() {
    let executors = run(Executors::Itself).await;
    let uid = nix::unistd::geteuid().as_raw();
    let own = executors
        .iter()
        .filter(|(name, owner)| name == "mayfly" && *owner == uid);
    assert!(own.count() >= 1, "{executors:?}");
}

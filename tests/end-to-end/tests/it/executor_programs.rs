//! Executors as another user, without access to the emulator's data: what they read and write goes over the wire, or it fails.

use crate::support;
use mayfly_end_to_end::{oracle, tpch};
use std::os::unix::fs::PermissionsExt;

/// `nobody` on Debian and most others.
const NOBODY: &str = "65534:65534";

#[tokio::test(flavor = "multi_thread")]
async fn nothing_takes_a_shortcut_through_the_file_system() {
    if !nix::unistd::geteuid().is_root() {
        println!("not root: executors cannot be started as another user here");
        return;
    }
    let data = tempfile::tempdir().expect("a temp folder");
    std::fs::set_permissions(data.path(), std::fs::Permissions::from_mode(0o700)).expect("ours to set");
    // The program itself must be reachable for that user: a copy in a folder that everybody may enter.
    let public = tempfile::tempdir_in("/var/tmp").expect("a temp folder");
    std::fs::set_permissions(public.path(), std::fs::Permissions::from_mode(0o755)).expect("ours to set");
    let program = public.path().join("mayfly");
    std::fs::copy(mayfly_end_to_end::server::binary(), &program).expect("copied");
    let files = support::files();
    let mount = format!("tpch={}", files.display());
    let folder = data.path().join("cloud");
    let folder = folder.to_str().expect("the path is UTF-8");
    let arguments = ["--data", folder, "--mount", &mount, "--executor-user", NOBODY];
    let server = mayfly_end_to_end::server::Server::start_program(&program, &arguments);
    let client = mayfly_end_to_end::client::Client::new(&server.url, support::SCHEMA);
    support::create_tables(&client, "s3://tpch").await;
    let oracle = oracle::context(&files, 2).await;
    let client = support::forced(client, 1);
    for number in [1, 3, 9, 11, 18] {
        let sql = tpch::query(number);
        let answer = client
            .query(&sql)
            .await
            .unwrap_or_else(|error| panic!("q{number}: {error:?}"));
        assert_eq!(
            answer.table.difference(&oracle::answer(&oracle, &sql).await),
            None,
            "q{number}"
        );
    }
    let executors = mayfly_end_to_end::server::descendants(server.pid());
    let foreign = executors.iter().filter(|pid| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        status
            .lines()
            .any(|line| line.starts_with("Uid:") && line.contains("65534"))
    });
    assert!(foreign.count() >= 1, "executors run as another user");
}

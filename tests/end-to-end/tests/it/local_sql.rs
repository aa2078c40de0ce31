//! `mayfly sql`: one command over local files, with no server, and nothing left behind.

use mayfly_end_to_end::server::{binary, descendants, is_alive, signal};
use mayfly_end_to_end::tpch;
use nix::sys::signal::Signal;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

/// A folder to run in, and one that stands for the machine's temporary one.
struct Room {
    work: tempfile::TempDir,
    temporary: tempfile::TempDir,
}

impl Room {
    fn new() -> Room {
        let room = Room {
            work: tempfile::tempdir().expect("a folder"),
            temporary: tempfile::tempdir().expect("a folder"),
        };
        let flights = room.work.path().join("flights");
        std::fs::create_dir(&flights).expect("writable");
        std::fs::write(flights.join("a.csv"), "carrier,delay\nUA,10\nDL,2\n").expect("writable");
        std::fs::write(flights.join("b.csv"), "carrier,delay\nUA,20\n").expect("writable");
        room
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command
            .args(arguments)
            .current_dir(self.work.path())
            .env("TMPDIR", self.temporary.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let output = self.command(arguments).output().expect("mayfly runs");
        assert_eq!(left(self.temporary.path()), [""; 0], "{arguments:?} left something");
        output
    }
}

fn left(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("readable");
    let name = |entry: std::io::Result<std::fs::DirEntry>| entry.expect("readable").file_name().display().to_string();
    entries.map(name).collect()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("output is UTF-8")
}

#[test]
fn local_paths_are_read_and_the_bill_is_shown() {
    let room = Room::new();
    let absolute = room.work.path().join("flights").display().to_string();
    for from in [
        "./flights/*.csv",
        "flights/",
        "flights",
        &format!("{absolute}/*.csv"),
        &format!("file://{absolute}/"),
    ] {
        let sql = format!("SELECT carrier, sum(delay) AS delay FROM '{from}' GROUP BY carrier ORDER BY carrier");
        let output = room.run(&["sql", "-c", &sql]);
        let shown = text(&output.stderr);
        assert_eq!(text(&output.stdout), "carrier,delay\nDL,2\nUA,30\n", "{from}: {shown}");
        assert!(shown.contains("2 rows") && shown.contains("$0.0000"), "{from}: {shown}");
    }
}

#[test]
fn mounts_files_and_forms_of_output() {
    let room = Room::new();
    let tpch = format!("tpch={}", tpch::files(0.1, 2).display());
    let sql = "-- two statements\nSELECT count(*) AS n FROM 's3://tpch/nation/';\nSELECT max(delay) AS d FROM './flights/b.csv'";
    std::fs::write(room.work.path().join("two.sql"), sql).expect("writable");
    let output = room.run(&["sql", "--mount", &tpch, "--format", "jsonl", "--bill", "-f", "two.sql"]);
    assert_eq!(
        text(&output.stdout),
        "{\"n\":25}\n{\"d\":20}\n",
        "{}",
        text(&output.stderr)
    );
    assert!(
        text(&output.stderr).contains("Lambda compute"),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn errors_say_which_path_and_where() {
    let room = Room::new();
    std::fs::write(room.work.path().join("bad.csv"), "a,b\n1,2\n1,2,3\n").expect("writable");
    std::fs::write(
        room.work.path().join("q.sql"),
        "SELECT 1;\nSELECT nosuch FROM './flights/'",
    )
    .expect("writable");
    for (arguments, code, parts) in [
        (
            vec!["-c", "SELECT * FROM './nowhere/*.csv'"],
            2,
            vec!["./nowhere/*.csv"],
        ),
        (
            vec!["-c", "SELECT * FROM './flights/*.parquet'"],
            1,
            vec!["'./flights/*.parquet'", "flights/a.csv"],
        ),
        (vec!["-c", "SELECT * FROM 'bad.csv'"], 1, vec!["/bad.csv"]),
        (vec!["-f", "q.sql"], 1, vec!["q.sql:2:8", "nosuch", "COLUMN_NOT_FOUND"]),
    ] {
        let output = room.run(&[vec!["sql"], arguments.clone()].concat());
        let shown = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {shown}");
        for part in parts {
            assert!(shown.contains(part), "{arguments:?}: {part} is missing in {shown}");
        }
        assert!(!shown.contains("s3://local-"), "{arguments:?}: {shown}");
    }
}

#[test]
fn control_c_ends_it_and_leaves_nothing() {
    let room = Room::new();
    let tpch = format!("tpch={}", tpch::files(0.1, 2).display());
    let sql = "SELECT count(*) FROM 's3://tpch/lineitem/' a, 's3://tpch/lineitem/' b WHERE a.l_comment < b.l_comment";
    let child = room
        .command(&["sql", "--mount", &tpch, "-c", sql])
        .spawn()
        .expect("mayfly runs");
    let mut children = Vec::new();
    for _ in 0..600 {
        std::thread::sleep(Duration::from_millis(50));
        children = descendants(child.id());
        if !children.is_empty() {
            break;
        }
    }
    std::thread::sleep(Duration::from_millis(500));
    signal(child.id(), Signal::SIGINT);
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(130), "{}", text(&output.stderr));
    assert!(!children.is_empty(), "executors are processes");
    assert!(children.iter().all(|pid| !is_alive(*pid)), "a child lives on");
    assert_eq!(left(room.temporary.path()), [""; 0]);
}

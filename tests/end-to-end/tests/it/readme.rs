//! The README's examples cannot go stale: each `sh` block runs as it stands there, in order and in one folder, and a `text` block behind it
//! is what it printed, stdout and stderr together. Blocks of other kinds are not run.
//!
//! What differs from run to run is masked on both sides: amounts of money, times and GB-seconds; in a bill all numbers, and everywhere the
//! width of blanks and rules. `MAYFLY_BLESS=1` writes what was printed into the README.

use mayfly_end_to_end::server::{Server, binary};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A fenced block: what stands behind its fence, and its lines.
struct Block {
    info: String,
    text: String,
    /// Line of the opening fence, counted from 0.
    line: usize,
}

fn readme() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md")
}

fn blocks(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut is_open = false;
    for (line, content) in text.lines().enumerate() {
        match content.strip_prefix("```") {
            Some(_) if is_open => is_open = false,
            Some(info) => {
                is_open = true;
                let (info, text) = (info.to_owned(), String::new());
                blocks.push(Block { info, text, line });
            }
            None if is_open => {
                let block = blocks.last_mut().expect("it was opened");
                block.text.push_str(content);
                block.text.push('\n');
            }
            None => {}
        }
    }
    blocks
}

/// Where the commands run, and the server that they ask once there is one.
struct Room {
    folder: tempfile::TempDir,
    server: Option<Server>,
}

impl Room {
    /// The server of the README, but on a port that is free.
    fn serve(&mut self, command: &str) {
        let words: Vec<&str> = command.split_whitespace().collect();
        let arguments = words
            .strip_prefix(&["mayfly", "serve", "--local"])
            .expect("a server is served");
        let here = format!("={}/", self.folder.path().display());
        let arguments: Vec<String> = arguments.iter().map(|word| word.replace("=./", &here)).collect();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        self.server = Some(Server::start(&arguments));
    }

    fn run(&self, script: &str) -> String {
        let programs = binary().parent().expect("it lies in a folder").display().to_string();
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new("bash");
        command.args(["-euc", &format!("exec 2>&1\n{script}")]);
        command.current_dir(self.folder.path());
        command
            .env("PATH", format!("{programs}:{path}"))
            .env("MAYFLY_FORMAT", "table");
        if let Some(server) = &self.server {
            command.env("MAYFLY_SERVER", &server.url);
        }
        let output = command.output().expect("bash runs");
        let printed = String::from_utf8(output.stdout).expect("output is UTF-8");
        assert!(output.status.success(), "{script}\n{printed}");
        printed
    }
}

/// Whether the word is a number, maybe of dollars.
fn is_number(word: &str) -> bool {
    let digits = word.trim_start_matches('$');
    digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ','))
}

fn masked(text: &str) -> String {
    let mut in_bill = false;
    let line = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        in_bill = in_bill && !line.is_empty() || words.starts_with(&["stage", "resource"]);
        let word = |(at, word): (usize, &&str)| {
            let unit = words.get(at + 1).copied().unwrap_or_default();
            let varies = word.starts_with('$') || matches!(unit, "ms" | "s" | "min" | "GB-s") || in_bill;
            match varies && is_number(word) {
                true => "#".to_owned(),
                false => masked_rule(word),
            }
        };
        let words: Vec<String> = words.iter().enumerate().map(word).collect();
        // A time is `74 ms` now and `1.2 s` then.
        words.join(" ").replace("# ms", "# s").replace("# min # s", "# s")
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

fn masked_rule(word: &str) -> String {
    match word.chars().all(|c| matches!(c, '-' | '+' | '─')) {
        true => word.split('+').map(|_| "-").collect::<Vec<_>>().join("+"),
        false => word.to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn its_examples_print_what_stands_there() {
    let text = std::fs::read_to_string(readme()).expect("it is readable");
    let all = blocks(&text);
    let mut room = Room {
        folder: tempfile::tempdir().expect("a folder"),
        server: None,
    };
    let (mut printed, mut compared, mut blessed) =
        (String::new(), 0, text.lines().map(str::to_owned).collect::<Vec<_>>());
    // From the end, so that lines keep their numbers while blocks are replaced.
    let mut fresh: Vec<(usize, usize, String)> = Vec::new();
    for block in &all {
        match block.info.as_str() {
            "sh server" => room.serve(block.text.trim()),
            "sh" => printed = room.run(&block.text),
            "text" => {
                fresh.push((block.line, block.text.lines().count(), printed.clone()));
                compared += 1;
                if !is_blessing() {
                    let (found, wanted) = (masked(printed.trim_end()), masked(block.text.trim_end()));
                    assert_eq!(found, wanted, "README line {}", block.line + 1);
                }
            }
            _ => {}
        }
    }
    assert!(compared >= 6, "the README has lost its examples");
    if is_blessing() {
        for (line, count, printed) in fresh.into_iter().rev() {
            let lines = printed.trim_end().lines().map(|line| line.trim_end().to_owned());
            blessed.splice(line + 1..line + 1 + count, lines);
        }
        std::fs::write(readme(), blessed.join("\n") + "\n").expect("it is writable");
    }
}

fn is_blessing() -> bool {
    std::env::var_os("MAYFLY_BLESS").is_some()
}

#[test]
fn masks_hide_what_varies_and_nothing_else() {
    assert_eq!(
        masked("5 rows · 87.77 MB read · 686 ms · $0.000107"),
        "5 rows · 87.77 MB read · # s · #"
    );
    assert_eq!(masked("1 row · 1.2 s · $0.1"), "1 row · # s · #");
    assert_eq!(masked(" a | 7\n---+--\n x | 1.5"), "a | 7\n-+-\nx | 1.5");
    assert_eq!(
        masked("stage resource\ns0 S3 GET 26 $0.1/request $0.2"),
        "stage resource\ns0 S3 GET # $0.1/request #"
    );
}

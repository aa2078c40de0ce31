//! A sqllogictest file of DuckDB's or SQLite's as it is meant to run: loops unrolled, conditions on engines heeded, results kept. What
//! cannot run here is left out and counted by its word.

use std::collections::BTreeMap;

/// Engines whose conditions hold for us: the judge is one of them.
const ENGINES: [&str; 2] = ["duckdb", "postgresql"];

/// Extensions and builds that make no difference to what a query answers.
const HARMLESS: [&str; 7] = [
    "parquet",
    "icu",
    "core_functions",
    "skip_reload",
    "vector_size",
    "noforcestorage",
    "no_alternative_verify",
];

/// Turns of a loop that are run.
const TURNS_MAX: usize = 20;

#[derive(Clone, Debug)]
pub struct Record {
    pub line: usize,
    pub sql: String,
    pub is_query: bool,
    /// Values as the file states them, if it states any in full.
    pub stated: Option<Stated>,
}

/// Lines of results, and how many columns a row has.
#[derive(Clone, Debug)]
pub struct Stated {
    pub lines: Vec<String>,
    pub columns: usize,
}

#[derive(Default)]
pub struct Script {
    pub records: Vec<Record>,
    pub left_out: BTreeMap<String, usize>,
}

type Line = (usize, String);

pub fn read(text: &str) -> Script {
    let mut script = Script::default();
    let lines: Vec<Line> = (1..).zip(text.lines().map(|line| line.trim_end().to_owned())).collect();
    script.run(&lines);
    script
}

impl Script {
    /// Whether to go on.
    fn run(&mut self, lines: &[Line]) -> bool {
        let mut at = 0;
        let (mut is_kept, mut is_on) = (true, true);
        while let Some((line, head)) = lines.get(at) {
            at += 1;
            let words: Vec<&str> = head.split_whitespace().collect();
            match words.as_slice() {
                ["halt", ..] => return false,
                ["mode", "skip", ..] => is_on = false,
                ["mode", ..] => is_on = true,
                ["require", what, ..] if HARMLESS.contains(what) => {}
                ["require" | "require-env" | "load" | "concurrentloop" | "unzip", ..] => {
                    self.leave_out(&words[..words.len().min(2)].join(" "));
                    return false;
                }
                ["skipif", engine, ..] => is_kept &= !ENGINES.contains(engine),
                ["onlyif", engine, ..] => is_kept &= ENGINES.contains(engine),
                ["loop" | "foreach", name, values @ ..] => {
                    let end = end_of_loop(lines, at);
                    let values = turns(words[0], values);
                    for value in values.iter().take(TURNS_MAX) {
                        if !self.run(&substituted(&lines[at..end], name, value)) {
                            return false;
                        }
                    }
                    at = end + 1;
                }
                ["statement" | "query", rest @ ..] => {
                    let block = &lines[at..];
                    let block = &block[..block
                        .iter()
                        .position(|(_, line)| line.is_empty())
                        .unwrap_or(block.len())];
                    at += block.len();
                    match is_kept && is_on {
                        true => self.records.push(record(*line, words[0], rest, block)),
                        false => self.leave_out("a condition on engines"),
                    }
                    is_kept = true;
                }
                _ => {}
            }
        }
        true
    }

    fn leave_out(&mut self, why: &str) {
        *self.left_out.entry(why.to_owned()).or_default() += 1;
    }
}

fn end_of_loop(lines: &[Line], from: usize) -> usize {
    let mut depth = 1;
    let end = lines[from..].iter().position(|(_, line)| {
        match line.split_whitespace().next() {
            Some("loop" | "foreach") => depth += 1,
            Some("endloop") => depth -= 1,
            _ => {}
        }
        depth == 0
    });
    end.map_or(lines.len(), |end| from + end)
}

fn turns(word: &str, values: &[&str]) -> Vec<String> {
    match (word, values) {
        ("loop", [first, last, ..]) => {
            let (first, last) = (first.parse().unwrap_or(0), last.parse().unwrap_or(0));
            (first..last).map(|turn: i64| turn.to_string()).collect()
        }
        _ => values.iter().map(|value| (*value).to_owned()).collect(),
    }
}

fn substituted(lines: &[Line], name: &str, value: &str) -> Vec<Line> {
    let place = format!("${{{name}}}");
    let line = |(at, line): &Line| (*at, line.replace(&place, value));
    lines.iter().map(line).collect()
}

fn record(line: usize, word: &str, rest: &[&str], block: &[Line]) -> Record {
    let dashes = block.iter().position(|(_, line)| line == "----");
    let text = |lines: &[Line]| lines.iter().map(|(_, line)| line.clone()).collect::<Vec<_>>();
    let sql = text(&block[..dashes.unwrap_or(block.len())]).join("\n");
    let stated = dashes.map(|dashes| text(&block[dashes + 1..]));
    let is_full = |lines: &Vec<String>| {
        !lines
            .iter()
            .any(|line| line.contains("hashing to") || line.starts_with('<'))
    };
    let columns = rest.first().map_or(1, |types| types.len());
    Record {
        line,
        sql: sql.trim_end_matches(';').to_owned(),
        is_query: word == "query",
        stated: stated
            .filter(|lines| word == "query" && is_full(lines))
            .map(|lines| Stated { lines, columns }),
    }
}

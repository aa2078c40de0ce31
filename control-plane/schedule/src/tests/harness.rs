//! Reads scripts, plays the driver, prints transcripts.
//!
//! ```text
//! settings concurrency=2                  first line only; also transient=, retries=, task=30s, copies=none, copies_mb_ms=, short=1 (turns, of
//!                                         turn=10s each)
//! submit q 2>3>1 deadline=10s rows=5      a chain of stages with 2, 3 and 1 tasks, at most 5 rows (one per partition and task); `diamond`: s0 feeds s1 and s2, which s3 joins
//!                                         size=six: every task begins in the largest function
//!                                         heavy=5: the last task of s0 has five times the bytes
//!                                         group=20 lets tasks of 20 bytes be formed anew, enough=4 rows of s0 are all that is wanted
//!                                         instead=50: s1 is one task if s0 has at most 50 bytes
//! report s0/t1/a0 inline nonce=7          also q2/s0/t0/a0, content=2 (other rows), empty, hot=2 (ten times the rows in
//!                                         partition 2), pinned=wrong, partitions=9, unheard (published, and nobody was told)
//! fail s0/t0/a1 transient                 or user, throttled 500ms, unreachable, lost, memory, timeout, broken, input s0/t1
//! wait 2s                                 fires what falls due, at its time
//! cancel q     progress q
//! crash                                   the scheduler is gone; what was journaled and published stays
//! claim                                   another coordinator's claim to q, journaled
//! cancel elsewhere                        another coordinator's cancel of q, journaled
//! resume q epoch=2 gone=s0/t0/a0          the next coordinator; that object is gone
//! fence q
//! ```
//! `settings wins=2 risk=300ms` journals after so many winners, or so many milliseconds of inline ones at 1,769 MB.
//! An attempt without a query belongs to `q`. Every report bills 100 ms, every failure 10 ms, every 1,769 MB unless escalated.

use crate::{Command, Event, QueryLimits, Scheduler, Settings, Usage};
use expect_test::Expect;
use mayfly_protocol::journal::{Entry, Outcome};
use mayfly_protocol::{
    Alternative, AttemptId, Digest, EpochMs, ErrorCode, Exchange, ExchangeKind, Failure, FileRange, FunctionSize,
    InputRead, Meter, Nonce, Output, OutputLocation, PartitionDigest, PartitionEntry, PartitionRange, PlanBytes,
    Regroup, SliceSource, Split, Stage, StageGraph, StageId, StageInput, TaskId, TaskReport, TaskSpec, TaskStatistics,
    TaskTemplate,
};
use std::collections::BTreeMap;
use std::fmt::Write;

pub(crate) fn check(script: &str, expected: Expect) {
    let mut play = Play::new();
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        writeln!(play.text, "{line}").expect("text");
        play.line(line);
        play.drain();
    }
    expected.assert_eq(&play.text);
}

const PARTITIONS: u32 = 4;

struct Submitted {
    graph: StageGraph,
    deadline: EpochMs,
    limits: QueryLimits,
}

struct Play {
    settings: Settings,
    scheduler: Scheduler,
    now: EpochMs,
    specs: BTreeMap<AttemptId, TaskSpec>,
    text: String,
    /// Of `q`: how it was submitted, what was journaled, and all that was published.
    submitted: Option<Submitted>,
    journal: Vec<Entry>,
    published: Vec<TaskReport>,
    /// Printed before commands that no line asked for.
    clock: bool,
}

impl Play {
    fn new() -> Play {
        Play {
            settings: Settings::default(),
            scheduler: Scheduler::new(Settings::default(), 1),
            now: EpochMs(0),
            specs: BTreeMap::new(),
            text: String::new(),
            submitted: None,
            journal: Vec::new(),
            published: Vec::new(),
            clock: false,
        }
    }

    fn line(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["settings", rest @ ..] => {
                self.settings = settings(rest);
                self.scheduler = Scheduler::new(self.settings.clone(), 1);
            }
            ["submit", query, shape, rest @ ..] => self.submit(query, shape, rest),
            ["report", attempt, rest @ ..] => self.report(attempt, rest),
            ["fail", attempt, rest @ ..] => self.fail(attempt, rest),
            ["cancel", "elsewhere"] => self.journal.push(Entry::Cancel),
            ["cancel", query] => self.handle(Event::Canceled {
                query: query.parse().expect("a query"),
            }),
            ["crash"] => self.scheduler = Scheduler::new(self.settings.clone(), 1),
            ["claim"] => self.journal.push(epoch(2)),
            ["resume", "q", rest @ ..] => self.resume(rest),
            ["fence", query] => self.handle(Event::Fenced {
                query: query.parse().expect("a query"),
            }),
            ["wait", time] => self.wait(ms(time)),
            ["progress", query] => self.progress(query),
            other => panic!("not a line of a script: {other:?}"),
        }
    }

    fn handle(&mut self, event: Event) {
        self.scheduler.handle(self.now, event);
    }

    fn submit(&mut self, query: &str, shape: &str, rest: &[&str]) {
        let plan = option(rest, "plan").map_or(3, |text| text.parse().expect("bytes"));
        let deadline = option(rest, "deadline").map_or(600_000, ms);
        let graph = sized(graph(shape, plan), option(rest, "size"));
        let graph = sufficing(regrouping(graph, option(rest, "group")), option(rest, "enough"));
        let submitted = Submitted {
            graph: changing(skewed(graph, option(rest, "heavy")), option(rest, "instead")),
            deadline: EpochMs(self.now.0 + deadline),
            limits: QueryLimits {
                memory_bytes_max: option(rest, "memory").map(|text| text.parse().expect("bytes")),
                result_rows_max: option(rest, "rows").map(|text| text.parse().expect("a number")),
            },
        };
        self.handle(Event::Submitted {
            query: query.parse().expect("a query"),
            epoch: 1,
            graph: submitted.graph.clone(),
            deadline: submitted.deadline,
            limits: submitted.limits,
        });
        self.journal = vec![epoch(1)];
        self.submitted = Some(submitted);
    }

    fn resume(&mut self, rest: &[&str]) {
        let submitted = self.submitted.as_ref().expect("q was submitted");
        let gone: Vec<AttemptId> = rest
            .iter()
            .filter_map(|word| word.strip_prefix("gone="))
            .map(attempt_id)
            .collect();
        let is_there = |report: &&TaskReport| {
            let is_object = matches!(report.output.location, OutputLocation::Object { .. });
            is_object && !gone.contains(&report.attempt)
        };
        let epoch = option(rest, "epoch").map_or(2, |text| text.parse().expect("an epoch"));
        self.handle(Event::Resumed {
            query: "q".parse().expect("a query"),
            epoch,
            graph: submitted.graph.clone(),
            deadline: submitted.deadline,
            limits: submitted.limits,
            entries: self.journal.clone(),
            found: self.published.iter().filter(is_there).cloned().collect(),
        });
        self.journal.push(self::epoch(epoch));
    }

    fn report(&mut self, attempt: &str, rest: &[&str]) {
        let attempt = attempt_id(attempt);
        let spec = self.invoked(&attempt);
        let answer = Box::new(report(spec, rest));
        let meter = meter(100, spec.size);
        self.published.push((*answer).clone());
        if !rest.contains(&"unheard") {
            self.handle(Event::Reported { attempt, answer, meter });
        }
    }

    fn fail(&mut self, attempt: &str, rest: &[&str]) {
        let attempt = attempt_id(attempt);
        let spec = self.invoked(&attempt);
        let failure = failure(spec, rest);
        let meter = meter(10, spec.size);
        self.handle(Event::Failed {
            attempt,
            failure,
            meter,
        });
    }

    fn invoked(&self, attempt: &AttemptId) -> &TaskSpec {
        let spec = self.specs.get(attempt);
        spec.unwrap_or_else(|| panic!("{attempt} was not invoked:\n{}", self.text))
    }

    fn wait(&mut self, ms: u64) {
        let until = EpochMs(self.now.0 + ms);
        self.clock = true;
        while let Some(at) = self.scheduler.poll_timeout().filter(|at| *at <= until) {
            self.now = at;
            self.scheduler.handle_timeout(at);
            self.drain();
        }
        self.clock = false;
        self.now = until;
    }

    fn progress(&mut self, query: &str) {
        let progress = self.scheduler.progress(&query.parse().expect("a query"));
        for stage in progress.expect("a query that runs").stages {
            writeln!(
                self.text,
                "    {}: {} planned, {} queued, {} running, {} done, {} failed; {} rows out",
                stage.stage,
                stage.planned,
                stage.queued,
                stage.running,
                stage.done,
                stage.failed_attempts,
                stage.rows_out
            )
            .expect("text");
            if stage.copies > 0 {
                let (copies, won, ms) = (stage.copies, stage.copies_won, stage.speculated.billed_ms);
                writeln!(self.text, "        {copies} copies, {won} won, {ms} ms").expect("text");
            }
        }
    }

    fn drain(&mut self) {
        while let Some(command) = self.scheduler.poll_command() {
            let line = self.show(command);
            let clock = match self.clock {
                true => format!("{:.3} s: ", self.now.0 as f64 / 1_000.0),
                false => String::new(),
            };
            writeln!(self.text, "    {clock}{line}").expect("text");
        }
    }

    fn show(&mut self, command: Command) -> String {
        match command {
            Command::PutPlan { key, plan, .. } => {
                format!("put plan {}… ({} bytes)", &key[..key.len() - 60], plan.bytes.len())
            }
            Command::Regrouped { stage, tasks, .. } => format!("regroup {stage}: {}", show_tasks(&tasks)),
            Command::Switched { alternative, .. } => format!("switch {}", alternative.stage.id),
            Command::Invoke { spec, size } => {
                let (usual_ms, settings) = (self.settings.task_duration_ms, &self.settings);
                let is_short = |time_ms| settings.short_turns_max > 0 && time_ms == settings.short_turn_ms;
                let time_ms =
                    Some(spec.deadline.0 - self.now.0).filter(|time_ms| *time_ms > usual_ms || is_short(*time_ms));
                let line = show_spec(&spec, size, time_ms);
                self.specs.insert(spec.attempt.clone(), *spec);
                line
            }
            Command::Journal { query } => {
                let entries = self.scheduler.take_entries(&query);
                self.handle(Event::Journaled { query });
                let line = format!("journal {}", show_entries(&entries));
                self.journal.extend(entries);
                line
            }
            Command::Finish {
                query, outcome, usage, ..
            } => {
                let entries = self.scheduler.take_entries(&query);
                let line = format!("finish {query} {}; {}", show_outcome(&outcome), show_usage(&usage));
                self.journal.extend(entries);
                self.handle(Event::Ended { query });
                line
            }
            Command::Late {
                attempt, meter, output, ..
            } => {
                let garbage = output.map_or("", |_| ", its object is garbage");
                format!("late {}: {} ms{garbage}", short(&attempt), meter.billed_ms)
            }
            Command::Discard { output, .. } => format!("discard {}", show_output(&output)),
        }
    }
}

fn settings(words: &[&str]) -> Settings {
    let mut settings = Settings::default();
    let number = |name| option(words, name).map(|text| text.parse().expect("a number"));
    settings.concurrency_max = number("concurrency").unwrap_or(settings.concurrency_max);
    settings.journal_wins_max = number("wins").unwrap_or(settings.journal_wins_max);
    let risk = option(words, "risk").map(|text| ms(text) * u64::from(FunctionSize::One.memory_mb()));
    settings.journal_risk_mb_ms_max = risk.unwrap_or(settings.journal_risk_mb_ms_max);
    settings.transient_attempts_max = number("transient").unwrap_or(settings.transient_attempts_max);
    settings.retries_min = number("retries").unwrap_or(settings.retries_min);
    if option(words, "copies") == Some("none") {
        settings.speculation = None;
    }
    if let (Some(rule), Some(cost)) = (&mut settings.speculation, number("copies_mb_ms")) {
        rule.cost_mb_ms_min = cost.into();
    }
    settings.short_turns_max = number("short").unwrap_or(settings.short_turns_max);
    settings.short_turn_ms = option(words, "turn").map_or(settings.short_turn_ms, ms);
    settings.task_duration_ms = option(words, "task").map_or(settings.task_duration_ms, ms);
    settings
}

fn option<'a>(words: &[&'a str], name: &str) -> Option<&'a str> {
    let value = |word: &&'a str| word.strip_prefix(name).and_then(|rest| rest.strip_prefix('='));
    words.iter().find_map(value)
}

fn ms(text: &str) -> u64 {
    match text.strip_suffix("ms") {
        Some(ms) => ms.parse().expect("milliseconds"),
        None => {
            let seconds: u64 = text
                .strip_suffix('s')
                .and_then(|text| text.parse().ok())
                .expect("seconds");
            seconds * 1_000
        }
    }
}

fn attempt_id(text: &str) -> AttemptId {
    let text = match text.starts_with('q') {
        true => text.to_owned(),
        false => format!("q/{text}"),
    };
    text.parse().expect("an attempt")
}

fn epoch(epoch: u32) -> Entry {
    let coordinator = format!("c{epoch}");
    Entry::Epoch { epoch, coordinator }
}

/// `s0/t0/a0, regroup s1, lost s0/t0`.
fn show_entries(entries: &[Entry]) -> String {
    let show = |entry: &Entry| match entry {
        Entry::Won(won) => short(&won.attempt),
        Entry::Lost { task, .. } => format!("lost {task}"),
        Entry::Regrouped { stage, .. } => format!("regroup {stage}"),
        Entry::Switched { alternative } => format!("switch {}", alternative.stage.id),
        other => panic!("not the scheduler's: {other:?}"),
    };
    entries.iter().map(show).collect::<Vec<_>>().join(", ")
}

fn short(attempt: &AttemptId) -> String {
    let text = attempt.to_string();
    text.strip_prefix("q/").unwrap_or(&text).to_owned()
}

fn meter(billed_ms: u64, size: FunctionSize) -> Meter {
    Meter {
        invocations: 1,
        billed_ms,
        billed_mb_ms: billed_ms * u64::from(size.memory_mb()),
        ..Meter::default()
    }
}

fn graph(shape: &str, plan_bytes: usize) -> StageGraph {
    let stages = match shape {
        "diamond" => vec![
            stage(0, 2, &[], plan_bytes, false),
            stage(1, 2, &[0], plan_bytes, false),
            stage(2, 2, &[0], plan_bytes, false),
            stage(3, 1, &[1, 2], plan_bytes, true),
        ],
        chain => {
            let sizes: Vec<u32> = chain.split('>').map(|size| size.parse().expect("tasks")).collect();
            let last = sizes.len() - 1;
            let numbered = (0..).zip(&sizes);
            numbered
                .map(|(index, size)| {
                    let inputs: &[u32] = if index == 0 { &[] } else { &[index - 1] };
                    stage(index, *size, inputs, plan_bytes, index as usize == last)
                })
                .collect()
        }
    };
    StageGraph {
        stages,
        settings: BTreeMap::new(),
        alternatives: Vec::new(),
    }
}

/// Tasks of so many bytes; the first input of a stage may be divided.
fn regrouping(mut graph: StageGraph, task_bytes: Option<&str>) -> StageGraph {
    let Some(bytes) = task_bytes else { return graph };
    for stage in graph.stages.iter_mut().filter(|stage| !stage.inputs.is_empty()) {
        stage.regroup = Some(Regroup {
            task_bytes: bytes.parse().expect("bytes"),
            slots: 8,
            divisible: vec![0],
        });
    }
    graph
}

/// Tasks begin in the largest function.
fn sized(mut graph: StageGraph, size: Option<&str>) -> StageGraph {
    if size == Some("six") {
        graph.stages.iter_mut().for_each(|stage| stage.size = FunctionSize::Six);
    }
    graph
}

/// The first stage's last task has so many times the others' bytes.
fn skewed(mut graph: StageGraph, times: Option<&str>) -> StageGraph {
    let last = graph.stages[0].tasks.last_mut().expect("a task");
    for split in last.scans.iter_mut().flatten() {
        split.scan_bytes *= times.map_or(1, |text| text.parse::<u64>().expect("a number"));
    }
    graph
}

/// So many rows of the first stage are enough.
fn sufficing(mut graph: StageGraph, rows: Option<&str>) -> StageGraph {
    graph.stages[0].enough_rows = rows.map(|text| text.parse().expect("rows"));
    graph
}

/// One task does all of the second stage's work if the first has at most so many bytes.
fn changing(mut graph: StageGraph, bytes_max: Option<&str>) -> StageGraph {
    let Some(bytes_max) = bytes_max else { return graph };
    let mut other = graph.stages[1].clone();
    other.tasks.truncate(1);
    other.tasks[0].partitions = PartitionRange::new(0, PARTITIONS);
    graph.alternatives = vec![Alternative {
        decides: StageId::new(0),
        bytes_max: bytes_max.parse().expect("bytes"),
        stage: other,
        dropped: Vec::new(),
    }];
    graph
}

fn stage(index: u32, tasks: u32, inputs: &[u32], plan_bytes: usize, root: bool) -> Stage {
    let whole = PartitionRange::new(0, PARTITIONS);
    let template = |task| TaskTemplate {
        scans: if inputs.is_empty() {
            vec![vec![split(task)]]
        } else {
            vec![]
        },
        partitions: if inputs.is_empty() {
            PartitionRange::default()
        } else {
            whole.piece(task, tasks)
        },
        share: None,
    };
    let numbered = (0..).zip(inputs);
    Stage {
        id: StageId::new(index),
        plan: PlanBytes::new(vec![index as u8; plan_bytes]),
        inputs: numbered
            .map(|(input, stage)| StageInput {
                input,
                stage: StageId::new(*stage),
                read: InputRead::Partitions,
            })
            .collect(),
        tasks: (0..tasks).map(template).collect(),
        output: Exchange {
            kind: if root { ExchangeKind::Result } else { ExchangeKind::Hash },
            partitions: if root { 1 } else { PARTITIONS },
        },
        local_partitions: 1,
        size: FunctionSize::One,
        output_bytes_estimate: 0,
        enough_rows: None,
        after: None,
        regroup: None,
    }
}

fn split(task: u32) -> Split {
    Split {
        bucket: "lake".to_owned(),
        key: format!("t/{task}.parquet"),
        etag: "e".to_owned(),
        size_bytes: 1,
        range: FileRange::All,
        scan_bytes: 1_000_000,
        rows: 1,
        partition_values: Vec::new(),
    }
}

fn report(spec: &TaskSpec, words: &[&str]) -> TaskReport {
    let own = u64::from(spec.attempt.number);
    let nonce = Nonce(option(words, "nonce").map_or(own, |text| text.parse().expect("a nonce")));
    let content: u64 = option(words, "content").map_or(0, |text| text.parse().expect("content"));
    let partitions = option(words, "partitions").map_or(spec.output.partitions, |text| text.parse().expect("a count"));
    let rows = u64::from(!words.contains(&"empty"));
    let hot = option(words, "hot").map(|text| text.parse::<u32>().expect("a partition"));
    let entry = |partition: u32| {
        let rows = if hot == Some(partition) { 10 * rows } else { rows };
        PartitionEntry {
            len_bytes: 10 * rows,
            rows,
            digest: PartitionDigest(rows * (1 + content * 100 + u64::from(partition))),
        }
    };
    let partitions: Vec<PartitionEntry> = (0..partitions).map(entry).collect();
    let len = partitions.iter().map(|entry| entry.len_bytes as usize).sum();
    let location = match words.contains(&"inline") {
        true => OutputLocation::Inline { bytes: vec![7; len] },
        false => OutputLocation::Object {
            key: format!("{}{nonce}", spec.output.key_prefix).into(),
            etag: format!("etag-{nonce}").into(),
            size_bytes: 16 + len as u64,
            data_offset: 16,
        },
    };
    let wrong = option(words, "pinned").map(|_| Digest::of(b"wrong"));
    TaskReport {
        attempt: spec.attempt.clone(),
        nonce,
        output: Output { location, partitions },
        pin_digest: wrong.unwrap_or(spec.pin_digest),
        meter: Meter::default(),
        statistics: TaskStatistics::default(),
    }
}

fn failure(spec: &TaskSpec, words: &[&str]) -> Failure {
    let message = "as the script says".to_owned();
    match words {
        ["user"] => Failure::user(ErrorCode::DivisionByZero, "division by zero"),
        ["transient"] => Failure::Transient { message },
        ["throttled"] => Failure::Throttled { retry_after_ms: None },
        ["throttled", after] => Failure::Throttled {
            retry_after_ms: Some(ms(after)),
        },
        ["unreachable"] => Failure::Unreachable { message },
        ["lost"] => Failure::EnvironmentLost { message },
        ["memory"] => Failure::NeedsMemory { message },
        ["timeout"] => Failure::TimedOut { message },
        ["broken"] => Failure::Broken { message },
        ["input", producer] => {
            let producer: TaskId = producer.parse().expect("a task");
            let slices = spec.inputs.iter().flat_map(|input| &input.slices);
            let slice = slices
                .filter(|slice| slice.producer == producer)
                .find_map(|slice| match &slice.source {
                    SliceSource::Object { key, .. } => Some(key.to_string()),
                    _ => None,
                });
            Failure::InputLost {
                producer,
                key: slice.unwrap_or_default(),
                message,
            }
        }
        other => panic!("not a failure: {other:?}"),
    }
}

/// `0..2 2..3`; `3..4 of 0..2` is what producers 0 and 1 wrote of partition 3.
fn show_tasks(tasks: &[TaskTemplate]) -> String {
    let show = |task: &TaskTemplate| {
        let (range, share) = (task.partitions, task.share.map(|share| share.producers));
        let of = share.map_or(String::new(), |share| format!(" of {}..{}", share.start, share.end));
        format!("{}..{}{of}", range.start, range.end)
    };
    tasks.iter().map(show).collect::<Vec<_>>().join(" ")
}

/// The size and the time of an attempt that has more than a first one.
fn show_spec(spec: &TaskSpec, size: FunctionSize, time_ms: Option<u64>) -> String {
    let mut line = format!("invoke {}", short(&spec.attempt));
    if size != FunctionSize::One {
        write!(line, " {} MB", size.memory_mb()).expect("text");
    }
    if let Some(time_ms) = time_ms {
        write!(line, " {} s", time_ms / 1_000).expect("text");
    }
    for input in &spec.inputs {
        let range = input.partitions;
        write!(line, " [{}..{}]", range.start, range.end).expect("text");
        for slice in &input.slices {
            let from = match &slice.source {
                SliceSource::Object { key, offset, .. } => format!("{}+{offset}", show_key(key)),
                SliceSource::Inline { bytes } => format!("{} inline {}", slice.producer, bytes.len()),
                SliceSource::Empty => format!("{} empty", slice.producer),
            };
            write!(line, " {from},").expect("text");
        }
        line.pop();
    }
    line
}

/// `s0/t1/a2` from `x/default/05/q/s0/t1/1-2-0000000000000002`, with the nonce if it is not the attempt's number.
fn show_key(key: &str) -> String {
    let parts: Vec<&str> = key.split('/').collect();
    let [.., stage, task, attempt] = parts.as_slice() else {
        panic!("not a key: {key}")
    };
    let fields: Vec<&str> = attempt.split('-').collect();
    let [_, number, nonce] = fields.as_slice() else {
        panic!("not a key: {key}")
    };
    let nonce: Nonce = nonce.parse().expect("a nonce");
    let shown = match nonce.0.to_string() == *number {
        true => String::new(),
        false => format!("#{}", nonce.0),
    };
    format!("{stage}/{task}/a{number}{shown}")
}

fn show_output(output: &Output) -> String {
    match &output.location {
        OutputLocation::Object { key, .. } => show_key(key),
        OutputLocation::Inline { bytes } => format!("inline {}", bytes.len()),
    }
}

fn show_outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Finished { outputs, .. } => {
            let outputs: Vec<String> = outputs.iter().map(show_output).collect();
            format!("with {}", outputs.join(", "))
        }
        Outcome::Failed { error } => format!("{}: {error}", error.code),
        Outcome::Canceled => "canceled".to_owned(),
    }
}

fn show_usage(usage: &Usage) -> String {
    let stages = usage.stages.iter().map(|(stage, meter)| {
        let bounded = if meter.bounded > 0 { " at most" } else { "" };
        format!("{stage} {}×{bounded} {} ms", meter.invocations, meter.billed_ms)
    });
    let stages: Vec<String> = stages.collect();
    if stages.is_empty() {
        "nothing used".to_owned()
    } else {
        stages.join(", ")
    }
}

//! Bytes that outlive a process are a promise: each message against its golden file, and what is refused.
//!
//! A golden file is never edited. New meaning gets a new version and a new file. `UPDATE_EXPECT=1` writes a file that is missing.

use expect_test::{Expect, expect, expect_file};
use mayfly_protocol::envelope::{EnvelopeError, Message, TaskAnswer, open, seal};
use mayfly_protocol::journal::{Accepted, Entry, Outcome, Record, Request, Won, WonOutput};
use mayfly_protocol::spec::{PartitionSlice, PlanRef};
use mayfly_protocol::*;
use std::collections::BTreeMap;

fn attempt() -> AttemptId {
    "20261120_151209_00042_k3x9a/s2/t14/a1".parse().expect("an attempt")
}

fn producer(index: u32) -> TaskId {
    let stage = StageId::new(1);
    TaskId { stage, index }
}

fn meter() -> Meter {
    Meter {
        invocations: 1,
        cold_starts: 1,
        billed_mb_ms: 176_900,
        billed_ms: 100,
        s3: S3Meter {
            gets: 3,
            puts: 1,
            bytes_read: 4_096,
            bytes_written: 512,
            ..S3Meter::default()
        },
        ..Meter::default()
    }
}

fn slices() -> Vec<ProducerSlice> {
    let partition = |len_bytes, rows, digest| PartitionSlice {
        len_bytes,
        rows,
        digest: PartitionDigest(digest),
    };
    let slice = |index, source, partitions| ProducerSlice {
        producer: producer(index),
        source,
        partitions,
    };
    let object = SliceSource::Object {
        key: "x/default/05/20261120_151209_00042_k3x9a/s1/t0/1-0-00000000000000ff".into(),
        etag: "\"9a0364b9e99bb480dd25e1f0284c8555\"".into(),
        offset: 4_096,
    };
    let inline = SliceSource::Inline {
        bytes: b"arrow".to_vec(),
    };
    vec![
        slice(0, object, vec![partition(300, 10, 0xfeed), partition(0, 0, 0)]),
        slice(1, inline, vec![partition(5, 1, 0xbeef), partition(0, 0, 0)]),
        slice(2, SliceSource::Empty, vec![partition(0, 0, 0), partition(0, 0, 0)]),
    ]
}

fn spec() -> TaskSpec {
    TaskSpec {
        attempt: attempt(),
        plan: PlanRef::Inline(PlanBytes::new(b"plan".to_vec())),
        scans: vec![ScanBinding {
            scan: 0,
            splits: vec![Split {
                bucket: "lake".to_owned(),
                key: "tpch/lineitem/0.parquet".to_owned(),
                etag: "\"d41d8cd98f00b204e9800998ecf8427e\"".to_owned(),
                size_bytes: 1_048_576,
                range: FileRange::RowGroups { start: 2, end: 4 },
                scan_bytes: 65_536,
                rows: 1_000,
                partition_values: Vec::new(),
            }],
        }],
        inputs: vec![InputBinding {
            input: 0,
            stage: StageId::new(1),
            read: InputRead::Partitions,
            partitions: PartitionRange::new(4, 6),
            producers: PartitionRange::new(0, 3),
            slices: slices(),
        }],
        output: OutputSpec {
            bucket: "mayfly".to_owned(),
            key_prefix: key::output_prefix(&TenantId::default(), &attempt()),
            partitions: 2,
            inline_bytes_max: 65_536,
        },
        local_partitions: 1,
        size: FunctionSize::Two,
        memory_bytes_max: Some(1_000_000),
        sort_merge_joins: false,
        cancel_key: None,
        deadline: EpochMs(1_795_187_529_000),
        sent: None,
        settings: BTreeMap::from([("datafusion.execution.batch_size".to_owned(), "8192".to_owned())]),
        pin_digest: Digest::of(b"pins"),
    }
}

fn output() -> Output {
    let entry = |len_bytes, rows, digest| PartitionEntry {
        len_bytes,
        rows,
        digest: PartitionDigest(digest),
    };
    Output {
        location: OutputLocation::Object {
            key: key::output(&TenantId::default(), &attempt(), Nonce(0xabc)).into(),
            etag: "\"0cc175b9c0f1b6a831c399e269772661\"".into(),
            size_bytes: 1_000,
            data_offset: 64,
        },
        partitions: vec![entry(700, 20, 0xd1), entry(0, 0, 0)],
    }
}

fn done() -> TaskAnswer {
    TaskAnswer::Done(TaskReport {
        attempt: attempt(),
        nonce: Nonce(0xabc),
        output: output(),
        pin_digest: Digest::of(b"pins"),
        meter: meter(),
        statistics: TaskStatistics {
            rows_scanned: 1_000,
            rows_written: 20,
            cpu_ms: 80,
            elapsed_ms: 95,
            ..TaskStatistics::default()
        },
    })
}

fn failed() -> TaskAnswer {
    TaskAnswer::Failed {
        failure: Failure::InputLost {
            producer: producer(0),
            key: "x/default/05/20261120_151209_00042_k3x9a/s1/t0/1-0-00000000000000ff".into(),
            message: "no such key".to_owned(),
        },
        meter: meter(),
    }
}

fn record(entries: Vec<Entry>) -> Record {
    Record {
        writer: "7f3e".to_owned(),
        written_at: EpochMs(1_795_187_469_000),
        entries,
        spent: None,
    }
}

fn graph() -> StageGraph {
    let stage = Stage {
        id: StageId::new(2),
        plan: PlanBytes::new(b"plan".to_vec()),
        inputs: Vec::new(),
        tasks: vec![TaskTemplate {
            scans: spec().scans.into_iter().map(|scan| scan.splits).collect(),
            ..TaskTemplate::default()
        }],
        output: Exchange {
            kind: ExchangeKind::Result,
            partitions: 1,
        },
        local_partitions: 1,
        size: FunctionSize::One,
        output_bytes_estimate: 8,
        enough_rows: None,
        after: None,
        regroup: None,
    };
    StageGraph {
        stages: vec![stage],
        settings: BTreeMap::from([("datafusion.execution.batch_size".to_owned(), "8192".to_owned())]),
        alternatives: Vec::new(),
    }
}

fn accepted() -> Record {
    let request = Request {
        sql: "SELECT count(*) FROM lineitem".to_owned(),
        user: "ada".to_owned(),
        source: None,
        catalog: Some("lake".to_owned()),
        schema: Some("tpch_sf1".to_owned()),
        time_zone: None,
        session: BTreeMap::from([("target_task_bytes".to_owned(), "1MB".to_owned())]),
        accepted_at: EpochMs(1_795_187_469_000),
        deadline: EpochMs(1_795_191_069_000),
    };
    let limits = QueryLimits {
        result_rows_max: Some(1_000),
        ..QueryLimits::default()
    };
    let accepted = Accepted {
        request,
        limits,
        graph: graph(),
        presentation: "columns".to_owned(),
    };
    record(vec![Entry::Accepted(Box::new(accepted)), epoch(1)])
}

fn epoch(epoch: u32) -> Entry {
    let coordinator = "ip-10-0-0-1".to_owned();
    Entry::Epoch { epoch, coordinator }
}

fn won(output: &Output) -> Entry {
    Entry::Won(Box::new(Won {
        attempt: attempt(),
        nonce: Nonce(0xabc),
        pin_digest: Digest::of(b"pins"),
        output: WonOutput::of(output),
    }))
}

fn work() -> Record {
    let inline = Output {
        location: OutputLocation::Inline {
            bytes: b"arrow".to_vec(),
        },
        partitions: vec![PartitionEntry {
            len_bytes: 5,
            rows: 1,
            digest: PartitionDigest(0xbeef),
        }],
    };
    let alternative = Box::new(Alternative {
        decides: StageId::new(1),
        bytes_max: 1_000,
        stage: graph().stages.remove(0),
        dropped: Vec::new(),
    });
    let entries = vec![
        epoch(2),
        Entry::Beat { epoch: 2 },
        Entry::Regrouped {
            stage: StageId::new(2),
            tasks: vec![TaskTemplate::default()],
        },
        Entry::Switched { alternative },
        won(&output()),
        won(&inline),
        Entry::Lost {
            task: attempt().task,
            nonce: Nonce(0xabc),
            why: "no such key".to_owned(),
        },
        Entry::Cancel,
    ];
    Record {
        spent: Some(Box::new(meter())),
        ..record(entries)
    }
}

fn finale() -> Record {
    let outcome = Outcome::Finished {
        root: StageId::new(2),
        outputs: vec![output()],
    };
    record(vec![
        won(&output()),
        Entry::Final {
            outcome: Box::new(outcome),
            meter: Box::new(meter()),
        },
    ])
}

#[test]
fn a_winner_knows_its_report_by_every_part_of_it() {
    let TaskAnswer::Done(report) = done() else {
        panic!("it is done")
    };
    let won = Won {
        attempt: attempt(),
        nonce: Nonce(0xabc),
        pin_digest: Digest::of(b"pins"),
        output: WonOutput::of(&report.output),
    };
    assert!(won.is_of(&report));
    let mut other = report.clone();
    other.output.partitions[0].rows += 1;
    assert!(!won.is_of(&other));
    let pin_digest = Digest::of(b"others");
    assert!(!won.is_of(&TaskReport { pin_digest, ..report }));
}

/// The message is its golden file, and reads back from it.
#[track_caller]
fn check<T: Message + PartialEq + std::fmt::Debug>(message: &T, golden: expect_test::ExpectFile) {
    let bytes = seal(message);
    golden.assert_eq(std::str::from_utf8(&bytes).expect("JSON is UTF-8"));
    assert_eq!(open::<T>(&bytes).expect("what was sealed opens"), *message);
}

#[test]
fn a_task_spec() {
    check(&spec(), expect_file!["../../tests/golden/protocol/task_spec.v1.json"]);
}

#[test]
fn an_answer_that_is_done() {
    check(
        &done(),
        expect_file!["../../tests/golden/protocol/task_answer_done.v1.json"],
    );
}

#[test]
fn an_answer_that_failed() {
    check(
        &failed(),
        expect_file!["../../tests/golden/protocol/task_answer_failed.v1.json"],
    );
}

#[test]
fn journal_records() {
    check(
        &accepted(),
        expect_file!["../../tests/golden/protocol/journal_accepted.v1.json"],
    );
    check(
        &work(),
        expect_file!["../../tests/golden/protocol/journal_work.v1.json"],
    );
    check(
        &finale(),
        expect_file!["../../tests/golden/protocol/journal_final.v1.json"],
    );
}

#[track_caller]
fn refuses<T: Message + std::fmt::Debug>(text: &str, reason: Expect) {
    let error = open::<T>(text.as_bytes()).expect_err("must be refused");
    reason.assert_eq(&error.to_string());
}

#[test]
fn another_version_or_kind_is_refused_before_its_body_is_read() {
    refuses::<TaskSpec>(
        r#"{"v":2,"kind":"task_spec","body":{"of":"the future"}}"#,
        expect!["message has version 2, this build speaks 1"],
    );
    refuses::<TaskSpec>(
        r#"{"v":1,"kind":"task_answer","body":{}}"#,
        expect![[r#"message is a "task_answer", not a "task_spec""#]],
    );
    refuses::<TaskSpec>(
        r#"{"v":1,"kind":"task_spec","body":{}}"#,
        expect!["malformed task_spec"],
    );
    for text in [
        "",
        "{}",
        "null",
        "[1]",
        r#"{"v":-1,"kind":"task_spec","body":{}}"#,
        "{\"v\":1",
    ] {
        refuses::<TaskSpec>(text, expect!["not an envelope"]);
    }
}

#[test]
fn a_spec_that_was_cut_short_or_has_a_bad_id_is_refused() {
    let whole = String::from_utf8(seal(&spec())).expect("JSON is UTF-8");
    for len in [1, whole.len() / 2, whole.len() - 1] {
        let error = open::<TaskSpec>(&whole.as_bytes()[..len]).expect_err("must be refused");
        assert!(matches!(error, EnvelopeError::Malformed(_)), "{error}");
    }
    let foreign = whole.replacen("/s2/t14/a1", "/s2/t14/../a1", 1);
    let error = open::<TaskSpec>(foreign.as_bytes()).expect_err("must be refused");
    assert!(matches!(error, EnvelopeError::Body { .. }), "{error}");
}

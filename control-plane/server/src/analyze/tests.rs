//! Tests of `analyze`.

use super::*;
use crate::engine::{Journaled, State};
use expect_test::expect;
use mayfly_protocol::{ExchangeKind, Meter, S3Meter, StageId, TaskStatistics};

fn fragment(stage: u32, text: &str) -> Fragment {
    Fragment {
        stage: StageId::new(stage),
        text: text.to_owned(),
        alternatives: Vec::new(),
        tasks: 4,
        bytes_out: 2_000_000,
    }
}

fn scanned() -> StageProgress {
    StageProgress {
        stage: StageId::new(0),
        exchange: ExchangeKind::Hash,
        alternative: None,
        tasks: 3,
        tasks_queued: 0,
        tasks_running: 0,
        tasks_done: 3,
        tasks_skipped: 0,
        attempts_failed: 1,
        rows_in: 1_234_567,
        bytes_in: 8_900_000,
        rows_out: 999,
        bytes_out: 12_345,
        spilled_bytes: 5_000,
        attempts: 4,
        copies: 0,
        copies_won: 0,
        speculated: Meter::default(),
        statistics: TaskStatistics {
            rows_scanned: 1_234_567,
            bytes_scanned: 8_765_432,
            spilled_bytes: 5_000,
            memory_peak_bytes: 64_000_000,
            cpu_ms: 2_000,
            elapsed_ms: 3_500,
            read_ms: 1_400,
            write_ms: 300,
            ..TaskStatistics::default()
        },
        skew: Some(Skew {
            elapsed_ms_median: 1_000,
            elapsed_ms_max: 1_500,
            rows_median: 333,
            rows_max: 333,
        }),
        meter: Meter {
            invocations: 4,
            s3: S3Meter {
                gets: 12,
                hedged: 2,
                puts: 3,
                bytes_read: 8_900_000,
                ..S3Meter::default()
            },
            ..Meter::default()
        },
    }
}

#[test]
fn actuals_stand_under_each_fragment() {
    let status = Status {
        state: State::Finished,
        stages: vec![scanned()],
        in_flight: 0,
        sweep_due: false,
        coordinator: Meter::default(),
        journal: Journaled::default(),
        bill: None,
        error: None,
    };
    let fragments = [
        fragment(1, "Fragment 1 [HASH] tasks=4\n    Output: RESULT\n\n"),
        fragment(0, "Fragment 0 [SOURCE] tasks=4\n    Output: HASH\n\n"),
    ];
    expect![[r#"
        Query: 1 stages, 3 tasks, 4 invocations, 2.000 s CPU, $0.00

        Fragment 1 [HASH] tasks=4
            Actual: did not run: an input turned out small or empty, and its work is done by the stage that reads it, or not needed
            Output: RESULT


        Fragment 0 [SOURCE] tasks=4
            Actual: 3 tasks (planned 4), 4 attempts, 1 failed
            Rows: 1,234,567 scanned, 0 from exchanges, 999 out
            Bytes: 8.7 MB scanned, 8.9 MB read in all, 12.3 kB out (planned 2.0 MB)
            Time: 3.500 s over all tasks: read 1.400 s, compute 2.000 s, write 0.300 s, wait 1.200 s
            Memory: 64.0 MB at most in a task, 5.0 kB spilled
            Cost: 12 GET (2 hedged), 3 PUT, 0 LIST, no bill
            Skew: the slowest task took 1.500 s, the median 1.000 s; the largest output has 333 rows, the median 333
            Output: HASH"#]]
    .assert_eq(&analyzed(&fragments, &status));
}

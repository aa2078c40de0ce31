//! Tests of `invoke`.

use super::classify::crashed;
use super::report_line::ReportLine;
use mayfly_protocol::FunctionSize;

const WARM: &str = "START RequestId: 1 Version: $LATEST\nEND RequestId: 1\nREPORT RequestId: 1\tDuration: 12.34 ms\tBilled Duration: 13 ms\tMemory Size: 1769 MB\tMax Memory Used: 64 MB\t\n";

fn used(memory_used_mb: u64) -> Option<ReportLine> {
    Some(ReportLine {
        billed_ms: 5,
        memory_mb: 1_769,
        memory_used_mb,
        cold: false,
    })
}

#[test]
fn a_report_line_gives_time_memory_and_warmth() {
    let line = ReportLine::find(WARM).expect("it stands there");
    assert_eq!(
        line,
        ReportLine {
            billed_ms: 13,
            memory_mb: 1_769,
            memory_used_mb: 64,
            cold: false
        }
    );
    let cold = ReportLine::find(&WARM.replace("64 MB", "64 MB\tInit Duration: 16.50 ms")).expect("it stands there");
    assert_eq!((cold.cold, cold.meter().billed_mb_ms), (true, 13 * 1_769));
    assert_eq!(ReportLine::find("REPORT RequestId: 1"), None);
}

#[test]
fn how_a_function_died_decides_what_is_next() {
    let check = |payload: &str, line, class: &str| {
        assert_eq!(
            crashed(payload.as_bytes(), line, FunctionSize::One).class(),
            class,
            "{payload}"
        );
    };
    let killed = r#"{"errorType":"Runtime.ExitError","errorMessage":"RequestId: 1 Error: Runtime exited with error: signal: killed"}"#;
    check(killed, used(1_769), "needs_memory");
    check(killed, used(64), "environment_lost");
    check(killed, None, "environment_lost");
    check(&killed.replace("signal: killed", "exit status 101"), used(64), "broken");
    check(
        r#"{"errorType":"Sandbox.Timedout","errorMessage":"Task timed out after 1.00 seconds"}"#,
        used(64),
        "timed_out",
    );
    check("not json", None, "broken");
}

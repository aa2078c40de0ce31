//! Why a planner process ended, told from its signal and its last words.

use super::Death;
use mayfly_protocol::ErrorCode;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;

fn died(signal: i32, words: &str) -> Death {
    Death::of(Some(ExitStatus::from_raw(signal)), words)
}

#[test]
fn last_words_tell_why_a_planner_ended() {
    assert_eq!(died(6, "memory allocation of 25769803776 bytes failed"), Death::Memory);
    assert_eq!(died(9, ""), Death::Killed);
    let stack = "thread 'plan' (7) has overflowed its stack\nfatal runtime error: stack overflow, aborting";
    assert_eq!(died(6, stack), Death::Stack);
    assert!(matches!(died(11, "nothing"), Death::Other(how) if how.contains("signal: 11")));
    assert!(matches!(Death::of(None, ""), Death::Other(_)));
}

#[test]
fn files_are_at_fault_only_until_tables_are_known() {
    let code = |death: Death, looked_up| death.error(looked_up, 1_000_000).code;
    assert_eq!(code(Death::Memory, true), ErrorCode::ExceededLocalMemoryLimit);
    assert_eq!(code(Death::Memory, false), ErrorCode::BadFile);
    assert_eq!(code(Death::Stack, true), ErrorCode::TooComplex);
    assert_eq!(code(Death::Stack, false), ErrorCode::BadFile);
    assert_eq!(
        code(Death::Other("gone".to_owned()), false),
        ErrorCode::GenericInternalError
    );
}

//! Each error that an executor meets, bare and wrapped as DataFusion wraps, against the rule that it must trigger.

use super::*;
use datafusion::common::exec_datafusion_err;
use expect_test::{Expect, expect};
use mayfly_protocol::Digest;
use std::sync::Arc;

fn word(failure: &Failure) -> String {
    match failure {
        Failure::User { error } => format!("{} {error}", error.code),
        Failure::InputLost { producer, key, .. } => format!("input_lost {producer} {key}"),
        other => other.to_string(),
    }
}

/// The same failure whatever stands around the error.
fn check(error: impl Fn() -> DataFusionError, expected: Expect) {
    let bare = word(&classify(&error().into(), &["s3://t/a.parquet".to_owned()]));
    for wrapped in [
        error().context("while running"),
        DataFusionError::Shared(Arc::new(error())),
        DataFusionError::External(Box::new(error())),
        DataFusionError::from(ArrowError::ExternalError(Box::new(error()))),
        DataFusionError::from(ArrowError::from_external_error(Box::new(DataFusionError::Shared(
            Arc::new(error()),
        )))),
        DataFusionError::IoError(std::io::Error::other(error())),
        DataFusionError::ParquetError(Box::new(ParquetError::External(Box::new(error())))),
    ] {
        let error = AttemptError::Write(WriteError::Plan(wrapped));
        assert_eq!(
            word(&classify(&error, &["s3://t/a.parquet".to_owned()])),
            bare,
            "{error:?}"
        );
    }
    expected.assert_eq(&bare);
}

fn external(error: impl std::error::Error + Send + Sync + 'static) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

fn place() -> (String, String) {
    ("t".to_owned(), "a.parquet".to_owned())
}

fn file() -> String {
    "s3://t/a.parquet".to_owned()
}

#[test]
fn what_the_user_can_mend() {
    check(
        || DataFusionError::Plan("Percentile value must be between 0.0 and 1.0".to_owned()),
        expect!["INVALID_FUNCTION_ARGUMENT Percentile value must be between 0.0 and 1.0"],
    );
    check(
        || external(regex::Error::Syntax("unclosed group".to_owned())),
        expect!["INVALID_FUNCTION_ARGUMENT invalid regular expression: unclosed group"],
    );
    check(
        || ArrowError::DivideByZero.into(),
        expect!["DIVISION_BY_ZERO division by zero"],
    );
    check(
        || ArrowError::ArithmeticOverflow("Overflow happened on: 9 + 9".to_owned()).into(),
        expect!["NUMERIC_VALUE_OUT_OF_RANGE Overflow happened on: 9 + 9"],
    );
    check(
        || ArrowError::CastError("Cannot cast string 'x' to value of Int32 type".to_owned()).into(),
        expect!["INVALID_CAST_ARGUMENT Cannot cast string 'x' to value of Int32 type"],
    );
    check(
        || exec_datafusion_err!("no such thing"),
        expect!["GENERIC_USER_ERROR no such thing"],
    );
    check(
        || DataFusionError::NotImplemented("that".to_owned()),
        expect!["NOT_SUPPORTED that"],
    );
}

#[test]
fn what_lies_in_the_files() {
    check(
        || ParquetError::General("bad page".to_owned()).into(),
        expect!["MAYFLY_BAD_FILE s3://t/a.parquet cannot be read: Parquet error: bad page"],
    );
    check(
        || ArrowError::ParquetError("bad page".to_owned()).into(),
        expect!["MAYFLY_BAD_FILE s3://t/a.parquet cannot be read: bad page"],
    );
    check(
        || {
            let cause = ParquetError::EOF("short".to_owned());
            external(SplitError::BadFooter { file: file(), cause })
        },
        expect!["MAYFLY_BAD_FILE s3://t/a.parquet is not a readable Parquet file: EOF: short"],
    );
    let store = |cause: fn() -> StoreError| {
        move || {
            external(SplitError::Store {
                file: file(),
                cause: cause(),
            })
        }
    };
    check(
        store(|| {
            let (bucket, key) = place();
            StoreError::Changed { bucket, key }
        }),
        expect![
            "MAYFLY_SOURCE_CHANGED s3://t/a.parquet changed or vanished while the query read it; run the query again"
        ],
    );
    check(
        store(|| {
            let (bucket, key) = place();
            StoreError::NotFound { bucket, key }
        }),
        expect![
            "MAYFLY_SOURCE_CHANGED s3://t/a.parquet changed or vanished while the query read it; run the query again"
        ],
    );
    check(
        store(|| {
            let (bucket, key) = place();
            StoreError::Throttled { bucket, key }
        }),
        expect!["throttled"],
    );
}

#[test]
fn what_another_try_mends() {
    check(
        || {
            let (bucket, key) = place();
            let source = "connection reset".into();
            external(StoreError::Unavailable { bucket, key, source })
        },
        expect!["transient: s3 is not answering for s3://t/a.parquet: connection reset"],
    );
    check(
        || DataFusionError::ResourcesExhausted("no more".to_owned()),
        expect!["needs_memory: no more"],
    );
    check(
        || {
            let producer = "s1/t2".parse().expect("an id");
            let (key, message) = ("x/k".to_owned(), "checksum".to_owned());
            external(ExchangeError::Corrupt { producer, key, message })
        },
        expect!["input_lost s1/t2 x/k"],
    );
}

#[test]
fn what_the_machine_lacks() {
    check(
        || DataFusionError::IoError(std::io::Error::other("disk quota")),
        expect![
            "EXCEEDED_SPILL_LIMIT local disk for intermediate data ran out: disk quota; lower the session property target_task_bytes, so that each task keeps less, or give executors a larger disk"
        ],
    );
    check(
        || external(ExchangeError::SpillFull { bytes_max: 7 }),
        expect![
            "EXCEEDED_SPILL_LIMIT local disk for intermediate data ran out: spilled output exceeds 7 bytes; lower the session property target_task_bytes, so that each task keeps less, or give executors a larger disk"
        ],
    );
    // DataFusion's advice is a setting that is nobody's here.
    for bytes in ["1.0 KB", "512.0 MB", "9.9 GB"] {
        let text = format!(
            "The used disk space during the spilling process has exceeded the allowable limit of {bytes}. \
             Please try increasing the config: `datafusion.runtime.max_temp_directory_size`."
        );
        let failure = classify(&DataFusionError::IoError(std::io::Error::other(text)).into(), &[]);
        let text = word(&failure);
        assert!(
            text.starts_with("EXCEEDED_SPILL_LIMIT") && text.contains(bytes),
            "{text}"
        );
        assert!(
            text.contains("; lower the session property target_task_bytes") && !text.contains("datafusion."),
            "{text}"
        );
    }
}

#[test]
fn what_is_our_own_fault() {
    let failure = classify(&DataFusionError::Internal("oops".to_owned()).into(), &[]);
    assert_eq!(failure.class(), "broken", "{failure}");
    let message = "kaboom".to_owned();
    let failure = classify(&WriteError::Panicked { message }.into(), &[]);
    expect!["broken: a partition panicked: kaboom"].assert_eq(&word(&failure));
    let (expected, seen) = (Digest([0; 32]), Digest([1; 32]));
    assert_eq!(
        classify(&FragmentError::Digest { expected, seen }.into(), &[]).class(),
        "broken"
    );
    let failure = classify(&FragmentError::Version { found: 9 }.into(), &[]);
    expect!["MAYFLY_EXECUTOR_MISMATCH the plan has version 9, this build speaks 3"].assert_eq(&word(&failure));
}

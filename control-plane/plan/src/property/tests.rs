//! Tests of `property`.

use super::*;

fn parsed(key: &str, value: &str) -> Result<Properties, QueryError> {
    parse(&BTreeMap::from([(key.to_owned(), value.to_owned())]))
}

#[test]
fn sizes_take_units() {
    let cases = [
        ("500000", 500_000),
        ("500000B", 500_000),
        ("8kB", 8_000),
        ("8 KiB", 8_192),
        ("1MB", 1_000_000),
        ("1 mib", 1_048_576),
        ("2GB", 2_000_000_000),
        (" 2GiB ", 2_147_483_648),
    ];
    for (text, expected) in cases {
        assert_eq!(
            parsed("target_task_bytes", text).unwrap().target_task_bytes,
            Some(expected),
            "{text}"
        );
        assert_eq!(
            parsed("MAX_TASK_MEMORY", text).unwrap().max_task_memory_bytes,
            Some(expected),
            "{text}"
        );
    }
}

#[test]
fn other_texts_are_no_sizes() {
    for text in [
        "",
        "B",
        "-1",
        "1.5MB",
        "1 TB",
        "0",
        "0kB",
        "MB1",
        "99999999999999999999",
        "18446744073709551615 GB",
    ] {
        let error = parsed("target_task_bytes", text).unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidSessionProperty, "{text:?}");
    }
}

#[test]
fn properties_of_trino_that_guard_nothing_mean_nothing() {
    assert_eq!(parsed("query_priority", "1").unwrap(), Properties::default());
    assert_eq!(
        parsed("lake.target_partitions", "3").unwrap().target_partitions,
        Some(3)
    );
}

#[test]
fn limits_of_trino_limit() {
    let limits = |pairs: &[(&str, &str)]| {
        let pairs = pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        parse(&pairs.collect()).unwrap()
    };
    let both = limits(&[("max_scan_bytes", "2MB"), ("query_max_scan_physical_bytes", "1MB")]);
    assert_eq!(both.max_scan_bytes, Some(1_000_000));
    let memory = limits(&[
        ("query_max_memory", "1GB"),
        ("max_task_memory", "2GB"),
        ("query_max_memory_per_node", "3GB"),
    ]);
    assert_eq!(memory.max_task_memory_bytes, Some(1_000_000_000));
    assert!(parsed("query_max_execution_time", "soon").is_err());
    assert!(parsed("query_max_scan_physical_bytes", "much").is_err());
    let refused = parsed("query_max_cpu_time", "1h").unwrap_err();
    assert_eq!(refused.code, ErrorCode::NotSupported);
}

#[test]
fn limits_are_whole_numbers_and_durations() {
    assert_eq!(parsed("max_tasks", "20").unwrap().max_tasks, Some(20));
    for key in ["max_run_time", "query_max_run_time", "query_max_execution_time"] {
        assert_eq!(parsed(key, "1.5h").unwrap(), Properties::default());
        assert!(parsed(key, "0s").is_err() && parsed(key, "soon").is_err());
    }
    for key in ["max_tasks", "max_stages", "max_result_rows"] {
        for value in ["0", "-1", "1.5", "many", ""] {
            let error = parsed(key, value).unwrap_err();
            assert_eq!(error.code, ErrorCode::InvalidSessionProperty, "{key} {value:?}");
        }
    }
}

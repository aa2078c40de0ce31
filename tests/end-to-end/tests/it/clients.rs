//! Unmodified Trino clients. Python's runs from a virtual environment that the test makes beside the build.

use crate::support;
use mayfly_end_to_end::{python, tpch};
use std::process::Command;

/// The version that the suite was written against.
const TRINO_CLIENT: &str = "trino==0.340.0";

#[tokio::test(flavor = "multi_thread")]
async fn the_python_client_selects_fails_cancels_and_fetches_a_million_rows() {
    let cloud = support::cloud(&[]).await;
    let script = tpch::root().join("tests/end-to-end/python/check_client.py");
    let text = python::run(
        Command::new(python::with("python-client", &[TRINO_CLIENT]))
            .arg(script)
            .args([&cloud.server.url, &cloud.server.lambda]),
    );
    assert!(text.trim_end().ends_with("all checks passed"), "{text}");
}

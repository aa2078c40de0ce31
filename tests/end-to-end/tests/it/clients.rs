//! Unmodified Trino clients. Python's runs from a virtual environment that the test makes beside the build.

use crate::support;
use mayfly_end_to_end::server::binary;
use mayfly_end_to_end::tpch;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The version that the suite was written against.
const TRINO_CLIENT: &str = "trino==0.340.0";

fn run(command: &mut Command) -> String {
    let output = command.output().expect("the program starts");
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success(), "{command:?}\n{text}");
    text
}

/// A Python with the Trino client in it.
fn python() -> PathBuf {
    let folder = binary()
        .parent()
        .expect("a binary lies in a folder")
        .join("python-client");
    let python = folder.join("bin/python");
    let installed = |python: &Path| {
        python.exists()
            && Command::new(python)
                .args(["-c", "import trino"])
                .status()
                .is_ok_and(|status| status.success())
    };
    if !installed(&python) {
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder));
        run(Command::new(&python).args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            TRINO_CLIENT,
        ]));
    }
    python
}

#[tokio::test(flavor = "multi_thread")]
async fn the_python_client_selects_fails_cancels_and_fetches_a_million_rows() {
    let cloud = support::cloud(&[]).await;
    let script = tpch::root().join("tests/end-to-end/python/check_client.py");
    let text = run(Command::new(python())
        .arg(script)
        .args([&cloud.server.url, &cloud.server.lambda]));
    assert!(text.trim_end().ends_with("all checks passed"), "{text}");
}

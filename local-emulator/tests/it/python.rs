//! boto3 and the AWS CLI against the emulator: the suites in `tests/python`, each run by pytest in a virtual environment that is made beside
//! the build.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use local_emulator::Credentials;

use crate::common::{function, start_with};

fn suites() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python")
}

fn finished(command: &mut Command) -> Output {
    let output = command.output().expect("the program starts");
    let text = [output.stdout.clone(), output.stderr.clone()].concat();
    let text = String::from_utf8_lossy(&text);
    assert!(output.status.success(), "{command:?}\n{text}");
    output
}

/// A Python with what `requirements.txt` names. Made once, by whichever test is first; the others wait.
fn python() -> PathBuf {
    let this = std::env::current_exe().unwrap();
    let folder = this.ancestors().nth(2).unwrap().join("emulator-python");
    std::fs::create_dir_all(&folder).unwrap();
    let lock = std::fs::File::create(folder.join("lock")).unwrap();
    lock.lock().unwrap();
    let requirements = std::fs::read_to_string(suites().join("requirements.txt")).unwrap();
    let (python, made) = (folder.join("venv/bin/python"), folder.join("made"));
    if std::fs::read_to_string(&made).is_ok_and(|made| made == requirements) {
        return python;
    }
    finished(
        Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(folder.join("venv")),
    );
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"];
    finished(Command::new(&python).args(pip).arg(suites().join("requirements.txt")));
    std::fs::write(made, requirements).unwrap();
    python
}

async fn run(suite: &str) {
    let world = start_with(|settings| settings.functions = vec![function("f")]).await;
    let (endpoints, known) = (world.emulator.endpoints(), Credentials::default());
    let mut pytest = Command::new(python());
    pytest
        .args(["-m", "pytest", "-q", "-p", "no:cacheprovider", suite])
        .current_dir(suites())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("S3_ENDPOINT", endpoints.s3)
        .env("SQS_ENDPOINT", endpoints.sqs)
        .env("LAMBDA_ENDPOINT", endpoints.lambda)
        .env("EMULATOR_DATA", world.folder.path().join("data"))
        .env("EMULATOR_PID", std::process::id().to_string())
        .env("AWS_ACCESS_KEY_ID", known.access_key_id)
        .env("AWS_SECRET_ACCESS_KEY", known.secret_access_key)
        .env("AWS_DEFAULT_REGION", "us-east-1");
    // pytest fails by itself where it finds no test.
    let output = tokio::task::spawn_blocking(move || finished(&mut pytest))
        .await
        .unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).contains(" passed"));
}

#[tokio::test(flavor = "multi_thread")]
async fn boto3_speaks_s3() {
    run("test_s3.py").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn boto3_speaks_sqs() {
    run("test_sqs.py").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn boto3_speaks_lambda() {
    run("test_lambda.py").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_aws_cli_speaks_to_all_three() {
    run("test_cli.py").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_requests_are_refused_and_harm_nothing() {
    run("test_malformed.py").await;
}

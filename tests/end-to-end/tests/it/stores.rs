//! S3 by somebody else.

use mayfly_end_to_end::elsewhere::Moto;
use mayfly_end_to_end::server::binary;
use std::process::{Command, Output};

fn serve(s3: &Moto) -> Output {
    // One that is not refused would serve for ever.
    Command::new("timeout")
        .arg("30")
        .arg(binary())
        .args(["serve", "--local", "--port", "0", "--s3-endpoint", &s3.url])
        .envs([("AWS_ACCESS_KEY_ID", "k"), ("AWS_SECRET_ACCESS_KEY", "s")])
        .output()
        .expect("mayfly runs")
}

/// Two coordinators would each believe that they were first.
#[test]
fn a_store_that_ignores_conditions_is_refused_at_start() {
    let refused = serve(&Moto::start(&["--ignore-conditions"]));
    assert_eq!(refused.status.code(), Some(1));
    let message = String::from_utf8_lossy(&refused.stderr);
    assert!(message.contains("condition"), "{message}");
    assert!(refused.stdout.is_empty(), "it never said that it listens");
}

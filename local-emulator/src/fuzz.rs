//! Doors for fuzzing, one per parser: each takes any bytes, and may refuse them but not panic, hang or break what it keeps. The targets
//! stand in `fuzz/`; the tests here knock at each door with the targets' seeds and a few thousand mutations of them.

#[cfg(test)]
mod tests;

use std::sync::OnceLock;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use tokio::runtime::Runtime;

use crate::fault::{FaultSettings, Faults};

pub type Door = fn(&[u8]);

/// Names of the targets, which are those of the folders with their seeds.
pub const DOORS: [(&str, Door); 9] = [
    ("s3_request", crate::s3::fuzz::request),
    ("s3_log", crate::s3::fuzz::log),
    ("sqs_action", crate::sqs::fuzz::action),
    ("sqs_form", crate::sqs::fuzz::form),
    ("sqs_policies", crate::sqs::fuzz::policies),
    ("lambda_call", crate::lambda::fuzz::call),
    ("lambda_zip", crate::lambda::fuzz::zip),
    ("authorization", authorization),
    ("faults", faults),
];

/// Knocks at the door of that name.
pub fn knock(name: &str, data: &[u8]) {
    let door = DOORS.iter().find(|(known, _)| *known == name);
    door.expect("a target is named after its door").1(data);
}

fn authorization(data: &[u8]) {
    if let Ok(value) = HeaderValue::from_bytes(data) {
        let headers = HeaderMap::from_iter([(http::header::AUTHORIZATION, value)]);
        let _ = crate::authorization::check(&headers, "emulator");
    }
}

fn faults(data: &[u8]) {
    if let Ok(settings) = serde_json::from_slice::<FaultSettings>(data) {
        let faults = Faults::new(settings);
        faults.s3.draw("bucket/key", |_| true);
        faults.sqs.draw("jobs", |_| true);
        faults.lambda.draw("f", |_| true);
    }
}

/// `METHOD target`, then `name: value` lines, an empty line, and the body; all that is no such request is none.
pub(crate) fn request(data: &[u8]) -> Option<Request<Bytes>> {
    let (first, mut rest) = first_line(data);
    let (method, target) = first.split_once(' ')?;
    let mut builder = Request::builder().method(method).uri(target);
    loop {
        let (line, behind) = first_line(rest);
        rest = behind;
        let Some((name, value)) = line.split_once(": ") else {
            break;
        };
        builder = builder.header(HeaderName::try_from(name).ok()?, HeaderValue::from_str(value).ok()?);
    }
    builder.body(Bytes::copy_from_slice(rest)).ok()
}

/// The first line as text, and what follows it.
pub(crate) fn first_line(data: &[u8]) -> (String, &[u8]) {
    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let rest = data.get(end + 1..).unwrap_or_default();
    (String::from_utf8_lossy(&data[..end]).into_owned(), rest)
}

pub(crate) fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime starts")
    })
}

//! What a function is configured with: taken from requests within AWS's bounds, and shown.

use std::ops::RangeInclusive;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Problem, invalid, text};
use crate::lambda::function::{About, Function};
use crate::settings::FunctionSettings;

const MEMORY_MB: RangeInclusive<u64> = 128..=10_240;
const TIMEOUT_S: RangeInclusive<u64> = 1..=900;

/// A whole number of a request, if it is there.
pub(super) fn number(asked: &Value, field: &str, range: RangeInclusive<u64>) -> Result<Option<u64>, Problem> {
    let value = match &asked[field] {
        Value::Null => return Ok(None),
        value => value,
    };
    match value.as_u64().filter(|number| range.contains(number)) {
        Some(number) => Ok(Some(number)),
        None => {
            let (low, high) = range.into_inner();
            Err(invalid(format!(
                "Value '{value}' at '{field}' must be between {low} and {high}"
            )))
        }
    }
}

/// Takes over what the request sets, by AWS's bounds.
pub(super) fn configured(settings: &mut FunctionSettings, about: &mut About, asked: &Value) -> Result<(), Problem> {
    if let Some(memory) = number(asked, "MemorySize", MEMORY_MB)? {
        settings.memory_mb = memory as u32;
    }
    if let Some(seconds) = number(asked, "Timeout", TIMEOUT_S)? {
        settings.timeout = Duration::from_secs(seconds);
    }
    if let Some(variables) = asked["Environment"]["Variables"].as_object() {
        let variable = |(name, value): (&String, &Value)| match value.as_str() {
            Some(text) => Ok((name.clone(), text.to_owned())),
            None => Err(invalid(format!("the environment variable '{name}' must be a string"))),
        };
        settings.environment = variables.iter().map(variable).collect::<Result<_, _>>()?;
    }
    if text(asked, "Runtime").is_some_and(|runtime| !runtime.starts_with("provided")) {
        return Err(invalid(
            "only the runtimes provided.al2 and provided.al2023 are emulated",
        ));
    }
    let fields = [
        ("Runtime", &mut about.runtime),
        ("Role", &mut about.role),
        ("Handler", &mut about.handler),
        ("Description", &mut about.description),
    ];
    for (field, place) in fields {
        if let Some(value) = text(asked, field) {
            value.clone_into(place);
        }
    }
    Ok(())
}

pub(super) fn configuration(function: &Function) -> Value {
    let (settings, about) = (&function.settings, &function.about);
    json!({
        "FunctionName": settings.name,
        "FunctionArn": function.versioned_arn(),
        "Runtime": if about.runtime.is_empty() { "provided.al2023" } else { &about.runtime },
        "Role": about.role,
        "Handler": if about.handler.is_empty() { "bootstrap" } else { &about.handler },
        "CodeSize": about.code_bytes,
        "CodeSha256": about.code_sha256,
        "Description": about.description,
        "Timeout": settings.timeout.as_secs(),
        "MemorySize": settings.memory_mb,
        "LastModified": about.modified,
        "Version": function.version,
        "Environment": { "Variables": settings.environment },
        "PackageType": "Zip",
        "Architectures": [if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" }],
        "State": "Active",
        "LastUpdateStatus": "Successful",
    })
}

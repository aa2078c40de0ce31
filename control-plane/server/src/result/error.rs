//! An error in Trino's form. Says what the user can use and nothing of our insides: no stack.

use mayfly_protocol::QueryError;
use serde::Serialize;

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorDocument {
    message: String,
    error_code: u32,
    error_name: &'static str,
    error_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_location: Option<Location>,
    failure_info: FailureInfo,
}

#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    line_number: u32,
    column_number: u32,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct FailureInfo {
    #[serde(rename = "type")]
    kind: String,
    message: String,
    suppressed: [(); 0],
    stack: [(); 0],
    #[serde(skip_serializing_if = "Option::is_none")]
    error_location: Option<Location>,
    error_info: ErrorInfo,
}

#[derive(Clone, Serialize)]
struct ErrorInfo {
    code: u32,
    name: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
}

impl ErrorDocument {
    pub fn new(error: &QueryError) -> ErrorDocument {
        let code = error.code;
        let location = error.location.map(|place| Location {
            line_number: place.line,
            column_number: place.column,
        });
        let kind = code.error_type().name();
        ErrorDocument {
            message: error.to_string(),
            error_code: code.number(),
            error_name: code.name(),
            error_type: kind,
            error_location: location,
            failure_info: FailureInfo {
                kind: format!("mayfly.{}", code.name()),
                message: error.to_string(),
                suppressed: [],
                stack: [],
                error_location: location,
                error_info: ErrorInfo {
                    code: code.number(),
                    name: code.name(),
                    kind,
                },
            },
        }
    }
}

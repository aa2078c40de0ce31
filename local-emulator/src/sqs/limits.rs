//! What a message must be to be taken, and how many of its bytes count. Queues' own bounds stand in attributes.rs.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::error::SqsError;
use super::wire::{AttributeValue, Send};

const ATTRIBUTES_MAX: usize = 10;
const ATTRIBUTE_NAME_BYTES_MAX: usize = 256;

/// Bytes that count against the limits: body, and names, types and values of attributes.
pub(crate) fn message_bytes(request: &Send) -> usize {
    let attribute = |(name, value): (&String, &AttributeValue)| name.len() + value.data_type.len() + value_bytes(value);
    request.message_body.len() + request.message_attributes.iter().map(attribute).sum::<usize>()
}

/// A binary value counts as what it stands for, not as its base64.
pub(crate) fn value_bytes(value: &AttributeValue) -> usize {
    let text = value.string_value.as_ref().map_or(0, String::len);
    let binary = value.binary_value.as_ref();
    text + binary
        .and_then(|base64| BASE64_STANDARD.decode(base64).ok())
        .map_or(0, |bytes| bytes.len())
}

/// What a message must be to be taken.
pub(crate) fn check_message(request: &Send, bytes_max: usize) -> Result<(), SqsError> {
    if request.message_body.is_empty() {
        return Err(SqsError::missing("MessageBody"));
    }
    if message_bytes(request) > bytes_max {
        return Err(SqsError::invalid(format!(
            "One or more parameters are invalid. Reason: Message must be shorter than {bytes_max} bytes."
        )));
    }
    if !request.message_body.chars().all(is_allowed) {
        return Err(SqsError::invalid_contents());
    }
    if request.message_attributes.len() > ATTRIBUTES_MAX {
        let count = request.message_attributes.len();
        return Err(SqsError::invalid(format!(
            "Number of message attributes [{count}] exceeds the allowed maximum [{ATTRIBUTES_MAX}]."
        )));
    }
    request.message_attributes.iter().try_for_each(check_attribute)
}

fn check_attribute((name, value): (&String, &AttributeValue)) -> Result<(), SqsError> {
    let refused = |reason: &str| {
        let text = format!("The message attribute '{name}' {reason}.");
        Err(SqsError::invalid(text))
    };
    let is_named = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    if name.is_empty() || name.len() > ATTRIBUTE_NAME_BYTES_MAX || !is_named {
        return refused("has an invalid name");
    }
    let kind = value.data_type.split('.').next().unwrap_or("");
    match (kind, &value.string_value, &value.binary_value) {
        ("String" | "Number", Some(text), None) if text.is_empty() => refused("must contain a non-empty value"),
        ("String" | "Number", Some(text), None) if !text.chars().all(is_allowed) => {
            refused("contains characters that are not allowed")
        }
        ("Number", Some(text), None) if text.parse::<f64>().is_err() => refused("is no number"),
        ("String" | "Number", Some(_), None) => Ok(()),
        ("Binary", None, Some(base64)) => match BASE64_STANDARD.decode(base64) {
            Ok(bytes) if bytes.is_empty() => refused("must contain a non-empty value"),
            Ok(_) => Ok(()),
            Err(_) => refused("is not valid base64"),
        },
        ("String" | "Number" | "Binary", ..) => refused("must have a value of its type"),
        _ => refused("has a type that is none of String, Number and Binary"),
    }
}

/// XML's characters.
fn is_allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..)
}

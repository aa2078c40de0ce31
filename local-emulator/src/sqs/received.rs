//! A received message as its receiver sees it: the attributes it asked for, and the handle that names this one receipt.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use super::actions::ACCOUNT;
use super::digest::{md5_of_attributes, md5_of_body};
use super::error::SqsError;
use super::messages::{Message, Receipt};
use super::queue::Queue;
use super::wire::{Attributes, Receive, Received};

pub(crate) fn shown(request: &Receive, queue: &Queue, receipt: Receipt, message: Message) -> Received {
    let told = [
        ("ApproximateReceiveCount", message.receive_count),
        ("SentTimestamp", message.sent_ms),
        (
            "ApproximateFirstReceiveTimestamp",
            message.first_received_ms.unwrap_or(message.sent_ms),
        ),
    ];
    let told = told.map(|(name, value)| (name.to_owned(), value.to_string()));
    let mut attributes: Attributes = told
        .into_iter()
        .chain([("SenderId".to_owned(), ACCOUNT.to_owned())])
        .collect();
    let wanted: Vec<&String> = request
        .attribute_names
        .iter()
        .chain(&request.message_system_attribute_names)
        .collect();
    attributes.retain(|name, _| wanted.iter().any(|wanted| *wanted == "All" || *wanted == name));
    let mut message_attributes = message.attributes;
    message_attributes.retain(|name, _| {
        request
            .message_attribute_names
            .iter()
            .any(|wanted| selects(wanted, name))
    });
    Received {
        message_id: message.id,
        receipt_handle: BASE64_URL_SAFE_NO_PAD
            .encode(format!("{}\n{}\n{}", queue.name, receipt.number, receipt.receive_count)),
        md5_of_body: md5_of_body(&message.body),
        body: message.body,
        attributes,
        md5_of_message_attributes: md5_of_attributes(&message_attributes),
        message_attributes,
    }
}

/// `All`, `.*`, a name, or the start of names as `start.*`.
fn selects(wanted: &str, name: &str) -> bool {
    match wanted.strip_suffix(".*") {
        Some(prefix) => name.starts_with(prefix),
        None => wanted == "All" || wanted == name,
    }
}

pub(crate) fn receipt(queue: &Queue, handle: &str) -> Result<Receipt, SqsError> {
    let text = BASE64_URL_SAFE_NO_PAD
        .decode(handle)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok());
    let receipt = text.as_deref().and_then(|text| {
        let mut parts = text.split('\n');
        let is_mine = parts.next()? == queue.name;
        let receipt = Receipt {
            number: parts.next()?.parse().ok()?,
            receive_count: parts.next()?.parse().ok()?,
        };
        (is_mine && parts.next().is_none()).then_some(receipt)
    });
    receipt.ok_or_else(|| SqsError::invalid_receipt(handle))
}

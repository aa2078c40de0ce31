//! The MD5 digests that SDKs check: of a body, and of message attributes in SQS's own binary form.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use md5::{Digest, Md5};

use super::wire::{AttributeValue, MessageAttributes};

const TRANSPORT_TEXT: u8 = 1;
const TRANSPORT_BINARY: u8 = 2;

pub(crate) fn md5_of_body(body: &str) -> String {
    hex::encode(Md5::digest(body))
}

/// `None` for no attributes, as on AWS.
pub(crate) fn md5_of_attributes(attributes: &MessageAttributes) -> Option<String> {
    let mut hash = Md5::new();
    // Sorted by name, which the map is.
    for (name, value) in attributes {
        counted(&mut hash, name.as_bytes());
        counted(&mut hash, value.data_type.as_bytes());
        hash_value(&mut hash, value);
    }
    (!attributes.is_empty()).then(|| hex::encode(hash.finalize()))
}

fn hash_value(hash: &mut Md5, value: &AttributeValue) {
    match (&value.string_value, &value.binary_value) {
        (Some(text), _) => {
            hash.update([TRANSPORT_TEXT]);
            counted(hash, text.as_bytes());
        }
        (None, binary) => {
            hash.update([TRANSPORT_BINARY]);
            let bytes = binary.as_ref().and_then(|binary| BASE64_STANDARD.decode(binary).ok());
            counted(hash, &bytes.unwrap_or_default());
        }
    }
}

fn counted(hash: &mut Md5, bytes: &[u8]) {
    hash.update((bytes.len() as u32).to_be_bytes());
    hash.update(bytes);
}

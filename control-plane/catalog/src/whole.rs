//! Objects of the catalog say of themselves whether they are whole: the last field of their JSON is a digest of all before it. A bit that
//! flips on the way is asked for again; one that stays is an error, and no other table.
//!
//! ```text
//! { "v": 1, … ,
//! "check":"5891b5b5…"}
//! ```

use mayfly_protocol::Digest;
use mayfly_store::{Object, Store, StoreError};
use serde::de::IgnoredAny;

/// No text inside JSON holds it: there a quote follows a backslash.
const FIELD: &str = ",\n\"check\":\"";
const END: &str = "\"}";

/// Times that an object is asked for which does not come whole.
const READS_MAX: u32 = 3;

/// The object with its check; `json` is an object of at least one field.
pub(crate) fn seal(mut json: Vec<u8>) -> Vec<u8> {
    let close = json.pop();
    assert_eq!(close, Some(b'}'), "only an object is sealed");
    while json.last().is_some_and(u8::is_ascii_whitespace) {
        json.pop();
    }
    let check = Digest::of(&json).to_string();
    json.extend([FIELD, &check, END].concat().into_bytes());
    json
}

/// What a reader may make of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whole {
    Yes,
    /// Of a version without a check, and JSON.
    Perhaps,
    No,
}

pub(crate) fn look(bytes: &[u8]) -> Whole {
    let at = bytes.windows(FIELD.len()).rposition(|part| part == FIELD.as_bytes());
    let Some(at) = at else {
        return match serde_json::from_slice::<IgnoredAny>(bytes) {
            Ok(_) => Whole::Perhaps,
            Err(_) => Whole::No,
        };
    };
    let check = [&Digest::of(&bytes[..at]).to_string(), END].concat();
    match &bytes[at + FIELD.len()..] == check.as_bytes() {
        true => Whole::Yes,
        false => Whole::No,
    }
}

/// The object as it is once it comes whole; as it came last if it never does.
pub(crate) async fn read(store: &Store, bucket: &str, key: &str) -> Result<Object, StoreError> {
    let mut reads = 1;
    loop {
        let object = store.get(bucket, key).await?;
        if look(&object.bytes) != Whole::No || reads == READS_MAX {
            return Ok(object);
        }
        tracing::warn!(key, "an object did not come whole; asking again");
        reads += 1;
    }
}

#[cfg(test)]
mod tests;

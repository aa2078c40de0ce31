//! The batch form of an action: the same action per entry, failures told entry by entry.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::error::SqsError;
use super::wire::Entry;

const ENTRIES_MAX: usize = 10;
const ID_BYTES_MAX: usize = 80;

/// Runs `action` on each entry, after what AWS checks of the batch as a whole.
pub(crate) fn run<T, R: Serialize>(
    entries: Vec<Entry<T>>,
    mut action: impl FnMut(T) -> Result<R, SqsError>,
) -> Result<Value, SqsError> {
    check(&entries)?;
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for entry in entries {
        match action(entry.request) {
            Ok(done) => successful.push(with_id(&entry.id, &done)),
            Err(error) => failed.push(json!({
                "Id": entry.id, "SenderFault": true, "Code": error.query_code(), "Message": error.message,
            })),
        }
    }
    let mut answer = Map::new();
    answer.insert("Successful".to_owned(), successful.into());
    if !failed.is_empty() {
        answer.insert("Failed".to_owned(), failed.into());
    }
    Ok(answer.into())
}

fn with_id<R: Serialize>(id: &str, done: &R) -> Value {
    let mut value = serde_json::to_value(done).expect("answers have string keys");
    value["Id"] = id.into();
    value
}

fn check<T>(entries: &[Entry<T>]) -> Result<(), SqsError> {
    match entries.len() {
        0 => return Err(SqsError::empty_batch()),
        count if count > ENTRIES_MAX => return Err(SqsError::long_batch(count)),
        _ => {}
    }
    for (position, Entry { id, .. }) in entries.iter().enumerate() {
        let is_valid = id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        if !is_valid || id.is_empty() || id.len() > ID_BYTES_MAX {
            return Err(SqsError::invalid_id());
        }
        if entries[..position].iter().any(|earlier| earlier.id == *id) {
            return Err(SqsError::repeated_id(id));
        }
    }
    Ok(())
}

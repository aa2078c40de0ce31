//! `application/x-www-form-urlencoded` for one value: `%XX`, and `+` for a blank.

/// None when a `%` is not followed by two hex digits or the bytes are not UTF-8.
pub fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        match first {
            b'+' => bytes.push(b' '),
            b'%' => {
                let (pair, tail) = rest.split_at_checked(2)?;
                bytes.extend(hex::decode(pair).ok()?);
                rest = tail;
            }
            plain => bytes.push(*plain),
        }
    }
    String::from_utf8(bytes).ok()
}

pub fn encode(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

//! The secret in a query's URIs: who has it may read the rows and cancel.

use std::fmt;

/// 128 random bits, as hex.
pub struct Slug(String);

/// Whether it has the form of one.
pub fn is_slug(text: &str) -> bool {
    let is_hex = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f');
    text.len() == 32 && text.bytes().all(is_hex)
}

impl Slug {
    pub fn random() -> Slug {
        Slug(hex::encode(rand::random::<[u8; 16]>()))
    }

    /// One that was issued before.
    pub fn known(text: String) -> Slug {
        Slug(text)
    }

    /// Takes the same time wherever the two differ.
    pub fn matches(&self, other: &str) -> bool {
        let pairs = self.0.bytes().zip(other.bytes());
        let difference = pairs.fold(0, |sum, (own, other)| sum | (own ^ other));
        self.0.len() == other.len() && std::hint::black_box(difference) == 0
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

//! Values that nobody may see: they print as `…`, and nothing serializes them. Whoever must send one says so with [`Secret::reveal`].

use std::fmt;

/// A key, or bytes that hold one.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret<T = String>(T);

impl<T> Secret<T> {
    pub fn new(value: T) -> Secret<T> {
        Secret(value)
    }

    /// The value itself, for the one who needs it: a signature, or a pipe to a process of ours.
    pub fn reveal(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// Who we are to S3, SQS and Lambda.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessKey {
    /// Public: it stands in every request.
    pub id: String,
    pub secret: Secret,
}

impl AccessKey {
    pub fn new(id: impl Into<String>, secret: impl Into<String>) -> AccessKey {
        AccessKey {
            id: id.into(),
            secret: Secret::new(secret.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_printed() {
        let key = AccessKey::new("AKIDEXAMPLE", "do not tell");
        assert_eq!(format!("{key:?}"), "AccessKey { id: \"AKIDEXAMPLE\", secret: … }");
        assert_eq!(key.secret.reveal(), "do not tell");
        assert_eq!(format!("{:?}", Secret::new(b"do not tell".to_vec())), "…");
    }
}

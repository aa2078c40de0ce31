//! Checks who signed a request to SQS or Lambda, by the access key in its SigV4 header alone. S3 verifies whole signatures; here a
//! wrong secret is not noticed.

use http::HeaderMap;
use http::header::AUTHORIZATION;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// No `Authorization` header, or not one of SigV4.
    Missing,
    /// Signed with a key that is not ours.
    UnknownKey,
}

pub(crate) fn check(headers: &HeaderMap, access_key_id: &str) -> Result<(), Refusal> {
    match signer(headers) {
        None => Err(Refusal::Missing),
        Some(signer) if signer == access_key_id => Ok(()),
        Some(_) => Err(Refusal::UnknownKey),
    }
}

/// The access key in `AWS4-HMAC-SHA256 Credential=KEY/date/region/service/aws4_request, …`.
fn signer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let fields = value.strip_prefix("AWS4-HMAC-SHA256")?;
    let credential = fields
        .split(',')
        .find_map(|field| field.trim().strip_prefix("Credential="))?;
    credential.split('/').next()
}

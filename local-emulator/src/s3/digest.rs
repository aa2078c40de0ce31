//! Digests that a client sends along with a body (Content-MD5, the checksum headers and trailers) against those of the bytes that came.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::HeaderMap;
use s3s::checksum::ChecksumHasher;
use s3s::crypto::Checksum as _;
use s3s::crypto::{Crc32, Crc32c, Crc64Nvme, Sha1, Sha256};
use s3s::dto::Checksum;
use s3s::{S3Result, TrailingHeaders, s3_error};

use super::object::Checksums;

/// What the client claims about its body. Trailers are known only once the body was read.
#[derive(Default)]
pub(crate) struct Claim {
    pub md5: Option<String>,
    pub checksums: Checksums,
    pub trailers: Option<TrailingHeaders>,
    /// Names of the trailers that `x-amz-trailer` announced.
    announced: Vec<String>,
}

impl Claim {
    pub fn new(headers: &HeaderMap, md5: Option<String>, trailers: Option<TrailingHeaders>) -> Claim {
        let announced = headers
            .get_all("x-amz-trailer")
            .iter()
            .filter_map(|value| value.to_str().ok());
        let announced = announced
            .flat_map(|value| value.split(','))
            .map(|name| name.trim().to_ascii_lowercase());
        Claim {
            md5,
            checksums: checksums_in(headers),
            trailers,
            announced: announced.collect(),
        }
    }

    /// Computes what the claim will need, no more.
    pub fn hasher(&self) -> ChecksumHasher {
        let wants =
            |claimed: &Option<String>, name: &str| claimed.is_some() || self.announced.iter().any(|n| n == name);
        ChecksumHasher {
            crc32: wants(&self.checksums.crc32, "x-amz-checksum-crc32").then(Crc32::new),
            crc32c: wants(&self.checksums.crc32c, "x-amz-checksum-crc32c").then(Crc32c::new),
            crc64nvme: wants(&self.checksums.crc64nvme, "x-amz-checksum-crc64nvme").then(Crc64Nvme::new),
            sha1: wants(&self.checksums.sha1, "x-amz-checksum-sha1").then(Sha1::new),
            sha256: wants(&self.checksums.sha256, "x-amz-checksum-sha256").then(Sha256::new),
        }
    }

    /// Refuses a body that is not the one the client meant. Gives the checksums to keep with the object.
    pub fn check(mut self, md5: &[u8], computed: Checksum) -> S3Result<Checksums> {
        if let Some(claimed) = &self.md5 {
            check_md5(claimed, md5)?;
        }
        let trailing = self.trailers.take().and_then(|trailers| trailers.read(checksums_in));
        let computed = from_dto(computed);
        self.checksums.check("CRC32", &trailing, &computed, |c| &c.crc32)?;
        self.checksums.check("CRC32C", &trailing, &computed, |c| &c.crc32c)?;
        self.checksums
            .check("CRC64NVME", &trailing, &computed, |c| &c.crc64nvme)?;
        self.checksums.check("SHA1", &trailing, &computed, |c| &c.sha1)?;
        self.checksums.check("SHA256", &trailing, &computed, |c| &c.sha256)?;
        Ok(computed)
    }
}

fn check_md5(claimed: &str, md5: &[u8]) -> S3Result<()> {
    match BASE64_STANDARD.decode(claimed) {
        Ok(claimed) if claimed == md5 => Ok(()),
        Ok(claimed) if claimed.len() == md5.len() => Err(s3_error!(
            BadDigest,
            "The Content-MD5 you specified did not match what we received."
        )),
        _ => Err(s3_error!(InvalidDigest, "The Content-MD5 you specified is not valid.")),
    }
}

impl Checksums {
    fn check(
        &self,
        name: &str,
        trailing: &Option<Checksums>,
        computed: &Checksums,
        field: fn(&Checksums) -> &Option<String>,
    ) -> S3Result<()> {
        let claimed = field(self)
            .as_ref()
            .or_else(|| trailing.as_ref().and_then(|trailing| field(trailing).as_ref()));
        if claimed.is_some() && claimed != field(computed).as_ref() {
            return Err(s3_error!(
                BadDigest,
                "The {name} you specified did not match the calculated checksum."
            ));
        }
        Ok(())
    }

    /// Whether every checksum that both name is the same.
    pub fn agrees_with(&self, other: &Checksums) -> bool {
        let fields: [fn(&Checksums) -> &Option<String>; 5] = [
            |c| &c.crc32,
            |c| &c.crc32c,
            |c| &c.crc64nvme,
            |c| &c.sha1,
            |c| &c.sha256,
        ];
        fields
            .iter()
            .all(|field| field(self).is_none() || field(other).is_none() || field(self) == field(other))
    }
}

fn checksums_in(headers: &HeaderMap) -> Checksums {
    let value = |name: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned)
    };
    Checksums {
        crc32: value("x-amz-checksum-crc32"),
        crc32c: value("x-amz-checksum-crc32c"),
        crc64nvme: value("x-amz-checksum-crc64nvme"),
        sha1: value("x-amz-checksum-sha1"),
        sha256: value("x-amz-checksum-sha256"),
    }
}

fn from_dto(checksum: Checksum) -> Checksums {
    Checksums {
        crc32: checksum.checksum_crc32,
        crc32c: checksum.checksum_crc32c,
        crc64nvme: checksum.checksum_crc64nvme,
        sha1: checksum.checksum_sha1,
        sha256: checksum.checksum_sha256,
    }
}

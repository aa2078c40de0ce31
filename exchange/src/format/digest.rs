//! The digest of a partition: what two runs of one task must agree on for their outputs to be interchangeable.

use super::block::HEADER_BYTES;
use mayfly_protocol::PartitionDigest;
use sha2::{Digest as _, Sha256};

/// First eight bytes, little-endian, of the SHA-256 over the headers of the partition's blocks, in order. A header holds its block's
/// lengths, rows, column types and checksum. A partition without blocks has digest 0.
#[derive(Clone, Debug, Default)]
pub(crate) struct DigestBuilder {
    blocks: Option<Sha256>,
}

impl DigestBuilder {
    pub(crate) fn block(&mut self, header: &[u8; HEADER_BYTES]) {
        self.blocks.get_or_insert_default().update(header);
    }

    pub(crate) fn finish(&self) -> PartitionDigest {
        let digest = self.blocks.as_ref().map_or(0, |blocks| {
            let hash: [u8; 32] = blocks.clone().finalize().into();
            u64::from_le_bytes(hash[..8].try_into().expect("eight of 32 bytes"))
        });
        PartitionDigest(digest)
    }
}

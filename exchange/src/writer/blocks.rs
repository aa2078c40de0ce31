//! Encoded blocks by partition, in memory or on disk, and the index over them.

use super::spill::Spill;
use crate::ExchangeError;
use crate::format::block::{BlockHeader, HEADER_BYTES};
use crate::format::digest::DigestBuilder;
use bytes::Bytes;
use mayfly_protocol::PartitionEntry;

/// Some adjacent bytes of one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Chunk {
    Memory(Bytes),
    Spilled { offset: u64, len_bytes: u64 },
}

#[derive(Debug, Default)]
struct Partition {
    chunks: Vec<Chunk>,
    len_bytes: u64,
    rows: u64,
    digest: DigestBuilder,
}

#[derive(Debug)]
pub(super) struct Blocks {
    partitions: Vec<Partition>,
    memory_bytes: usize,
}

impl Blocks {
    pub(super) fn new(partitions: usize) -> Blocks {
        Blocks {
            partitions: std::iter::repeat_with(Partition::default).take(partitions).collect(),
            memory_bytes: 0,
        }
    }

    pub(super) fn partitions(&self) -> u32 {
        self.partitions.len() as u32
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.memory_bytes
    }

    /// Appends a block that the encoder made.
    pub(super) fn add(&mut self, partition: u32, block: &[u8]) {
        let header = block[..HEADER_BYTES]
            .try_into()
            .expect("a block starts with its header");
        let rows = BlockHeader::parse(header).expect("the encoder wrote it").rows;
        let partition = &mut self.partitions[partition as usize];
        partition.digest.block(&header);
        partition.len_bytes += block.len() as u64;
        partition.rows += u64::from(rows);
        partition.chunks.push(Chunk::Memory(Bytes::copy_from_slice(block)));
        self.memory_bytes += block.len();
    }

    /// Moves every block in memory to the file, partition after partition, so that each partition is one piece of this round.
    pub(super) fn spill(&mut self, spill: &mut Spill) -> Result<(), ExchangeError> {
        spill.reserve(self.memory_bytes as u64)?;
        for partition in &mut self.partitions {
            partition.spill(spill)?;
        }
        spill.flush()?;
        self.memory_bytes = 0;
        Ok(())
    }

    /// An entry for every partition, also the empty ones.
    pub(super) fn index(&self) -> Vec<PartitionEntry> {
        let entry = |partition: &Partition| PartitionEntry {
            len_bytes: partition.len_bytes,
            rows: partition.rows,
            digest: partition.digest.finish(),
        };
        self.partitions.iter().map(entry).collect()
    }

    /// All bytes in the order of the object.
    pub(super) fn into_chunks(self) -> impl Iterator<Item = Chunk> {
        self.partitions.into_iter().flat_map(|partition| partition.chunks)
    }
}

impl Partition {
    fn spill(&mut self, spill: &mut Spill) -> Result<(), ExchangeError> {
        let start = self
            .chunks
            .iter()
            .position(|chunk| matches!(chunk, Chunk::Memory(_)))
            .unwrap_or(self.chunks.len());
        let offset = spill.bytes();
        for chunk in self.chunks.drain(start..) {
            match chunk {
                Chunk::Memory(bytes) => spill.append(&bytes)?,
                Chunk::Spilled { .. } => unreachable!("what is in memory came after what is on disk"),
            }
        }
        let len_bytes = spill.bytes() - offset;
        if len_bytes > 0 {
            self.chunks.push(Chunk::Spilled { offset, len_bytes });
        }
        Ok(())
    }
}

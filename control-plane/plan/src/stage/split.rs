//! Row groups and partition ranges → tasks. Shares are contiguous, so that a task reads few files and adjacent partitions.

use super::prune::{Piece, Pruned};
use super::size::FORCED_BYTES;
use mayfly_catalog::Table;
use mayfly_protocol::{FileRange, PartitionRange, Split, TaskTemplate};

/// The tasks of a stage: the pieces of each of its scans, and the partitions of its exchange inputs.
pub(super) fn tasks(
    count: u32,
    scans: &[&Pruned],
    partitions: Option<u32>,
    target_task_bytes: u64,
) -> Vec<TaskTemplate> {
    let whole_row_groups = target_task_bytes < FORCED_BYTES;
    let shares: Vec<Vec<Vec<Split>>> = scans
        .iter()
        .map(|pruned| share(pruned, count, whole_row_groups))
        .collect();
    let template = |task: u32| TaskTemplate {
        scans: shares.iter().map(|share| share[task as usize].clone()).collect(),
        partitions: match partitions {
            Some(partitions) => PartitionRange::new(0, partitions).piece(task, count),
            None => PartitionRange::default(),
        },
        share: None,
    };
    (0..count).map(template).collect()
}

/// Contiguous shares of nearly equal bytes. `single`: each row group is a split of its own.
fn share(pruned: &Pruned, count: u32, single: bool) -> Vec<Vec<Split>> {
    let total: u128 = pruned.pieces.iter().map(|piece| u128::from(piece.bytes)).sum();
    let mut shares = vec![Vec::new(); count as usize];
    let mut before: u128 = 0;
    for piece in &pruned.pieces {
        // The middle of the piece decides.
        let middle = before * 2 + u128::from(piece.bytes);
        let task = (middle * u128::from(count) / (total * 2)).min(u128::from(count) - 1);
        before += u128::from(piece.bytes);
        push(&mut shares[task as usize], &pruned.table, piece, single);
    }
    shares
}

/// Appends a piece, to the split before it where that is the same file's and ends where this one begins.
fn push(share: &mut Vec<Split>, table: &Table, piece: &Piece, single: bool) {
    if let Some(last) = share.last_mut()
        && !single
        && last.key == piece.file.key
        && let Some(joined) = joined(&last.range, &piece.range)
    {
        last.range = joined;
        last.scan_bytes += piece.bytes;
        last.rows += piece.rows;
        return;
    }
    share.push(Split {
        bucket: table.location.bucket.clone(),
        key: piece.file.key.clone(),
        etag: piece.file.etag.clone(),
        size_bytes: piece.file.size_bytes,
        range: piece.range.clone(),
        scan_bytes: piece.bytes,
        rows: piece.rows,
        partition_values: table.partition_values(&piece.file),
    });
}

/// Both ranges as one, if the second begins where the first ends.
fn joined(first: &FileRange, second: &FileRange) -> Option<FileRange> {
    match (first, second) {
        (FileRange::RowGroups { start, end }, FileRange::RowGroups { start: next, end: last }) if end == next => {
            Some(FileRange::RowGroups {
                start: *start,
                end: *last,
            })
        }
        (FileRange::Bytes { start, end }, FileRange::Bytes { start: next, end: last }) if end == next => {
            Some(FileRange::Bytes {
                start: *start,
                end: *last,
            })
        }
        _ => None,
    }
}

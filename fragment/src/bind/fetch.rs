//! Which requests a set of byte ranges costs: near ranges share a GET, long ones are split into GETs that run side by side.
//!
//! A GET costs about as much as 14 ms of one vCPU, in which it could have moved a megabyte: gaps up to that are cheaper read than
//! skipped.

use bytes::{Bytes, BytesMut};
use std::ops::Range;

/// Bytes between two ranges that are read along rather than skipped.
pub const GAP_BYTES_MAX: u64 = 512 * 1024;

/// Bytes of one GET. Longer ones gain nothing: one stream of S3's carries about 50 to 90 MB/s.
pub const GET_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// The GETs, in order and without overlap, whose bytes hold all of `ranges`.
pub fn gets(ranges: &[Range<u64>]) -> Vec<Range<u64>> {
    let mut sorted: Vec<Range<u64>> = ranges.iter().filter(|range| !range.is_empty()).cloned().collect();
    sorted.sort_by_key(|range| range.start);
    let mut spans: Vec<Range<u64>> = Vec::new();
    for range in sorted {
        match spans.last_mut() {
            Some(last) if joins(last, &range) => last.end = last.end.max(range.end),
            _ => spans.push(range),
        }
    }
    spans.into_iter().flat_map(pieces).collect()
}

/// Overlapping ranges join in any case; near ones while they fit one GET.
fn joins(last: &Range<u64>, next: &Range<u64>) -> bool {
    let near = next.start <= last.end.saturating_add(GAP_BYTES_MAX);
    next.start < last.end || (near && next.end - last.start <= GET_BYTES_MAX)
}

/// Nearly equal pieces of at most [`GET_BYTES_MAX`].
fn pieces(span: Range<u64>) -> impl Iterator<Item = Range<u64>> {
    let length = span.end - span.start;
    let count = length.div_ceil(GET_BYTES_MAX);
    let at = move |nth: u64| span.start + length * nth / count;
    (0..count).map(move |nth| at(nth)..at(nth + 1))
}

/// Cuts `range` out of what was fetched. Copies only where it lies across two GETs.
pub fn slice(fetched: &[(Range<u64>, Bytes)], range: &Range<u64>) -> Option<Bytes> {
    if range.is_empty() {
        return Some(Bytes::new());
    }
    let first = fetched.iter().position(|(get, _)| get.contains(&range.start))?;
    let part = |(get, bytes): &(Range<u64>, Bytes)| {
        let (start, end) = (range.start.max(get.start), range.end.min(get.end));
        bytes.slice((start - get.start) as usize..(end - get.start) as usize)
    };
    if range.end <= fetched[first].0.end {
        return Some(part(&fetched[first]));
    }
    let mut whole = BytesMut::with_capacity((range.end - range.start) as usize);
    for piece in fetched[first..].iter().take_while(|(get, _)| get.start < range.end) {
        whole.extend_from_slice(&part(piece));
    }
    (whole.len() as u64 == range.end - range.start).then(|| whole.freeze())
}

#[cfg(test)]
mod tests;

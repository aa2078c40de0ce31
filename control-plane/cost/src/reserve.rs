//! What an attempt can cost at most: reserved before a launch, compared by the scheduler, never billed.

use crate::PriceBook;
use mayfly_protocol::{FunctionSize, PicoDollars};

/// One invocation of that size that runs for its whole duration. Requests to S3 come on top: they depend on the task.
pub fn worst_case(book: &PriceBook, size: FunctionSize, duration_ms: u64) -> PicoDollars {
    let mb_ms = u128::from(size.memory_mb()) * u128::from(duration_ms);
    book.compute.of(mb_ms) + book.invocation.of(1)
}

//! However a file is cut, and however its bytes arrive, every record is read once.

use super::*;
use futures::TryStreamExt;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

async fn all(text: &str, start: u64, end: u64, chunk: usize) -> String {
    let first = start.saturating_sub(1);
    let chunks: Vec<Result<Bytes>> = text.as_bytes()[first as usize..]
        .chunks(chunk)
        .map(|chunk| Ok(Bytes::copy_from_slice(chunk)))
        .collect();
    let bytes = futures::stream::iter(chunks).boxed();
    let place = Place {
        offset: first,
        lines: 0,
    };
    let end = (end < text.len() as u64).then_some(end);
    let mut blocks = Blocks::new(bytes, Records::json(), place, end);
    if start > 0 {
        blocks.skip_line().await.expect("memory");
    }
    let blocks = futures::stream::try_unfold(blocks, |mut blocks| async move {
        Ok::<_, DataFusionError>(blocks.next().await?.map(|block| (block, blocks)))
    });
    let blocks: Vec<Block> = blocks.try_collect().await.expect("memory");
    let texts = blocks
        .into_iter()
        .map(|block| String::from_utf8(block.text).expect("text"));
    texts.collect()
}

#[tokio::test]
async fn every_record_is_read_once() {
    for seed in 0..2_000 {
        let mut random = SmallRng::seed_from_u64(seed);
        let lines = random.random_range(0..12);
        let mut text: String = (0..lines)
            .map(|_| format!("{}\n", "x".repeat(random.random_range(0..6))))
            .collect();
        if random.random_bool(0.5) {
            text.push_str("last");
        }
        let size = text.len() as u64;
        let mut cuts: Vec<u64> = (0..random.random_range(0..4))
            .map(|_| random.random_range(0..=size))
            .collect();
        cuts.extend([0, size]);
        cuts.sort_unstable();
        let chunk = random.random_range(1..8);
        let mut read = String::new();
        for range in cuts.windows(2).filter(|range| range[0] < range[1]) {
            read.push_str(&all(&text, range[0], range[1], chunk).await);
        }
        assert_eq!(read, text, "seed={seed} cuts={cuts:?} chunk={chunk}");
    }
}

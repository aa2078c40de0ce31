//! Bodies that are cut, bent and slow, without a request around them.

use super::*;
use http_body_util::BodyExt;

async fn run(bytes: &'static [u8], shape: Shape) -> Result<Vec<u8>, String> {
    let body = shaped(Body::from(Bytes::from_static(bytes)), shape);
    assert_eq!(
        HttpBody::size_hint(&body).exact(),
        Some(bytes.len() as u64),
        "the announced length stays"
    );
    let collected = BodyExt::collect(body).await.map_err(|error| error.to_string())?;
    Ok(collected.to_bytes().to_vec())
}

#[tokio::test]
async fn a_cut_body_is_short_and_ends_in_an_error() {
    for at in [0, 3] {
        let mut body = shaped(Body::from(Bytes::from_static(b"abcdef")), Shape::CutAt(at));
        let mut received = Vec::new();
        let end = loop {
            match body.frame().await.expect("it ends in an error") {
                Ok(frame) => received.extend_from_slice(frame.data_ref().expect("data alone")),
                Err(error) => break error,
            }
        };
        assert_eq!(received, b"abcdef"[..at as usize]);
        assert!(end.to_string().contains("cut short"), "{end}");
    }
}

#[tokio::test]
async fn one_bit_differs() {
    let flipped = run(b"\0\0\0", Shape::FlipBit(9)).await.unwrap();
    assert_eq!(flipped, [0, 2, 0]);
    assert_eq!(run(b"abc", Shape::FlipBit(24)).await.unwrap(), b"abc");
}

#[tokio::test]
async fn a_slow_body_takes_its_time() {
    let since = std::time::Instant::now();
    assert_eq!(
        run(b"0123456789", Shape::Slow { bytes_per_s: 50 }).await.unwrap(),
        b"0123456789"
    );
    assert!(since.elapsed() >= Duration::from_millis(200));
}

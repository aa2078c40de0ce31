//! Frames between server and planner: whole, cut and too long.

use super::{Frame, PART_BYTES_MAX};
use std::io::Cursor;

async fn read(bytes: Vec<u8>) -> std::io::Result<Frame> {
    Frame::read(&mut Cursor::new(bytes)).await
}

#[tokio::test]
async fn a_frame_is_read_as_it_was_written() {
    let frame = Frame {
        text: b"{}".to_vec(),
        arrow: vec![7; 1000],
    };
    let mut bytes = Vec::new();
    frame.write(&mut bytes).unwrap();
    assert_eq!(bytes.len(), 8 + 2 + 1000);
    assert_eq!(read(bytes).await.unwrap(), frame);
}

#[tokio::test]
async fn what_is_cut_or_too_long_is_an_error() {
    let mut bytes = Vec::new();
    Frame::of(vec![1; 20]).write(&mut bytes).unwrap();
    bytes.pop();
    assert!(read(bytes).await.is_err());
    let long = u32::try_from(PART_BYTES_MAX + 1).unwrap().to_le_bytes();
    assert!(read([long, [0; 4]].concat()).await.is_err());
    assert!(read([[0; 4], long].concat()).await.is_err());
}

//! What survives kill -9 of the emulator, again and again, under load.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::common::s3_at;

const ROUNDS: usize = 100;
const WRITERS: usize = 6;
/// Keys of one writer: few, so that most writes replace something.
const KEYS: usize = 5;

async fn start(data: &Path) -> (Child, Client) {
    let mut emulator = Command::new(env!("CARGO_BIN_EXE_local-emulator"))
        .arg("--data")
        .arg(data)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(emulator.stdout.take().unwrap()).lines();
    let url = loop {
        let line = lines.next_line().await.unwrap().unwrap();
        if let Some(url) = line.strip_prefix("s3 endpoint ") {
            break url.to_owned();
        }
    };
    (emulator, s3_at(&url))
}

/// Says who wrote it and which write it was, and is long enough to be torn.
fn body(writer: usize, write: u64) -> Vec<u8> {
    format!("{writer} {write} ")
        .repeat(if write.is_multiple_of(7) { 20_000 } else { 50 })
        .into_bytes()
}

/// The write that a body tells of; a torn or mixed one is none.
fn write_of(bytes: &[u8], writer: usize) -> u64 {
    let text = std::str::from_utf8(bytes).unwrap();
    let write: u64 = text.split(' ').nth(1).unwrap().parse().unwrap();
    assert_eq!(bytes, body(writer, write), "torn");
    write
}

/// By key: the last write that was acknowledged, and the last that was sent.
type Book = Arc<Mutex<BTreeMap<String, (u64, u64)>>>;

/// Writes until the emulator is gone.
async fn write(s3: Client, writer: usize, first: u64, book: Book) -> u64 {
    for write in first.. {
        let key = format!("w{writer}/k{}", write as usize % KEYS);
        book.lock().unwrap().entry(key.clone()).or_default().1 = write;
        let body = ByteStream::from(body(writer, write));
        if s3
            .put_object()
            .bucket("bucket")
            .key(&key)
            .body(body)
            .send()
            .await
            .is_err()
        {
            return write + 1;
        }
        book.lock().unwrap().get_mut(&key).unwrap().0 = write;
    }
    unreachable!("the emulator is killed")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_a_hundred_kills() {
    let folder = tempfile::tempdir().unwrap();
    let (book, mut next) = (Book::default(), [1u64; WRITERS]);
    let (mut emulator, mut s3) = start(folder.path()).await;
    s3.create_bucket().bucket("bucket").send().await.unwrap();
    for round in 0..ROUNDS {
        let writers = (0..WRITERS).map(|writer| tokio::spawn(write(s3.clone(), writer, next[writer], book.clone())));
        let writers: Vec<_> = writers.collect();
        tokio::time::sleep(Duration::from_millis(40 + (round as u64 * 37) % 80)).await;
        emulator.kill().await.unwrap();
        for (writer, ended) in writers.into_iter().enumerate() {
            next[writer] = ended.await.unwrap();
        }
        (emulator, s3) = start(folder.path()).await;
        let book = book.lock().unwrap().clone();
        for (key, (acknowledged, sent)) in &book {
            let got = s3.get_object().bucket("bucket").key(key).send().await;
            let found = match got {
                Ok(got) => write_of(&got.body.collect().await.unwrap().to_vec(), key[1..2].parse().unwrap()),
                Err(error) if error.as_service_error().is_some_and(|error| error.is_no_such_key()) => 0,
                Err(error) => panic!("round {round}: {key}: {error:?}"),
            };
            // A write whose answer was lost may have been applied.
            assert!(
                (*acknowledged..=*sent).contains(&found),
                "round {round}: {key} is {found} of {acknowledged}..={sent}"
            );
        }
    }
    let writes: u64 = next.iter().sum();
    assert!(writes > 5 * ROUNDS as u64, "{writes} writes are no load");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_goes_on_after_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let (mut emulator, s3) = start(folder.path()).await;
    s3.create_bucket().bucket("bucket").send().await.unwrap();
    let created = s3
        .create_multipart_upload()
        .bucket("bucket")
        .key("k")
        .content_type("x/y")
        .send()
        .await
        .unwrap();
    let id = created.upload_id.unwrap();
    let part = async |s3: &Client, number: i32, byte: u8, size: usize| {
        let body = ByteStream::from(vec![byte; size]);
        let part = s3
            .upload_part()
            .bucket("bucket")
            .key("k")
            .upload_id(&id)
            .part_number(number)
            .body(body);
        let etag = part.send().await.unwrap().e_tag.unwrap();
        aws_sdk_s3::types::CompletedPart::builder()
            .part_number(number)
            .e_tag(etag)
            .build()
    };
    part(&s3, 1, b'x', 5 << 20).await;
    let first = part(&s3, 1, b'a', 5 << 20).await;
    emulator.kill().await.unwrap();
    let (mut emulator, s3) = start(folder.path()).await;
    let second = part(&s3, 2, b'b', 3).await;
    emulator.kill().await.unwrap();
    let (_emulator, s3) = start(folder.path()).await;
    let parts = aws_sdk_s3::types::CompletedMultipartUpload::builder()
        .parts(first)
        .parts(second)
        .build();
    let complete = s3.complete_multipart_upload().bucket("bucket").key("k").upload_id(&id);
    complete.multipart_upload(parts).send().await.unwrap();
    let got = s3.get_object().bucket("bucket").key("k").send().await.unwrap();
    assert_eq!(got.content_type(), Some("x/y"));
    let bytes = got.body.collect().await.unwrap().to_vec();
    assert_eq!((bytes.len(), &bytes[(5 << 20) - 1..]), ((5 << 20) + 3, &b"abbb"[..]));
    // Nothing is left of the part that was replaced.
    let files = std::fs::read_dir(folder.path().join("objects")).unwrap();
    let files = files.flat_map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap());
    assert_eq!(files.count(), 2);
}

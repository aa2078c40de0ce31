//! S3 through AWS's own client: what programs rely on, and what races must not break.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::common::{World, start, start_with};
use aws_credential_types::Credentials;
use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart, Delete, EncodingType, ObjectIdentifier};
use local_emulator::{Mount, S3Operation, StatusClass};

const MIB: usize = 1 << 20;

async fn bucket(world: &World) -> Client {
    let s3 = world.s3();
    s3.create_bucket().bucket("bucket").send().await.unwrap();
    s3
}

async fn put(s3: &Client, key: &str, body: &[u8]) -> String {
    let body = ByteStream::from(body.to_vec());
    s3.put_object()
        .bucket("bucket")
        .key(key)
        .body(body)
        .send()
        .await
        .unwrap()
        .e_tag
        .unwrap()
}

async fn get(s3: &Client, key: &str) -> Vec<u8> {
    let object = s3.get_object().bucket("bucket").key(key).send().await.unwrap();
    object.body.collect().await.unwrap().to_vec()
}

/// HTTP status and error code, as in `412 PreconditionFailed`.
fn failure<T, E>(result: Result<T, SdkError<E>>) -> String
where
    E: ProvideErrorMetadata,
{
    let Err(error) = result else { return "ok".to_owned() };
    let status = error.raw_response().map_or(0, |raw| raw.status().as_u16());
    format!("{status} {}", error.code().unwrap_or("-"))
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_racing_creators_wins() {
    let world = start().await;
    let s3 = bucket(&world).await;
    for round in 0..1_000 {
        let key = format!("round-{round}");
        let create = |n: usize| {
            let body = ByteStream::from(format!("creator {n}").into_bytes());
            let put = s3.put_object().bucket("bucket").key(&key).if_none_match("*").body(body);
            tokio::spawn(async move { failure(put.send().await) })
        };
        let creators: Vec<_> = (0..32).map(create).collect();
        let mut winners = Vec::new();
        for (n, creator) in creators.into_iter().enumerate() {
            match creator.await.unwrap().as_str() {
                "ok" => winners.push(n),
                other => assert_eq!(other, "412 PreconditionFailed"),
            }
        }
        assert_eq!(winners.len(), 1, "round {round}: {winners:?}");
        assert_eq!(get(&s3, &key).await, format!("creator {}", winners[0]).into_bytes());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_under_overwrite_is_of_one_version() {
    let world = start().await;
    let s3 = bucket(&world).await;
    // Large enough to travel in chunks, so that an overwrite can fall between two of them.
    let version = |n: u8| vec![n; MIB + usize::from(n)];
    put(&s3, "key", &version(1)).await;
    let stop = Arc::new(AtomicBool::new(false));
    let writer = tokio::spawn({
        let (s3, stop) = (s3.clone(), stop.clone());
        async move {
            for n in (1..=250).cycle() {
                put(&s3, "key", &version(n)).await;
                if stop.load(Ordering::Relaxed) {
                    return;
                }
            }
        }
    });
    let read = |s3: Client| async move {
        for _ in 0..2_500 {
            let object = s3.get_object().bucket("bucket").key("key").send().await.unwrap();
            let length = object.content_length.unwrap() as usize;
            let body = object.body.collect().await.unwrap().to_vec();
            assert_eq!(body.len(), length);
            assert_eq!(body.len(), MIB + usize::from(body[0]), "length of another version");
            assert!(body.iter().all(|byte| *byte == body[0]), "bytes of two versions");
        }
    };
    let readers: Vec<_> = (0..4).map(|_| tokio::spawn(read(s3.clone()))).collect();
    for reader in readers {
        reader.await.unwrap();
    }
    stop.store(true, Ordering::Relaxed);
    writer.await.unwrap();
    let files = walk(&world.folder.path().join("data/objects"));
    assert_eq!(files, 1, "replaced versions leave their files behind");
}

fn walk(folder: &std::path::Path) -> usize {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| if path.is_dir() { walk(&path) } else { 1 }).sum()
}

#[tokio::test]
async fn conditions() {
    let world = start().await;
    let s3 = bucket(&world).await;
    let etag = put(&s3, "key", b"one").await;
    let put_if_match = |etag: &str| {
        s3.put_object()
            .bucket("bucket")
            .key("key")
            .if_match(etag)
            .body(ByteStream::from_static(b"two"))
    };
    assert_eq!(failure(put_if_match("\"0\"").send().await), "412 PreconditionFailed");
    assert_eq!(failure(put_if_match(&etag).key("absent").send().await), "404 NoSuchKey");
    let next = put_if_match(&etag).send().await.unwrap().e_tag.unwrap();
    let get = || s3.get_object().bucket("bucket").key("key");
    assert_eq!(failure(get().if_match(&etag).send().await), "412 PreconditionFailed");
    assert_eq!(
        failure(get().if_none_match(&next).send().await).split(' ').next(),
        Some("304")
    );
    assert!(get().if_match(&next).send().await.is_ok());
    assert!(get().if_none_match(&etag).send().await.is_ok());
    let modified = get().send().await.unwrap().last_modified.unwrap();
    assert_eq!(
        failure(get().if_modified_since(modified).send().await)
            .split(' ')
            .next(),
        Some("304")
    );
    assert!(get().if_unmodified_since(modified).send().await.is_ok());
}

#[tokio::test]
async fn ranges() {
    let world = start().await;
    let s3 = bucket(&world).await;
    let body: Vec<u8> = (0..3 * MIB).map(|n| (n % 251) as u8).collect();
    put(&s3, "key", &body).await;
    let range = |range: &str| s3.get_object().bucket("bucket").key("key").range(range).send();
    let size = body.len();
    let cases = [
        ("bytes=0-0".to_owned(), 0..1),
        ("bytes=10-19".to_owned(), 10..20),
        (format!("bytes={}-", size - 5), size - 5..size),
        ("bytes=-7".to_owned(), size - 7..size),
        (format!("bytes={}-{}", MIB - 1, 2 * MIB), MIB - 1..2 * MIB + 1),
        (format!("bytes=100-{}", size * 2), 100..size),
    ];
    for (header, expected) in cases {
        let object = range(&header).await.unwrap();
        let content_range = format!("bytes {}-{}/{size}", expected.start, expected.end - 1);
        assert_eq!(
            object.content_range.as_deref(),
            Some(content_range.as_str()),
            "{header}"
        );
        assert_eq!(
            object.body.collect().await.unwrap().to_vec(),
            body[expected],
            "{header}"
        );
    }
    assert_eq!(failure(range(&format!("bytes={size}-")).await), "416 InvalidRange");
    put(&s3, "empty", b"").await;
    assert_eq!(get(&s3, "empty").await, b"");
    let head = s3.head_object().bucket("bucket").key("key").send().await.unwrap();
    assert_eq!(head.content_length, Some(size as i64));
}

#[tokio::test]
async fn multipart() {
    let world = start().await;
    let s3 = bucket(&world).await;
    let upload = s3
        .create_multipart_upload()
        .bucket("bucket")
        .key("big")
        .metadata("who", "me")
        .send()
        .await
        .unwrap();
    let id = upload.upload_id.unwrap();
    let part = |number: i32, size: usize| {
        let body = ByteStream::from(vec![number as u8; size]);
        s3.upload_part()
            .bucket("bucket")
            .key("big")
            .upload_id(&id)
            .part_number(number)
            .body(body)
            .send()
    };
    let mut parts = Vec::new();
    // With a gap; the part that is not listed is left out.
    for (number, size) in [(2, 5 * MIB), (4, 10), (7, 6 * MIB), (9, 3)] {
        let etag = part(number, size).await.unwrap().e_tag.unwrap();
        parts.push(CompletedPart::builder().part_number(number).e_tag(etag).build());
    }
    let complete = |parts: &[&CompletedPart]| {
        let parts = parts.iter().map(|part| (*part).clone()).collect();
        let list = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        s3.complete_multipart_upload()
            .bucket("bucket")
            .key("big")
            .upload_id(&id)
            .multipart_upload(list)
    };
    let wrong = CompletedPart::builder()
        .part_number(2)
        .e_tag("\"00000000000000000000000000000000\"")
        .build();
    assert_eq!(failure(complete(&[&wrong]).send().await), "400 InvalidPart");
    assert_eq!(
        failure(complete(&[&parts[2], &parts[0]]).send().await),
        "400 InvalidPartOrder"
    );
    assert_eq!(
        failure(complete(&[&parts[0], &parts[1], &parts[3]]).send().await),
        "400 EntityTooSmall"
    );
    let listed = s3
        .list_parts()
        .bucket("bucket")
        .key("big")
        .upload_id(&id)
        .send()
        .await
        .unwrap();
    assert_eq!(listed.parts().len(), 4);
    let done = complete(&[&parts[0], &parts[2], &parts[3]])
        .if_none_match("*")
        .send()
        .await
        .unwrap();
    assert!(done.e_tag.unwrap().ends_with("-3\""));
    let expected = [vec![2u8; 5 * MIB], vec![7u8; 6 * MIB], vec![9u8; 3]].concat();
    assert_eq!(get(&s3, "big").await, expected);
    let across = s3
        .get_object()
        .bucket("bucket")
        .key("big")
        .range(format!("bytes={}-{}", 5 * MIB - 2, 5 * MIB + 1));
    let object = across.send().await.unwrap();
    assert_eq!(object.metadata().unwrap()["who"], "me");
    assert_eq!(object.body.collect().await.unwrap().to_vec(), [2, 2, 7, 7]);
    assert_eq!(failure(complete(&[&parts[0]]).send().await), "404 NoSuchUpload");

    let aborted = s3
        .create_multipart_upload()
        .bucket("bucket")
        .key("big")
        .send()
        .await
        .unwrap()
        .upload_id
        .unwrap();
    s3.abort_multipart_upload()
        .bucket("bucket")
        .key("big")
        .upload_id(&aborted)
        .send()
        .await
        .unwrap();
    let listed = s3.list_multipart_uploads().bucket("bucket").send().await.unwrap();
    assert!(listed.uploads().is_empty());
    assert_eq!(
        walk(&world.folder.path().join("data/objects")),
        3,
        "the part that was left out is gone"
    );
}

#[tokio::test]
async fn odd_keys() {
    let world = start().await;
    let s3 = bucket(&world).await;
    let long = "k".repeat(1024);
    let mut keys = vec![
        "a",
        "a/b",
        "a/b/c",
        "a b",
        "a+b",
        "a%2Fb",
        "a%b",
        "//x",
        "/y",
        "z//",
        "ä/ö",
        "日本/語",
        "q?x=1&y",
        "<&>\"'",
        "~-_.!*()",
        "😀",
        &long,
    ];
    for key in &keys {
        put(&s3, key, key.as_bytes()).await;
    }
    keys.sort();
    for key in &keys {
        assert_eq!(get(&s3, key).await, key.as_bytes(), "{key}");
    }
    let plain = s3.list_objects_v2().bucket("bucket").send().await.unwrap();
    let listed: Vec<&str> = plain.contents().iter().map(|object| object.key().unwrap()).collect();
    assert_eq!(listed, keys);
    let encoded = s3
        .list_objects_v2()
        .bucket("bucket")
        .encoding_type(EncodingType::Url)
        .send()
        .await
        .unwrap();
    let listed: Vec<&str> = encoded.contents().iter().map(|object| object.key().unwrap()).collect();
    assert!(
        listed.contains(&"a%2Bb") && listed.contains(&"a%252Fb") && listed.contains(&"a/b"),
        "{listed:?}"
    );
    let too_long = s3.put_object().bucket("bucket").key("k".repeat(1025)).send().await;
    assert_eq!(failure(too_long), "400 KeyTooLongError");
}

#[tokio::test]
async fn listings() {
    let world = start().await;
    let s3 = bucket(&world).await;
    for key in ["a/1", "a/2", "a/b/3", "a0", "b/4", "b/5", "c"] {
        put(&s3, key, b"").await;
    }
    let list = |prefix: &'static str, delimiter: Option<&'static str>, size: i32| {
        let s3 = s3.clone();
        async move {
            let (mut items, mut token) = (Vec::new(), None);
            loop {
                let request = s3.list_objects_v2().bucket("bucket").prefix(prefix).max_keys(size);
                let page = request
                    .set_delimiter(delimiter.map(str::to_owned))
                    .set_continuation_token(token);
                let page = page.send().await.unwrap();
                let mut here: Vec<String> = page
                    .contents()
                    .iter()
                    .map(|object| object.key().unwrap().to_owned())
                    .collect();
                here.extend(
                    page.common_prefixes()
                        .iter()
                        .map(|common| common.prefix().unwrap().to_owned()),
                );
                assert_eq!(here.len() as i32, page.key_count().unwrap());
                assert!(here.len() <= size as usize);
                items.extend(here);
                token = page.next_continuation_token.clone();
                assert_eq!(page.is_truncated(), Some(token.is_some()));
                if token.is_none() {
                    items.sort();
                    return items.join(" ");
                }
            }
        }
    };
    for size in [1, 2, 3, 1000] {
        assert_eq!(list("", None, size).await, "a/1 a/2 a/b/3 a0 b/4 b/5 c", "{size}");
        assert_eq!(list("", Some("/"), size).await, "a/ a0 b/ c", "{size}");
        assert_eq!(list("a/", Some("/"), size).await, "a/1 a/2 a/b/", "{size}");
        assert_eq!(list("a", Some("/"), size).await, "a/ a0", "{size}");
        assert_eq!(list("zz", None, size).await, "", "{size}");
    }
    let after = s3
        .list_objects_v2()
        .bucket("bucket")
        .start_after("a/b/3")
        .send()
        .await
        .unwrap();
    assert_eq!(after.contents()[0].key(), Some("a0"));
    let marked = s3.list_objects().bucket("bucket").marker("b/4").send().await.unwrap();
    assert_eq!(marked.contents()[0].key(), Some("b/5"));
}

#[tokio::test]
async fn buckets_copies_and_deletes() {
    let world = start().await;
    let s3 = bucket(&world).await;
    assert_eq!(
        failure(s3.create_bucket().bucket("bucket").send().await),
        "409 BucketAlreadyOwnedByYou"
    );
    assert_eq!(
        failure(s3.head_bucket().bucket("absent").send().await)
            .split(' ')
            .next(),
        Some("404")
    );
    assert_eq!(
        failure(s3.get_object().bucket("absent").key("k").send().await),
        "404 NoSuchBucket"
    );
    assert_eq!(
        failure(s3.get_object().bucket("bucket").key("k").send().await),
        "404 NoSuchKey"
    );
    let body = ByteStream::from_static(b"original");
    let put = s3
        .put_object()
        .bucket("bucket")
        .key("from")
        .content_type("text/x")
        .metadata("a", "b")
        .body(body);
    put.send().await.unwrap();
    s3.copy_object()
        .bucket("bucket")
        .key("to")
        .copy_source("bucket/from")
        .send()
        .await
        .unwrap();
    s3.delete_object().bucket("bucket").key("from").send().await.unwrap();
    s3.delete_object().bucket("bucket").key("from").send().await.unwrap();
    let copy = s3.get_object().bucket("bucket").key("to").send().await.unwrap();
    assert_eq!(
        (copy.content_type(), copy.metadata().unwrap()["a"].as_str()),
        (Some("text/x"), "b")
    );
    assert_eq!(copy.body.collect().await.unwrap().to_vec(), b"original");
    assert_eq!(
        failure(s3.delete_bucket().bucket("bucket").send().await),
        "409 BucketNotEmpty"
    );
    let object = |key: &str| ObjectIdentifier::builder().key(key).build().unwrap();
    let both = Delete::builder()
        .objects(object("to"))
        .objects(object("absent"))
        .build()
        .unwrap();
    let deleted = s3.delete_objects().bucket("bucket").delete(both).send().await.unwrap();
    assert_eq!((deleted.deleted().len(), deleted.errors().len()), (2, 0));
    s3.delete_bucket().bucket("bucket").send().await.unwrap();
    assert!(s3.list_buckets().send().await.unwrap().buckets().is_empty());
    assert_eq!(walk(&world.folder.path().join("data/objects")), 0);
}

#[tokio::test]
async fn digests_are_checked_before_anything_is_visible() {
    let world = start().await;
    let s3 = bucket(&world).await;
    put(&s3, "key", b"before").await;
    let put = || {
        s3.put_object()
            .bucket("bucket")
            .key("key")
            .body(ByteStream::from_static(b"after"))
    };
    let of_other = "1B2M2Y8AsgTpgAmY7PhCfg==";
    assert_eq!(failure(put().content_md5(of_other).send().await), "400 BadDigest");
    assert_eq!(failure(put().content_md5("nonsense").send().await), "400 InvalidDigest");
    assert_eq!(
        failure(put().checksum_crc32_c("AAAAAA==").send().await),
        "400 BadDigest"
    );
    let sha256 = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    assert_eq!(failure(put().checksum_sha256(sha256).send().await), "400 BadDigest");
    assert_eq!(get(&s3, "key").await, b"before");
    assert_eq!(
        walk(&world.folder.path().join("data/objects")),
        1,
        "a refused body leaves its file behind"
    );
    let algorithm = aws_sdk_s3::types::ChecksumAlgorithm::Sha256;
    put().checksum_algorithm(algorithm).send().await.unwrap();
    assert_eq!(get(&s3, "key").await, b"after");
}

#[tokio::test]
async fn signatures_are_verified() {
    let world = start().await;
    bucket(&world).await;
    let known = local_emulator::Credentials::default();
    let wrong_secret = world.s3_as(Credentials::new(known.access_key_id, "wrong", None, None, "test"));
    let put = wrong_secret
        .put_object()
        .bucket("bucket")
        .key("key")
        .body(ByteStream::from_static(b"x"));
    assert_eq!(failure(put.send().await), "403 SignatureDoesNotMatch");
    let wrong_key = world.s3_as(Credentials::new("unknown", "wrong", None, None, "test"));
    assert_eq!(failure(wrong_key.list_buckets().send().await), "403 InvalidAccessKeyId");
    let listed = world.s3().list_objects_v2().bucket("bucket").send().await.unwrap();
    assert_eq!(listed.key_count(), Some(0));
    let counts = world.emulator.counts();
    assert_eq!(counts.s3["bucket"][&S3Operation::Put][&StatusClass::ClientError], 1);
    assert_eq!(counts.s3_requests(S3Operation::List), 2);
}

#[tokio::test]
async fn objects_outlive_a_restart() {
    let mut world = start().await;
    let s3 = bucket(&world).await;
    put(&s3, "kept", b"kept").await;
    put(&s3, "overwritten", b"first").await;
    put(&s3, "overwritten", b"second").await;
    put(&s3, "deleted", b"deleted").await;
    s3.delete_object().bucket("bucket").key("deleted").send().await.unwrap();
    s3.copy_object()
        .bucket("bucket")
        .key("copy")
        .copy_source("bucket/kept")
        .send()
        .await
        .unwrap();
    // Enough history that the log is compacted along the way.
    for n in 0..200 {
        put(&s3, "busy", format!("{n}").as_bytes()).await;
    }
    let log = world.folder.path().join("data/index.log");
    for torn in [&b""[..], b"\x07", b"\x10\x00\x00\x00\xff\xff\xff\xff{\"Del", &[0; 64]] {
        let settings = crate::common::settings(world.folder.path());
        world.emulator.shutdown().await;
        // What a write that was cut by kill -9 leaves behind.
        use std::io::Write;
        std::fs::OpenOptions::new()
            .append(true)
            .open(&log)
            .unwrap()
            .write_all(torn)
            .unwrap();
        std::fs::write(
            world.folder.path().join("data/objects/00/00000000deadbe00"),
            b"half an upload",
        )
        .unwrap();
        world.emulator = local_emulator::Emulator::start(settings).await.unwrap();
        let s3 = world.s3();
        assert_eq!(get(&s3, "kept").await, b"kept");
        assert_eq!(get(&s3, "copy").await, b"kept");
        assert_eq!(get(&s3, "overwritten").await, b"second");
        assert_eq!(get(&s3, "busy").await, b"199");
        assert_eq!(
            failure(s3.get_object().bucket("bucket").key("deleted").send().await),
            "404 NoSuchKey"
        );
        put(&s3, "after the torn record", b"x").await;
    }
    assert_eq!(get(&world.s3(), "after the torn record").await, b"x");
    assert_eq!(
        walk(&world.folder.path().join("data/objects")),
        4,
        "kept and copy share one file"
    );
}

#[tokio::test]
async fn a_data_folder_has_one_emulator() {
    let world = start().await;
    let second = local_emulator::Emulator::start(crate::common::settings(world.folder.path())).await;
    assert!(matches!(second, Err(local_emulator::StartError::DataInUse { .. })));
}

#[tokio::test]
async fn a_mounted_folder_is_a_read_only_bucket() {
    let folder = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("year=2026/empty")).unwrap();
    std::fs::write(folder.path().join("year=2026/part 1.parquet"), vec![7u8; 2 * MIB]).unwrap();
    std::fs::write(folder.path().join("year=2026.csv"), b"csv").unwrap();
    std::fs::write(outside.path().join("secret"), b"secret").unwrap();
    std::os::unix::fs::symlink(outside.path().join("secret"), folder.path().join("link")).unwrap();
    std::os::unix::fs::symlink(outside.path(), folder.path().join("linked")).unwrap();
    let mount = Mount {
        bucket: "files".to_owned(),
        folder: folder.path().to_owned(),
    };
    let world = start_with(|settings| settings.mounts = vec![mount]).await;
    let s3 = world.s3();
    let listed = s3.list_objects_v2().bucket("files").send().await.unwrap();
    let keys: Vec<_> = listed
        .contents()
        .iter()
        .map(|object| (object.key().unwrap(), object.size().unwrap()))
        .collect();
    assert_eq!(
        keys,
        [("year=2026.csv", 3), ("year=2026/part 1.parquet", 2 * MIB as i64)]
    );
    let top = s3
        .list_objects_v2()
        .bucket("files")
        .delimiter("/")
        .send()
        .await
        .unwrap();
    assert_eq!(top.common_prefixes()[0].prefix(), Some("year=2026/"));
    let get = |key: &str| s3.get_object().bucket("files").key(key);
    let object = get("year=2026/part 1.parquet").range("bytes=-9").send().await.unwrap();
    assert_eq!(object.e_tag(), listed.contents()[1].e_tag());
    assert_eq!(object.body.collect().await.unwrap().to_vec(), [7; 9]);
    for key in [
        "link",
        "linked/secret",
        "../secret",
        "year=2026/../year=2026.csv",
        "year=2026//part 1.parquet",
        "year=2026",
    ] {
        assert_eq!(failure(get(key).send().await), "404 NoSuchKey", "{key}");
    }
    let etag = listed.contents()[0].e_tag().unwrap();
    std::fs::write(folder.path().join("year=2026.csv"), b"changed").unwrap();
    assert_eq!(
        failure(get("year=2026.csv").if_match(etag).send().await),
        "412 PreconditionFailed"
    );
    let put = s3
        .put_object()
        .bucket("files")
        .key("new")
        .body(ByteStream::from_static(b"x"));
    assert_eq!(failure(put.send().await), "403 AccessDenied");
    assert_eq!(
        failure(s3.delete_object().bucket("files").key("year=2026.csv").send().await),
        "403 AccessDenied"
    );
    assert_eq!(
        failure(s3.create_multipart_upload().bucket("files").key("new").send().await),
        "403 AccessDenied"
    );
    assert_eq!(
        failure(s3.delete_bucket().bucket("files").send().await),
        "403 AccessDenied"
    );
    assert_eq!(std::fs::read(folder.path().join("year=2026.csv")).unwrap(), b"changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_and_uploads_end_by_age_where_a_rule_says_so() {
    use aws_sdk_s3::types::*;
    let world = start_with(|settings| settings.lifecycle_day = std::time::Duration::from_millis(400)).await;
    let s3 = bucket(&world).await;
    let rule = LifecycleRule::builder()
        .status(ExpirationStatus::Enabled)
        .filter(LifecycleRuleFilter::builder().prefix("x/").build())
        .expiration(LifecycleExpiration::builder().days(1).build())
        .abort_incomplete_multipart_upload(
            AbortIncompleteMultipartUpload::builder()
                .days_after_initiation(1)
                .build(),
        )
        .build()
        .unwrap();
    let rules = BucketLifecycleConfiguration::builder().rules(rule).build().unwrap();
    let set = s3.put_bucket_lifecycle_configuration().bucket("bucket");
    set.lifecycle_configuration(rules).send().await.unwrap();
    for key in ["x/1", "x/2", "y/1"] {
        put(&s3, key, b"body").await;
    }
    s3.create_multipart_upload()
        .bucket("bucket")
        .key("x/up")
        .send()
        .await
        .unwrap();
    let left = async || {
        let listed = s3.list_objects_v2().bucket("bucket").send().await.unwrap();
        let uploads = s3.list_multipart_uploads().bucket("bucket").send().await.unwrap();
        let keys: Vec<String> = listed
            .contents()
            .iter()
            .map(|object| object.key().unwrap().to_owned())
            .collect();
        (keys, uploads.uploads().len())
    };
    assert_eq!(
        left().await,
        (vec!["x/1".into(), "x/2".into(), "y/1".into()], 1),
        "nothing is old yet"
    );
    for _ in 0..100 {
        if left().await == (vec!["y/1".to_owned()], 0) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(left().await, (vec!["y/1".to_owned()], 0));
}

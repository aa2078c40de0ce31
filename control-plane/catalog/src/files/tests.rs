//! Persisted footers outlive the server that wrote them: another that reads them wrongly would prune wrongly.

use super::*;
use expect_test::expect_file;

const FILE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../tests/golden/parquet/page-checksums.parquet"
);

fn location() -> Location {
    Location {
        bucket: "lake".to_owned(),
        prefix: "shop/prices".to_owned(),
    }
}

/// Another writer's file, as a server that lists it first reads it.
async fn file() -> Arc<TableFile> {
    let bytes = Bytes::from(std::fs::read(FILE).expect("the file is there"));
    let raw = RawFooter {
        key: "shop/prices/part-0.parquet".to_owned(),
        etag: "\"0cc175b9c0f1b6a831c399e269772661\"".to_owned(),
        size_bytes: bytes.len() as u64,
        ends_at: bytes.len() as u64,
        bytes,
        pages: PageIndexPolicy::Optional,
    };
    Arc::new(footer::decode(&location(), raw).await.expect("a sound footer"))
}

/// What is persisted is the golden file; read from it, it is the same footer, and is persisted as the same bytes.
#[tokio::test]
async fn persisted_footers_are_their_golden() {
    let golden = expect_file!["../../../../tests/golden/catalog/files.v3.json"];
    let file = file().await;
    let bytes = encode(std::slice::from_ref(&file)).expect("a known footer");
    golden.assert_eq(std::str::from_utf8(&bytes).expect("JSON is UTF-8"));

    let held = golden.data();
    let persisted = decode(held.as_bytes()).expect("it is whole, and of this version");
    let mut read = Vec::new();
    for persisted in persisted {
        let file = decode_persisted(&location(), persisted).await;
        read.push(Arc::new(file.expect("a sound footer")));
    }
    assert_eq!(read.len(), 1);
    let (known, read_again) = (
        file.footer.as_ref().expect("it was read"),
        read[0].footer.as_ref().expect("it was read"),
    );
    assert_eq!((&read[0].key, &read[0].etag), (&file.key, &file.etag));
    assert_eq!(read[0].size_bytes, file.size_bytes);
    assert_eq!(read_again.row_groups, known.row_groups);
    assert_eq!(read_again.schema, known.schema);
    assert_eq!(encode(&read).expect("a known footer"), held.as_bytes());
}

#[tokio::test]
async fn what_is_damaged_or_of_another_version_is_not_read() {
    let bytes = encode(&[file().await]).expect("a known footer");
    assert!(decode(&bytes).is_some());
    let mut damaged = bytes.to_vec();
    damaged[10] ^= 1;
    assert!(decode(&damaged).is_none());
    let text = String::from_utf8(bytes.to_vec()).expect("JSON is UTF-8");
    let (json, _) = text.rsplit_once(",\n\"check\"").expect("it is sealed");
    assert!(decode(&[json.as_bytes(), b"}"].concat()).is_none());
    let next = json.replacen("\"v\":3", "\"v\":4", 1) + "}";
    assert!(decode(&whole::seal(next.into_bytes())).is_none());
}

//! Doors into S3 for fuzzing: whole requests without the signature, and the index log.

use std::sync::{Arc, Mutex};

use http::Request;
use s3s::Body;
use s3s::service::{S3Service, S3ServiceBuilder};
use tempfile::TempDir;

use super::adapter::Adapter;
use super::classify::classify;
use super::log::{Record, replayed};
use super::store::Store;

/// Requests until the store is made anew, so that a long run does not fill the disk.
const REQUESTS_PER_STORE: u32 = 2000;

struct Fresh {
    service: S3Service,
    left: u32,
    _folder: TempDir,
}

impl Fresh {
    fn new() -> Fresh {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let store = Arc::new(Store::open(folder.path(), &[], false).expect("an empty store opens"));
        store.create_bucket("bucket").expect("the bucket is new");
        Fresh {
            service: S3ServiceBuilder::new(Adapter::new(store, "us-east-1".to_owned())).build(),
            left: REQUESTS_PER_STORE,
            _folder: folder,
        }
    }
}

static SERVICE: Mutex<Option<Fresh>> = Mutex::new(None);

/// `data` is a request in the notation of `crate::fuzz::request`.
pub(crate) fn request(data: &[u8]) {
    let Some(request) = crate::fuzz::request(data) else {
        return;
    };
    classify(request.method(), request.uri(), request.headers());
    let mut held = SERVICE.lock().expect("a panic ends the run");
    let fresh = held.take().filter(|fresh| fresh.left > 0).unwrap_or_else(Fresh::new);
    let request: Request<Body> = request.map(Body::from);
    let answer = crate::fuzz::runtime().block_on(fresh.service.call(request));
    if let Ok(answer) = answer {
        assert_ne!(answer.status(), 500, "no request may break the store");
    }
    *held = Some(Fresh {
        left: fresh.left - 1,
        ..fresh
    });
}

/// A log is read, refused or cut; what was read is written and read again.
pub(crate) fn log(data: &[u8]) {
    let Ok(records) = replayed(data) else { return };
    let frames = records
        .iter()
        .flat_map(|record: &Record| super::log::frame(record).expect("it was read"));
    let again = replayed(&frames.collect::<Vec<u8>>()).expect("we wrote it");
    assert_eq!(again, records);
}

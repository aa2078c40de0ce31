//! An emulator with one bucket and a store on it. Everything ends with the test.

use local_emulator::{Emulator, Settings};
use mayfly_store::{AccessKey, S3Settings, Store};
use std::time::Duration;
use tempfile::TempDir;

pub const BUCKET: &str = "lake";

pub struct World {
    pub emulator: Emulator,
    pub store: Store,
    _folder: TempDir,
}

impl World {
    pub async fn start() -> World {
        let folder = tempfile::tempdir().expect("a temp folder");
        let settings = Settings::new(folder.path().join("data"), folder.path().join("scratch"));
        let emulator = Emulator::start(settings).await.expect("the emulator starts");
        let store = Store::connect(&settings_for(&emulator.endpoints().s3)).await;
        store.ensure_bucket(BUCKET).await.expect("a new bucket");
        World {
            emulator,
            store: store.fork(),
            _folder: folder,
        }
    }
}

pub fn settings_for(endpoint: &str) -> S3Settings {
    let credentials = local_emulator::Credentials::default();
    S3Settings {
        endpoint: Some(endpoint.to_owned()),
        access_key: Some(AccessKey::new(credentials.access_key_id, credentials.secret_access_key)),
        request_timeout: Duration::from_secs(5),
        ..S3Settings::default()
    }
}

/// Bytes that do not compress and do not repeat.
pub fn noise(length: usize, seed: u64) -> bytes::Bytes {
    let mut state = seed.wrapping_mul(2).wrapping_add(1);
    let next = |_| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..length).map(next).collect::<Vec<u8>>().into()
}

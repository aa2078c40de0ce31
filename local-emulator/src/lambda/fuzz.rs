//! Doors into Lambda for fuzzing: the calls that make and change functions, and the zips that code comes in.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use tempfile::TempDir;

use super::code::{Source, unpack};
use super::invoke_api::{percent_decoded, query};
use super::manage_api::{Call, ManageApi};
use super::{LambdaService, Pool, PoolSettings};
use crate::count::Counter;
use crate::fault::Faults;
use crate::s3::Store;

/// Functions until all are removed, so that a long run does not fill the memory.
const FUNCTIONS_MAX: usize = 200;

struct World {
    api: ManageApi,
    _folder: TempDir,
}

fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let _runtime = crate::fuzz::runtime().enter();
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let faults = Arc::new(Faults::new(Default::default()));
        let pool = PoolSettings {
            credentials: Default::default(),
            region: "us-east-1".to_owned(),
            environment_idle: Duration::from_secs(1),
            environment_max: 1,
            ramp_per_10_s: 1,
            scratch: folder.path().to_owned(),
            run_as: None,
            cpu_quota: false,
        };
        let pool = Arc::new(Pool::new(pool, faults.clone()));
        let service = LambdaService::new(Vec::new(), pool, Arc::new(Counter::default()), 1, faults, None);
        let api = ManageApi {
            service: Arc::new(service),
            store: Arc::new(Store::open(&folder.path().join("data"), &[], false).expect("an empty store opens")),
            region: "us-east-1".to_owned(),
            code: folder.path().join("code"),
        };
        World { api, _folder: folder }
    })
}

/// `data` is a request in the notation of `crate::fuzz::request`.
pub(crate) fn call(data: &[u8]) {
    let Some(request) = crate::fuzz::request(data) else {
        return;
    };
    let path = percent_decoded(request.uri().path());
    let call = Call {
        method: request.method(),
        path: path.trim_matches('/').split('/').skip(1).collect(),
        query: query(request.uri().query()),
        body: request.body().clone(),
    };
    let api = &world().api;
    if let Some(Err(problem)) = api.answer(&call) {
        assert!(problem.0.is_client_error(), "{}", problem.2);
    }
    tidy(api);
}

fn tidy(api: &ManageApi) {
    let (functions, _) = api.service.registry.list("", FUNCTIONS_MAX);
    if functions.len() == FUNCTIONS_MAX {
        for function in functions {
            let call = Call {
                method: &http::Method::DELETE,
                path: vec!["functions", function.name()],
                query: Vec::new(),
                body: Bytes::new(),
            };
            api.answer(&call);
        }
    }
}

/// A zip with code.
pub(crate) fn zip(data: &[u8]) {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let inside = folder.path().join("code");
    std::fs::create_dir(&inside).expect("the folder is empty");
    let _ = unpack(Source::Zip(data.to_vec()), &inside);
    let outside = std::fs::read_dir(folder.path()).expect("it is ours").count();
    assert_eq!(outside, 1, "nothing is written outside the folder for code");
}

//! The HTTP service: counts each request around `s3s`, which authenticates and routes it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use s3s::auth::{S3Auth, SecretKey};
use s3s::service::S3ServiceBuilder;
use s3s::{Body, HttpError, S3Result, s3_error};

use super::adapter::Adapter;
use super::classify::classify;
use super::store::Store;
use crate::count::Counter;
use crate::settings::Credentials;

type Answer = Pin<Box<dyn Future<Output = Result<Response<Body>, HttpError>> + Send>>;

pub(crate) fn service(
    store: Arc<Store>,
    credentials: Credentials,
    region: String,
    counter: Arc<Counter>,
) -> impl Service<Request<Incoming>, Response = Response<Body>, Error = HttpError, Future = Answer> + Clone {
    let mut builder = S3ServiceBuilder::new(Adapter::new(store, region));
    builder.set_auth(OnlyKey(credentials));
    let s3 = builder.build();
    service_fn(move |request: Request<Incoming>| {
        let (bucket, operation) = classify(request.method(), request.uri(), request.headers());
        let prefix = key_prefix(request.uri().path()).to_owned();
        let (answer, counter) = (Service::call(&s3, request), counter.clone());
        let counted = async move {
            let answer = answer.await;
            let status = answer
                .as_ref()
                .map_or(StatusCode::INTERNAL_SERVER_ERROR, Response::status);
            counter.s3(&bucket, &prefix, operation, status);
            answer
        };
        Box::pin(counted) as Answer
    })
}

/// The first component of a key that has more than one.
fn key_prefix(path: &str) -> &str {
    let key = path.splitn(3, '/').nth(2).unwrap_or_default();
    key.split_once('/').map_or("", |(first, _)| first)
}

/// Knows one key pair; `s3s` verifies the signature with its secret.
struct OnlyKey(Credentials);

#[async_trait]
impl S3Auth for OnlyKey {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        if access_key == self.0.access_key_id {
            return Ok(SecretKey::from(self.0.secret_access_key.as_str()));
        }
        Err(s3_error!(
            InvalidAccessKeyId,
            "The AWS Access Key Id you provided does not exist in our records."
        ))
    }
}

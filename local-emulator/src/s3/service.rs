//! The HTTP service around `s3s`, which authenticates and routes: counts each request, and lets waits and faults happen to it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use http::{Request, Response, StatusCode};
use http_body::Body as _;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use s3s::auth::{S3Auth, SecretKey};
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{Body, HttpError, S3Result, s3_error};

use super::adapter::Adapter;
use super::classify::classify;
use super::fault::S3Fault;
use super::latency::{BYTES_PER_S, Latency};
use super::shape::{Shape, shaped};
use super::store::Store;
use crate::count::{Counter, S3Operation};
use crate::fault::Faults;
use crate::settings::Credentials;

type Outcome = Result<Response<Body>, HttpError>;
type Answer = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// What the service is made of.
pub(crate) struct Parts {
    pub store: Arc<Store>,
    pub credentials: Credentials,
    pub region: String,
    pub counter: Arc<Counter>,
    pub faults: Arc<Faults>,
    pub latency: Option<Latency>,
}

pub(crate) fn service(
    parts: Parts,
) -> impl Service<Request<Incoming>, Response = Response<Body>, Error = HttpError, Future = Answer> + Clone {
    let mut builder = S3ServiceBuilder::new(Adapter::new(parts.store, parts.region));
    builder.set_auth(OnlyKey(parts.credentials));
    let front = Arc::new(Front {
        s3: builder.build(),
        counter: parts.counter,
        faults: parts.faults,
        latency: parts.latency,
    });
    service_fn(move |request: Request<Incoming>| Box::pin(front.clone().answer(request)) as Answer)
}

struct Front {
    s3: S3Service,
    counter: Arc<Counter>,
    faults: Arc<Faults>,
    latency: Option<Latency>,
}

impl Front {
    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Outcome {
        let target = Target::of(&request);
        if let Some(latency) = &self.latency {
            tokio::time::sleep(latency.first_byte(target.operation)).await;
        }
        let fault = self
            .faults
            .s3
            .draw(&target.path, |fault| fault.may_strike(target.operation));
        match fault {
            Some(fault) => self.struck(fault, target, request).await,
            None => self.serve(&target, request).await.map(|answer| self.paced(answer)),
        }
    }

    /// Serves and counts. A request that broke off before it was answered counts as a failure of the service.
    async fn serve(&self, target: &Target, request: Request<Incoming>) -> Outcome {
        let answer = Service::call(&self.s3, request).await;
        let status = answer
            .as_ref()
            .map_or(StatusCode::INTERNAL_SERVER_ERROR, Response::status);
        self.count(target, status);
        answer
    }

    fn count(&self, target: &Target, status: StatusCode) {
        let prefix = key_prefix(&target.path);
        self.counter.s3(&target.bucket, prefix, target.operation, status);
    }

    async fn struck(&self, fault: S3Fault, target: Target, request: Request<Incoming>) -> Outcome {
        match fault {
            S3Fault::SlowDown => self.refuse(&target, request, SLOW_DOWN).await,
            S3Fault::InternalError | S3Fault::DiskFull => self.refuse(&target, request, INTERNAL_ERROR).await,
            S3Fault::Reset => Err(reset()),
            S3Fault::AppliedButReset => self.serve(&target, request).await.and_then(|_| Err(reset())),
            S3Fault::AppliedButError => {
                let applied = Service::call(&self.s3, request).await?;
                self.count(&target, INTERNAL_ERROR.status);
                // What was refused anyway stays refused for its own reason.
                Ok(if applied.status().is_success() {
                    INTERNAL_ERROR.response()
                } else {
                    applied
                })
            }
            S3Fault::Truncate => {
                let answer = self.serve(&target, request).await?;
                Ok(reshaped(answer, |bytes| Shape::CutAt(self.faults.s3.below(bytes))))
            }
            S3Fault::FlipBit => {
                let answer = self.serve(&target, request).await?;
                Ok(reshaped(answer, |bytes| {
                    Shape::FlipBit(self.faults.s3.below(bytes * 8))
                }))
            }
            S3Fault::Slow { bytes_per_s } => {
                let answer = self.serve(&target, request).await?;
                Ok(reshaped(answer, |_| Shape::Slow { bytes_per_s }))
            }
        }
    }

    /// Takes the body in, so that the client reads the answer and not a broken pipe, and does nothing with it.
    async fn refuse(&self, target: &Target, request: Request<Incoming>, refusal: Refusal) -> Outcome {
        let mut body = request.into_body();
        while let Some(Ok(_)) = body.frame().await {}
        self.count(target, refusal.status);
        Ok(refusal.response())
    }

    /// Under a latency profile a body takes its time, too.
    fn paced(&self, answer: Response<Body>) -> Response<Body> {
        match self.latency {
            Some(_) => reshaped(answer, |_| Shape::Slow {
                bytes_per_s: BYTES_PER_S,
            }),
            None => answer,
        }
    }
}

/// Shapes the body of a successful answer, which must have one.
fn reshaped(answer: Response<Body>, shape: impl FnOnce(u64) -> Shape) -> Response<Body> {
    let bytes = answer.body().size_hint().exact().unwrap_or(0);
    match answer.status().is_success() && bytes > 0 {
        true => answer.map(|body| shaped(body, shape(bytes))),
        false => answer,
    }
}

/// Ends the connection without an answer.
fn reset() -> HttpError {
    HttpError::new("the connection was reset by a fault".into())
}

/// What a request is about, as far as its head tells.
struct Target {
    bucket: String,
    /// `bucket/key` as it stands in the address.
    path: String,
    operation: S3Operation,
}

impl Target {
    fn of(request: &Request<Incoming>) -> Target {
        let (bucket, operation) = classify(request.method(), request.uri(), request.headers());
        Target {
            bucket,
            path: request.uri().path().trim_start_matches('/').to_owned(),
            operation,
        }
    }
}

/// The first component of a key that has more than one, in `bucket/key`.
fn key_prefix(path: &str) -> &str {
    let key = path.split_once('/').map_or("", |(_, key)| key);
    key.split_once('/').map_or("", |(first, _)| first)
}

/// A refusal that S3 gives without looking at the request.
#[derive(Clone, Copy)]
struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: &'static str,
}

const SLOW_DOWN: Refusal = Refusal {
    status: StatusCode::SERVICE_UNAVAILABLE,
    code: "SlowDown",
    message: "Please reduce your request rate.",
};

const INTERNAL_ERROR: Refusal = Refusal {
    status: StatusCode::INTERNAL_SERVER_ERROR,
    code: "InternalError",
    message: "We encountered an internal error. Please try again.",
};

impl Refusal {
    fn response(self) -> Response<Body> {
        let Refusal { code, message, .. } = self;
        let xml = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>"
        );
        Response::builder()
            .status(self.status)
            .header(http::header::CONTENT_TYPE, "application/xml")
            .body(Body::from(xml))
            .expect("constant headers are valid")
    }
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

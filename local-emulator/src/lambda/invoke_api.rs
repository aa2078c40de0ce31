//! The HTTP face of Lambda: `Invoke` as AWS's SDKs send it. What lies under `/_emulator/` is handed to control.rs.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header, response};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use serde_json::{Value, json};

use super::fault::LambdaFault;
use super::function::{ACCOUNT, Function, parts_of};
use super::manage_api::{Call, ManageApi, Problem};
use super::outcome::PAYLOAD_BYTES_MAX;
use super::retry::Delivery;
use super::service::{Finished, LambdaService, Throttle};
use crate::authorization::{self, Refusal};
use crate::control::Control;

/// Bytes of an asynchronous request.
const EVENT_BYTES_MAX: usize = 1 << 20;
/// Bytes of a request that makes or changes something: a zip of 50 MiB in base64, and room for the rest.
const MANAGE_BYTES_MAX: usize = 70 << 20;

type Answer = Response<Full<Bytes>>;

/// Marks an answer that the caller shall not get.
#[derive(Clone, Copy)]
struct Lost;

#[derive(Debug, thiserror::Error)]
#[error("the answer was lost by a fault")]
pub(crate) struct ResponseLost;

#[derive(Clone)]
pub(crate) struct InvokeApi {
    pub service: Arc<LambdaService>,
    pub access_key_id: String,
    pub region: String,
    pub control: Control,
    pub manage: ManageApi,
}

impl InvokeApi {
    /// An error ends the connection without an answer.
    pub async fn route(self, request: Request<Incoming>) -> Result<Answer, ResponseLost> {
        let path = percent_decoded(request.uri().path());
        if let Some(page) = path.strip_prefix("/_emulator/") {
            return Ok(self.control.route(page, request).await);
        }
        let answer = match self.check(&request) {
            Err(refused) => refused,
            Ok(()) => match invoked_function(request.method(), &path) {
                Some(name) => self.invoke(name, request).await.unwrap_or_else(|refused| refused),
                None => self.manage(&path, request).await,
            },
        };
        match answer.extensions().get::<Lost>() {
            Some(Lost) => Err(ResponseLost),
            None => Ok(answer),
        }
    }

    fn check(&self, request: &Request<Incoming>) -> Result<(), Answer> {
        let (kind, message) = match authorization::check(request.headers(), &self.access_key_id) {
            Ok(()) => return Ok(()),
            Err(Refusal::Missing) => ("MissingAuthenticationTokenException", "Missing Authentication Token"),
            Err(Refusal::UnknownKey) => (
                "UnrecognizedClientException",
                "The security token included in the request is invalid.",
            ),
        };
        Err(refuse(StatusCode::FORBIDDEN, kind, json!({ "message": message })))
    }

    async fn manage(&self, path: &str, request: Request<Incoming>) -> Answer {
        let (parts, body) = request.into_parts();
        let Ok(body) = Limited::new(body, MANAGE_BYTES_MAX).collect().await else {
            let body = json!({ "Type": "User", "message": "the request body is too large or ended early" });
            return refuse(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLargeException", body);
        };
        // The date before the path is a version of the API; each call has its own and none is served in two.
        let path = path.trim_matches('/').split('/').skip(1).collect();
        let call = Call {
            method: &parts.method,
            path,
            query: query(parts.uri.query()),
            body: body.to_bytes(),
        };
        let known = call.path.first() == Some(&"functions");
        match known.then(|| self.manage.answer(&call)).flatten() {
            None => refuse(
                StatusCode::NOT_FOUND,
                "UnknownOperationException",
                json!({ "Message": "unknown operation" }),
            ),
            Some(Err(Problem(status, kind, message))) => refuse(
                status,
                kind,
                json!({ "Type": "User", "Message": message, "message": message }),
            ),
            Some(Ok((status, Value::Null))) => start(status).body(Full::default()).expect("constant headers are valid"),
            Some(Ok((status, value))) => start(status)
                .body(Full::new(value.to_string().into()))
                .expect("constant headers are valid"),
        }
    }

    async fn invoke(&self, spelled: &str, request: Request<Incoming>) -> Result<Answer, Answer> {
        let function = self.find(spelled, &query(request.uri().query()))?;
        let (parts, body) = request.into_parts();
        match text(&parts.headers, "x-amz-invocation-type").unwrap_or("RequestResponse") {
            "RequestResponse" => {
                let payload = payload(body, PAYLOAD_BYTES_MAX).await?;
                self.wait(function, payload, wants_tail(&parts.headers)).await
            }
            "Event" => {
                let payload = payload(body, EVENT_BYTES_MAX).await?;
                Ok(self.start(function, payload))
            }
            "DryRun" => {
                let request_id = uuid::Uuid::new_v4().to_string();
                Ok(empty(StatusCode::NO_CONTENT, &request_id, &function.version))
            }
            other => {
                let message = format!(
                    "1 validation error detected: Value '{other}' at 'invocationType' failed to satisfy constraint"
                );
                Err(refuse(
                    StatusCode::BAD_REQUEST,
                    "InvalidParameterValueException",
                    json!({ "message": message }),
                ))
            }
        }
    }

    fn find(&self, spelled: &str, query: &[(String, String)]) -> Result<Arc<Function>, Answer> {
        let (name, qualifier) = parts_of(spelled);
        let asked = query.iter().find(|(name, _)| name == "Qualifier");
        let qualifier = asked.map(|(_, value)| value.as_str()).or(qualifier);
        self.service.registry.find(name, qualifier).ok_or_else(|| {
            let arn = match spelled.starts_with("arn:") {
                true => spelled.to_owned(),
                false => format!("arn:aws:lambda:{}:{ACCOUNT}:function:{spelled}", self.region),
            };
            let body = json!({ "Type": "User", "Message": format!("Function not found: {arn}") });
            refuse(StatusCode::NOT_FOUND, "ResourceNotFoundException", body)
        })
    }

    async fn wait(&self, function: Arc<Function>, payload: Bytes, wants_tail: bool) -> Result<Answer, Answer> {
        let admission = self.service.admit(&function).map_err(throttled)?;
        let mishap = self.service.mishap(&function);
        if let Some(LambdaFault::Duplicate { after_ms }) = mishap {
            self.repeat(function.clone(), payload.clone(), Duration::from_millis(after_ms));
        }
        // A task of its own: on AWS too an invocation runs to its end when its caller hangs up.
        let version = function.version.clone();
        let invocation = tokio::spawn(self.service.clone().invoke(function, payload, admission));
        let finished = invocation.await.map_err(|_| internal())?;
        let mut answer = finished_answer(finished, &version, wants_tail);
        if mishap == Some(LambdaFault::ResponseLost) {
            answer.extensions_mut().insert(Lost);
        }
        Ok(answer)
    }

    /// The event once more, to whoever is free; nobody hears the second answer.
    fn repeat(&self, function: Arc<Function>, payload: Bytes, after: Duration) {
        let service = self.service.clone();
        tokio::spawn(async move {
            tokio::time::sleep(after).await;
            let patience = function.shared.events().age_max;
            if let Some(admission) = service.admit_later(&function, patience).await {
                service.invoke(function, payload, admission).await;
            }
        });
    }

    fn start(&self, function: Arc<Function>, payload: Bytes) -> Answer {
        let delivery = Delivery {
            service: self.service.clone(),
            function,
            payload,
            request_id: uuid::Uuid::new_v4().to_string(),
        };
        let answer = empty(StatusCode::ACCEPTED, &delivery.request_id, &delivery.function.version);
        tokio::spawn(delivery.run());
        answer
    }
}

/// The function that a path invokes: `/2015-03-31/functions/{function}/invocations`.
fn invoked_function<'p>(method: &Method, path: &'p str) -> Option<&'p str> {
    let function = path
        .strip_prefix("/2015-03-31/functions/")?
        .strip_suffix("/invocations")?;
    (method == Method::POST && !function.is_empty()).then_some(function)
}

async fn payload(body: Incoming, bytes_max: usize) -> Result<Bytes, Answer> {
    let collected = Limited::new(body, bytes_max).collect().await.map_err(|error| {
        if error.is::<LengthLimitError>() {
            let message = format!("Request must be smaller than {bytes_max} bytes for the InvokeFunction operation");
            let body = json!({ "Type": "User", "message": message });
            return refuse(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLargeException", body);
        }
        invalid_content("the request body ended early")
    })?;
    let payload = collected.to_bytes();
    if payload.is_empty() {
        return Ok(Bytes::from_static(b"{}"));
    }
    match serde_json::from_slice::<serde::de::IgnoredAny>(&payload) {
        Ok(_) => Ok(payload),
        Err(error) => Err(invalid_content(&format!(
            "Could not parse request body into json: {error}"
        ))),
    }
}

fn finished_answer(finished: Finished, version: &str, wants_tail: bool) -> Answer {
    let mut builder = Response::builder()
        .header(header::CONTENT_TYPE, "application/json")
        .header("x-amz-executed-version", version)
        .header("x-amzn-requestid", &finished.request_id);
    if finished.outcome.is_error() {
        builder = builder.header("x-amz-function-error", "Unhandled");
    }
    if wants_tail {
        builder = builder.header("x-amz-log-result", BASE64_STANDARD.encode(&finished.tail));
    }
    let body = finished.outcome.payload(&finished.request_id);
    builder.body(Full::new(body)).expect("ids and base64 fit headers")
}

fn throttled(throttle: Throttle) -> Answer {
    let reason = match throttle {
        Throttle::Concurrency => "ConcurrentInvocationLimitExceeded",
        Throttle::Reserved => "ReservedFunctionConcurrentInvocationLimitExceeded",
        Throttle::Ramp => "FunctionInvocationRateLimitExceeded",
    };
    let body = json!({ "Reason": reason, "Type": "User", "message": "Rate Exceeded." });
    refuse(StatusCode::TOO_MANY_REQUESTS, "TooManyRequestsException", body)
}

fn internal() -> Answer {
    let body = json!({ "Type": "Service", "Message": "the invocation was lost" });
    refuse(StatusCode::INTERNAL_SERVER_ERROR, "ServiceException", body)
}

fn invalid_content(message: &str) -> Answer {
    let body = json!({ "Type": "User", "message": message });
    refuse(StatusCode::BAD_REQUEST, "InvalidRequestContentException", body)
}

fn refuse(status: StatusCode, kind: &str, body: Value) -> Answer {
    let builder = start(status).header("x-amzn-errortype", kind);
    builder
        .body(Full::new(body.to_string().into()))
        .expect("error types fit headers")
}

fn empty(status: StatusCode, request_id: &str, version: &str) -> Answer {
    let builder = Response::builder()
        .status(status)
        .header("x-amzn-requestid", request_id);
    let builder = builder.header("x-amz-executed-version", version);
    builder.body(Full::default()).expect("constant headers are valid")
}

fn start(status: StatusCode) -> response::Builder {
    let id = uuid::Uuid::new_v4().to_string();
    let builder = Response::builder().status(status).header("x-amzn-requestid", id);
    builder.header(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))
}

/// Names and values of a query string.
pub(super) fn query(text: Option<&str>) -> Vec<(String, String)> {
    let pairs = url::form_urlencoded::parse(text.unwrap_or_default().as_bytes());
    pairs.into_owned().collect()
}

fn wants_tail(headers: &HeaderMap) -> bool {
    text(headers, "x-amz-log-type") == Some("Tail")
}

fn text<'h>(headers: &'h HeaderMap, name: &'static str) -> Option<&'h str> {
    headers.get(HeaderName::from_static(name))?.to_str().ok()
}

/// SDKs percent-encode the colons of an ARN.
pub(super) fn percent_decoded(path: &str) -> String {
    let (mut bytes, mut rest) = (Vec::with_capacity(path.len()), path.as_bytes());
    while let Some((first, behind)) = rest.split_first() {
        let escaped = (*first == b'%').then(|| behind.get(..2)).flatten();
        let escaped = escaped
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { &behind[2..] } else { behind };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

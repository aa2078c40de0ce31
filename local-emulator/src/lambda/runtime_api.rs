//! The Lambda Runtime API (2018-06-01) of one environment, on a listener of its own. Translates HTTP; the rules stand in environment.rs.
//! Never answers `/next` with 410: runtimes panic on it.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::{HeaderValue, Method, Request, Response, StatusCode, response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use serde_json::json;
use tokio::net::TcpListener;

use super::environment::{Environment, Event, Misuse};
use super::outcome::{Answer, RESPONSE_BYTES_MAX};
use crate::serve::Lifetime;

const PREFIX: &str = "/2018-06-01/runtime/";

/// Serves `environment` for as long as its process lives.
pub(crate) fn serve(listener: TcpListener, environment: Arc<Environment>, lifetime: &Lifetime) {
    let service = service_fn(move |request| {
        let environment = environment.clone();
        async move { Ok::<_, Infallible>(route(&environment, request).await) }
    });
    lifetime.serve(listener, service, None);
}

async fn route(environment: &Environment, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let path = request.uri().path().to_owned();
    let Some(call) = path.strip_prefix(PREFIX) else {
        return not_found();
    };
    let parts: Vec<&str> = call.split('/').collect();
    match (request.method().clone(), parts.as_slice()) {
        (Method::GET, ["invocation", "next"]) => next(environment).await,
        (Method::POST, ["invocation", id, "response"]) => answer(environment, id, request, Answer::Response).await,
        (Method::POST, ["invocation", id, "error"]) => answer(environment, id, request, Answer::Error).await,
        (Method::POST, ["init", "error"]) => init_error(environment, request).await,
        _ => not_found(),
    }
}

async fn next(environment: &Environment) -> Response<Full<Bytes>> {
    let event = match environment.next() {
        Ok(event) => event,
        Err(misuse) => return refused(misuse),
    };
    match event.await {
        Ok(event) => event_response(environment, event),
        // The environment is being killed; the process will not live to read this.
        Err(_) => problem(
            StatusCode::INTERNAL_SERVER_ERROR,
            "InternalServerError",
            "the environment is shutting down",
        ),
    }
}

fn event_response(environment: &Environment, event: Event) -> Response<Full<Bytes>> {
    let headers = [
        ("Lambda-Runtime-Aws-Request-Id", event.request_id),
        ("Lambda-Runtime-Deadline-Ms", event.deadline_ms.to_string()),
        ("Lambda-Runtime-Invoked-Function-Arn", environment.function.arn.clone()),
        ("Lambda-Runtime-Trace-Id", event.trace_id),
    ];
    let json = json_response(StatusCode::OK);
    let with = |builder: response::Builder, (name, value): (&str, String)| builder.header(name, value);
    let builder = headers.into_iter().fold(json, with);
    builder
        .body(Full::new(event.payload))
        .expect("ids and numbers fit headers")
}

async fn answer(
    environment: &Environment,
    request_id: &str,
    request: Request<Incoming>,
    wrap: fn(Bytes) -> Answer,
) -> Response<Full<Bytes>> {
    if let Err(misuse) = environment.check_answer(request_id) {
        return refused(misuse);
    }
    // A body that breaks off is no answer: the runtime may post again, or its process is gone.
    let Ok(body) = read(request.into_body()).await else {
        return problem(StatusCode::BAD_REQUEST, "TruncatedBody", "the body ended early");
    };
    let is_too_large = body.is_none();
    match environment.answer(request_id, body.map_or(Answer::TooLarge, wrap)) {
        Err(misuse) => refused(misuse),
        Ok(()) if is_too_large => {
            let text = format!("Exceeded maximum allowed payload size ({RESPONSE_BYTES_MAX} bytes).");
            problem(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", &text)
        }
        Ok(()) => accepted(),
    }
}

async fn init_error(environment: &Environment, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let body = read(request.into_body()).await.ok().flatten().unwrap_or_default();
    match environment.init_error(body) {
        Ok(()) => accepted(),
        Err(misuse) => refused(misuse),
    }
}

/// The whole body, or `None` if it is too large. It is read to its end even then: a runtime that is cut off sees a broken pipe, not a 413.
async fn read(mut body: Incoming) -> Result<Option<Bytes>, hyper::Error> {
    let (mut kept, mut size) = (BytesMut::new(), 0usize);
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        size = size.saturating_add(data.len());
        if size <= RESPONSE_BYTES_MAX {
            kept.extend_from_slice(&data);
        }
    }
    Ok((size <= RESPONSE_BYTES_MAX).then(|| kept.freeze()))
}

fn accepted() -> Response<Full<Bytes>> {
    let body = Full::new(Bytes::from_static(b"{\"status\":\"OK\"}\n"));
    json_response(StatusCode::ACCEPTED)
        .body(body)
        .expect("constant headers are valid")
}

fn refused(misuse: Misuse) -> Response<Full<Bytes>> {
    match misuse {
        Misuse::WrongId => problem(StatusCode::BAD_REQUEST, "InvalidRequestID", "Invalid request ID"),
        Misuse::WrongState => problem(
            StatusCode::FORBIDDEN,
            "InvalidStateTransition",
            "State transition is not allowed",
        ),
    }
}

fn not_found() -> Response<Full<Bytes>> {
    problem(StatusCode::NOT_FOUND, "NotFound", "no such call in the runtime API")
}

fn problem(status: StatusCode, kind: &str, message: &str) -> Response<Full<Bytes>> {
    let body = json!({ "errorType": kind, "errorMessage": message }).to_string();
    json_response(status)
        .body(Full::new(body.into()))
        .expect("constant headers are valid")
}

fn json_response(status: StatusCode) -> response::Builder {
    Response::builder()
        .status(status)
        .header(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"))
}

//! The emulator's own pages under `/_emulator/` at the Lambda endpoint: what was counted, which environments live, which faults are on.
//! No page is part of AWS's wire, and none is counted.

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use serde_json::{Value, json};

use crate::count::{Counter, metrics};
use crate::fault::{FaultSettings, Faults};
use crate::lambda::Pool;

/// Bytes of a page's request body.
const BODY_BYTES_MAX: usize = 1 << 20;

type Answer = Response<Full<Bytes>>;

#[derive(Clone)]
pub(crate) struct Control {
    pub counter: Arc<Counter>,
    pub faults: Arc<Faults>,
    pub pool: Arc<Pool>,
}

impl Control {
    /// `page` is the path behind `/_emulator/`.
    pub async fn route(&self, page: &str, request: Request<Incoming>) -> Answer {
        match (request.method(), page) {
            (&Method::GET, "counts") => json_answer(&json!(self.counter.counts())),
            (&Method::DELETE, "counts") => {
                self.counter.reset();
                json_answer(&json!(self.counter.counts()))
            }
            (&Method::GET, "metrics") => metrics_answer(metrics::text(&self.counter.counts())),
            (&Method::GET, "environments") => json_answer(&json!(self.pool.listing())),
            (&Method::GET, "faults") => json_answer(&self.faults_drawn()),
            (&Method::PUT, "faults") => self.replace_faults(request.into_body()).await,
            (&Method::DELETE, "faults") => {
                self.faults.replace(FaultSettings::default());
                json_answer(&self.faults_drawn())
            }
            _ => refuse(StatusCode::NOT_FOUND, "no such page"),
        }
    }

    fn faults_drawn(&self) -> Value {
        json!({
            "s3": self.faults.s3.drawn(),
            "sqs": self.faults.sqs.drawn(),
            "lambda": self.faults.lambda.drawn(),
        })
    }

    async fn replace_faults(&self, body: Incoming) -> Answer {
        let Ok(body) = Limited::new(body, BODY_BYTES_MAX).collect().await else {
            return refuse(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large or ended early");
        };
        match serde_json::from_slice::<FaultSettings>(&body.to_bytes()) {
            Ok(settings) => {
                self.faults.replace(settings);
                json_answer(&self.faults_drawn())
            }
            Err(error) => refuse(StatusCode::BAD_REQUEST, &error.to_string()),
        }
    }
}

fn json_answer(body: &Value) -> Answer {
    answer(StatusCode::OK, body)
}

fn metrics_answer(text: String) -> Answer {
    let builder = Response::builder().header(header::CONTENT_TYPE, "text/plain; version=0.0.4");
    builder
        .body(Full::new(text.into()))
        .expect("constant headers are valid")
}

fn refuse(status: StatusCode, message: &str) -> Answer {
    answer(status, &json!({ "message": message }))
}

fn answer(status: StatusCode, body: &Value) -> Answer {
    let builder = Response::builder().status(status);
    let builder = builder.header(header::CONTENT_TYPE, "application/json");
    let body = Full::new(body.to_string().into());
    builder.body(body).expect("constant headers are valid")
}

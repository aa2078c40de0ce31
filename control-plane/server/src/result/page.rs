//! A page as it goes over the wire: headers, and a body in three pieces, so that rows are not copied into their document.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::stream;
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue};
use std::convert::Infallible;

/// Clones share their bytes.
#[derive(Clone)]
pub struct Page {
    pub headers: Vec<(HeaderName, HeaderValue)>,
    pub head: Bytes,
    pub rows: Bytes,
    pub tail: Bytes,
}

impl Page {
    pub fn has_rows(&self) -> bool {
        !self.rows.is_empty()
    }
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let length = self.head.len() + self.rows.len() + self.tail.len();
        let pieces = [self.head, self.rows, self.tail]
            .into_iter()
            .filter(|piece| !piece.is_empty());
        let body = Body::from_stream(stream::iter(pieces.map(Ok::<_, Infallible>)));
        let mut response = Response::new(body);
        let headers = response.headers_mut();
        headers.extend(self.headers);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        response
    }
}

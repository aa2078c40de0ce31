//! A client of the Trino protocol, as small as the commands need: submit, follow, cancel.
//!
//! ```text
//! POST /v1/statement ─▶ page ─nextUri▶ GET ─▶ page ─nextUri▶ … ─▶ page without nextUri
//!                                 └─ DELETE: cancel
//! ```
//! Plain HTTP only. It leaves out spooled segments, prepared statements, transactions and authentication.

mod http;
mod page;
mod session;
mod statement;

#[cfg(test)]
pub use page::ErrorLocation;
pub use page::{Column, ErrorInfo, Page, Stats};
pub use session::Session;
pub use statement::Statement;

use http::Http;
use serde::de::DeserializeOwned;
use url::Url;

/// What keeps a client from an answer. Errors of a query are not among them: they stand in [`Page::error`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    #[error("cannot reach {server}")]
    Connect {
        server: String,
        #[source]
        cause: hyper_util::client::legacy::Error,
    },
    #[error("no answer from {server} within {} s", http::ANSWER_MAX.as_secs())]
    Silent { server: String },
    #[error("the connection to {server} broke")]
    Transport {
        server: String,
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("{server} answered {status}: {body}")]
    Status {
        server: String,
        status: ::http::StatusCode,
        body: String,
    },
    #[error("{server} does not speak the protocol: {message}")]
    Protocol { server: String, message: String },
}

/// One server and one session on it.
#[derive(Clone, Debug)]
pub struct Client {
    http: Http,
    server: Url,
    pub session: Session,
}

impl Client {
    pub fn new(server: &Url, session: Session) -> Client {
        Client {
            http: Http::new(),
            server: server.clone(),
            session,
        }
    }

    /// Registers a statement. Servers start it only when its first page is asked for.
    pub async fn submit(&self, sql: &str) -> Result<Statement, ClientError> {
        let answer = self
            .http
            .post(&self.at("/v1/statement"), self.session.headers(), sql)
            .await?;
        Statement::begin(self.http.clone(), self.session.user.clone(), answer)
    }

    /// A document of the native API.
    pub async fn document<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        let url = self.at(path);
        let answer = self.http.get(&url, &self.session.user).await?;
        serde_json::from_slice(&answer.body).map_err(|error| ClientError::Protocol {
            server: url,
            message: error.to_string(),
        })
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.server.as_str().trim_end_matches('/'))
    }
}

#[cfg(test)]
pub mod stub;
#[cfg(test)]
mod tests;

//! One statement from registration to its last page.

use super::http::{Answer, Http, origin};
use super::{ClientError, Page, Session};
use http::HeaderMap;

/// A statement that the server knows. Dropping it does not cancel it; the server gives up on it when nobody asks for a while.
#[derive(Debug)]
pub struct Statement {
    http: Http,
    user: String,
    pub id: String,
    first: Option<(Page, HeaderMap)>,
    next: Option<String>,
}

impl Statement {
    pub(super) fn begin(http: Http, user: String, answer: Answer) -> Result<Statement, ClientError> {
        let page = parse(&answer)?;
        Ok(Statement {
            http,
            user,
            id: page.id.clone(),
            next: page.next_uri.clone(),
            first: Some((page, answer.headers)),
        })
    }

    /// The next page, or none after the last. May be dropped while it waits: asking again yields the same page.
    /// `session` takes over what the statement changes.
    pub async fn next_page(&mut self, session: &mut Session) -> Result<Option<Page>, ClientError> {
        if let Some((page, headers)) = self.first.take() {
            session.apply(&headers);
            return Ok(Some(page));
        }
        let Some(url) = &self.next else { return Ok(None) };
        let answer = self.http.get(url, &self.user).await?;
        let page = parse(&answer)?;
        session.apply(&answer.headers);
        self.next.clone_from(&page.next_uri);
        Ok(Some(page))
    }

    /// Asks the server to stop the statement. Its pages go on until the server has let go of it.
    pub async fn cancel(&self) -> Result<(), ClientError> {
        match &self.next {
            Some(url) => self.http.delete(url, &self.user).await,
            None => Ok(()),
        }
    }
}

fn parse(answer: &Answer) -> Result<Page, ClientError> {
    serde_json::from_slice(&answer.body).map_err(|error| ClientError::Protocol {
        server: origin(&answer.url),
        message: error.to_string(),
    })
}

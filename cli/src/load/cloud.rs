//! Where a server keeps its tables and with what it lets us write there: a local cloud says so itself. Keys of an S3 that another program
//! serves it keeps to itself: whoever loads has them, too.

use super::table::Table;
use crate::client::{Client, ClientError};
use crate::exit::Failure;
use crate::serve;
use mayfly_protocol::{AccessKey, key};
use mayfly_store::{S3Settings, Store};
use serde::Deserialize;
use std::time::Duration;

const INFO: &str = "/v1/mayfly/info";
const ATTEMPTS_MAX: u32 = 6;
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

#[derive(Clone, Deserialize)]
pub struct Cloud {
    pub s3_endpoint: String,
    pub bucket: String,
    access_key_id: Option<String>,
    secret_access_key: Option<String>,
    pub region: String,
}

#[derive(Deserialize)]
struct Info {
    local: Option<Cloud>,
}

impl Cloud {
    /// Asks the server.
    pub async fn of(client: &Client) -> Result<Cloud, Failure> {
        let info: Info = match client.document(INFO).await {
            Err(ClientError::Status { server, status, .. }) if status == http::StatusCode::NOT_FOUND => {
                return Err(Failure::Usage(format!("{server} is no Mayfly server")));
            }
            answer => answer?,
        };
        let foreign =
            || Failure::Usage("load writes to a local cloud only: start one with `mayfly serve --local`".to_owned());
        info.local.ok_or_else(foreign)
    }

    pub async fn connect(&self) -> Result<Store, Failure> {
        let settings = S3Settings {
            endpoint: Some(self.s3_endpoint.clone()),
            region: self.region.clone(),
            access_key: Some(self.access_key()?),
            attempts_max: ATTEMPTS_MAX,
            request_timeout: REQUEST_TIMEOUT,
        };
        Ok(Store::connect(&settings).await)
    }

    fn access_key(&self) -> Result<AccessKey, Failure> {
        let told = self.access_key_id.clone().zip(self.secret_access_key.clone());
        let told = told.map(|(id, secret)| AccessKey::new(id, secret));
        told.or_else(serve::access_key).ok_or_else(|| {
            let text = format!(
                "the server's S3 at {} is another program's: load needs its AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
                self.s3_endpoint
            );
            Failure::Usage(text)
        })
    }

    /// Where the files of a table are; ends in a slash.
    pub fn prefix(&self, schema: &str, table: Table) -> String {
        key::loaded(schema, table.name())
    }
}

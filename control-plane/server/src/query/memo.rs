//! What this server asks the engine to keep with a query, so that another server, or a later life of this one, can go on answering its
//! client.

use crate::client::Client;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Memo {
    /// The secret of the query's URIs.
    pub slug: String,
    /// As the client sent it.
    pub sql: String,
    pub client: Client,
}

impl Memo {
    pub fn write(&self) -> String {
        serde_json::to_string(self).expect("texts and maps of texts make JSON")
    }

    /// None if another version wrote it in a way that this one cannot read.
    pub fn read(text: &str) -> Option<Memo> {
        serde_json::from_str(text).ok()
    }
}

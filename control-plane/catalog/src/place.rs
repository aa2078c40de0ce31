//! Where the files lie that a query names itself: one key, a folder, or a pattern. The allowed locations decide before any request.

use crate::pattern::{Pattern, WILDCARDS};
use crate::{Location, Locations, error, files};
use mayfly_protocol::{ErrorCode, QueryError};
use mayfly_store::{Listed, Store};

const SCHEME: &str = "s3://";

/// One text of a query that names files.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// As the query has it.
    text: String,
    is_folder: bool,
    /// What the text names before its first wildcard: a folder, or all of it.
    pub location: Location,
    /// What keys must look like, where there are wildcards.
    wild: Option<Wild>,
}

#[derive(Clone, Debug)]
struct Wild {
    pattern: Pattern,
    /// What all keys begin with.
    prefix: String,
    /// Whether the files lie in one folder.
    is_flat: bool,
}

impl Place {
    /// Refuses what may not be read. `control` is the bucket with the queries' own objects.
    pub(crate) fn parse(text: &str, allowed: &Locations, control: &str) -> Result<Place, QueryError> {
        let real = allowed.meaning(text);
        if !real.starts_with(SCHEME) {
            return Err(not_s3(text));
        }
        let is_folder = real.ends_with('/');
        let text = text.to_owned();
        let Some(at) = real.find(WILDCARDS) else {
            return Ok(Place {
                location: allowed.check(real, control)?,
                text,
                is_folder,
                wild: None,
            });
        };
        let bad = |why: &str| QueryError::new(ErrorCode::InvalidArguments, format!("'{text}' names no files: {why}"));
        let end = real[..at].rfind('/').filter(|end| *end >= SCHEME.len());
        let end = end.ok_or_else(|| bad("the name of a bucket has no wildcards"))?;
        let location = allowed.check(&real[..end], control)?;
        let key_starts = SCHEME.len() + location.bucket.len() + 1;
        let wild = Wild {
            pattern: pattern(&real[key_starts..]).map_err(|why| bad(&why))?,
            prefix: real[key_starts..at].to_owned(),
            is_flat: !real[at..].contains('/') && !real[at..].contains("**"),
        };
        Ok(Place {
            text,
            is_folder,
            location,
            wild: Some(wild),
        })
    }

    /// The folders above the files, as far as the text names them.
    pub(crate) fn folders(&self) -> Vec<&str> {
        let mut folders: Vec<&str> = self
            .location
            .prefix
            .split('/')
            .filter(|part| !part.is_empty())
            .collect();
        if self.wild.is_none() && !self.is_folder {
            folders.pop();
        }
        folders
    }

    /// The files, which are some.
    pub(crate) async fn list(&self, store: &Store) -> Result<Vec<Listed>, QueryError> {
        match &self.wild {
            Some(wild) => self.list_wild(store, wild).await,
            None => self.list_plain(store).await,
        }
    }

    async fn list_plain(&self, store: &Store) -> Result<Vec<Listed>, QueryError> {
        if !self.is_folder
            && let Some(file) = files::single(store, &self.location).await?
        {
            return Ok(vec![file]);
        }
        let listed = files::in_folder(store, &self.location).await?;
        match listed.is_empty() {
            false => Ok(listed),
            true => Err(error::empty_location(&self.text)
                .hint("a folder ends in '/'; wildcards such as *.parquet and **/*.csv name several files")),
        }
    }

    async fn list_wild(&self, store: &Store, wild: &Wild) -> Result<Vec<Listed>, QueryError> {
        let bucket = &self.location.bucket;
        let listed = match wild.is_flat {
            true => store.list_flat(bucket, &wild.prefix).await,
            false => store.list(bucket, &wild.prefix).await,
        };
        let listed = listed.map_err(|cause| error::store(&self.text, &cause))?;
        let is_data = |listed: &Listed| match wild.pattern.names_hidden() {
            true => listed.size_bytes > 0,
            false => files::is_data(&self.location, listed),
        };
        let is_wanted = |listed: &&Listed| is_data(listed) && wild.pattern.matches(&listed.key);
        let wanted: Vec<Listed> = listed.iter().filter(is_wanted).cloned().collect();
        match wanted.is_empty() {
            false => Ok(wanted),
            true => Err(self.nothing_matches(&listed)),
        }
    }

    fn nothing_matches(&self, listed: &[Listed]) -> QueryError {
        let message = format!("no file matches '{}'", self.text);
        let shown = listed.iter().find(|listed| files::is_data(&self.location, listed));
        let hint = match shown.or(listed.first()) {
            Some(first) => format!(
                "there is '{}'; '*' stays within a folder, '**/' is any number of folders",
                self.location.file(&first.key)
            ),
            None => format!("there is nothing below '{}'", self.location),
        };
        QueryError::new(ErrorCode::NotFound, message).hint(hint)
    }
}

/// A folder stands for all that lies in it.
fn pattern(key: &str) -> Result<Pattern, String> {
    match key.strip_suffix('/') {
        Some(folder) => Pattern::parse(&format!("{folder}/**")),
        None => Pattern::parse(key),
    }
}

fn not_s3(text: &str) -> QueryError {
    let shown: String = text.chars().take(200).collect();
    error::not_allowed(&shown, "a server reads from s3://bucket/…").hint(
        "`mayfly sql` reads local files; a server reads a folder that it was started with, by --mount NAME=DIR, as s3://NAME/",
    )
}

//! The calls that make, change and remove functions, versions, aliases, limits and the handling of events. Invoke stands in invoke_api.rs.

mod alias;
mod configuration;
mod limits;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use configuration::{configuration, configured};

use super::code::{self, Source};
use super::function::{About, Function, is_name};
use super::registry::{Entry, Refused};
use super::service::LambdaService;
use crate::s3::Store;
use crate::settings::{FunctionSettings, Secrets};

const LIST_MAX: usize = 50;

/// Where the calls take effect.
#[derive(Clone)]
pub(crate) struct ManageApi {
    pub service: Arc<LambdaService>,
    pub store: Arc<Store>,
    pub region: String,
    /// Code of functions that were made through the API.
    pub code: PathBuf,
}

/// A call that was refused: status, AWS's name for the error, and a message.
pub(crate) struct Problem(pub StatusCode, pub &'static str, pub String);

type Answer = Result<(StatusCode, Value), Problem>;

/// The parts of a call.
pub(crate) struct Call<'a> {
    pub method: &'a Method,
    /// Behind the date: `functions/{name}/…`.
    pub path: Vec<&'a str>,
    pub query: Vec<(String, String)>,
    pub body: Bytes,
}

impl Call<'_> {
    fn asked(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    fn json(&self) -> Result<Value, Problem> {
        if self.body.is_empty() {
            return Ok(json!({}));
        }
        serde_json::from_slice(&self.body).map_err(|error| {
            let message = format!("Could not parse request body into json: {error}");
            Problem(StatusCode::BAD_REQUEST, "InvalidRequestContentException", message)
        })
    }
}

impl ManageApi {
    /// `None`: there is no such call.
    pub fn answer(&self, call: &Call<'_>) -> Option<Answer> {
        let name = call.path.get(1).map(|spelled| super::function::parts_of(spelled).0);
        let path: Vec<&str> = call.path.iter().skip(2).copied().collect();
        Some(match (call.method.as_str(), name, path.as_slice()) {
            ("POST", None, []) => self.create(call),
            ("GET", None, []) => self.list(call),
            ("GET", Some(name), []) => self.get(name, call),
            ("DELETE", Some(name), []) => self.delete(name, call),
            ("GET", Some(name), ["configuration"]) => self.configuration(name, call),
            ("PUT", Some(name), ["configuration"]) => self.configure(name, call),
            ("PUT", Some(name), ["code"]) => self.update_code(name, call),
            ("POST", Some(name), ["versions"]) => self.publish(name),
            ("GET", Some(name), ["versions"]) => self.versions(name),
            ("POST", Some(name), ["aliases"]) => self.create_alias(name, call),
            ("GET", Some(name), ["aliases"]) => self.aliases(name),
            ("GET", Some(name), ["aliases", alias]) => self.alias(name, alias),
            ("PUT", Some(name), ["aliases", alias]) => self.update_alias(name, alias, call),
            ("DELETE", Some(name), ["aliases", alias]) => self.delete_alias(name, alias),
            ("PUT", Some(name), ["concurrency"]) => self.reserve(name, call),
            ("GET", Some(name), ["concurrency"]) => self.reserved(name),
            ("DELETE", Some(name), ["concurrency"]) => self.free(name),
            ("PUT" | "POST", Some(name), ["event-invoke-config"]) => self.handle_events(name, call),
            ("GET", Some(name), ["event-invoke-config"]) => self.events(name),
            ("DELETE", Some(name), ["event-invoke-config"]) => self.forget_events(name),
            _ => return None,
        })
    }

    fn create(&self, call: &Call<'_>) -> Answer {
        let asked = call.json()?;
        let name = text(&asked, "FunctionName").ok_or_else(|| invalid("FunctionName is missing"))?;
        let name = super::function::parts_of(name).0.to_owned();
        if !is_name(&name) {
            return Err(invalid(format!("'{name}' is no name of a function")));
        }
        if self.service.registry.find(&name, None).is_some() {
            return Err(exists(format!("Function already exist: {name}")));
        }
        let mut settings = FunctionSettings {
            memory_mb: 128,
            timeout: Duration::from_secs(3),
            ..FunctionSettings::new(name, "")
        };
        let mut about = About::default();
        configured(&mut settings, &mut about, &asked)?;
        self.coded(&mut settings, &mut about, &asked["Code"])?;
        let function = Function::new(settings, &self.region).map_err(|error| invalid(error.to_string()))?;
        let function = Function {
            about: About {
                modified: function.about.modified.clone(),
                ..about
            },
            ..function
        };
        let made = self.service.registry.create(function).map_err(refused)?;
        let shown = match asked["Publish"].as_bool() {
            Some(true) => self.service.registry.publish(made.name()).map_err(refused)?,
            _ => made,
        };
        Ok((StatusCode::CREATED, configuration(&shown)))
    }

    fn coded(&self, settings: &mut FunctionSettings, about: &mut About, asked: &Value) -> Result<(), Problem> {
        let source = self.source(asked)?;
        std::fs::create_dir_all(&self.code).map_err(|error| invalid(error.to_string()))?;
        let code = code::unpack(source, &self.code).map_err(invalid)?;
        settings.program = code.program;
        settings.secrets = Secrets::default();
        about.code_sha256 = code.sha256;
        about.code_bytes = code.bytes;
        Ok(())
    }

    fn source(&self, asked: &Value) -> Result<Source, Problem> {
        if let Some(zip) = text(asked, "ZipFile") {
            let zip = BASE64_STANDARD.decode(zip);
            return Ok(Source::Zip(zip.map_err(|error| invalid(format!("ZipFile: {error}")))?));
        }
        if let Some((bucket, key)) = text(asked, "S3Bucket").zip(text(asked, "S3Key")) {
            let unread = |error: String| invalid(format!("Error occurred while GetObject. {error}"));
            let object = self
                .store
                .object(bucket, key)
                .map_err(|error| unread(error.to_string()))?;
            return Ok(Source::Zip(object.read().map_err(|error| unread(error.to_string()))?));
        }
        match text(asked, "ImageUri").and_then(|uri| uri.strip_prefix("file://")) {
            Some(program) => Ok(Source::Program(program.into())),
            None => Err(invalid("Please provide a source for function code.")),
        }
    }

    fn list(&self, call: &Call<'_>) -> Answer {
        let most = call
            .asked("MaxItems")
            .and_then(|most| most.parse().ok())
            .unwrap_or(LIST_MAX);
        let (page, is_more) = self
            .service
            .registry
            .list(call.asked("Marker").unwrap_or(""), most.clamp(1, LIST_MAX));
        let mut answer =
            json!({ "Functions": page.iter().map(|function| configuration(function)).collect::<Vec<_>>() });
        if let Some(last) = page.last().filter(|_| is_more) {
            answer["NextMarker"] = json!(last.name());
        }
        Ok((StatusCode::OK, answer))
    }

    fn find(&self, name: &str, call: &Call<'_>) -> Result<Arc<Function>, Problem> {
        let spelled = super::function::parts_of(call.path[1]).1;
        let qualifier = call.asked("Qualifier").or(spelled);
        let found = self.service.registry.find(name, qualifier);
        found.ok_or_else(|| self.missing(name, qualifier))
    }

    fn missing(&self, name: &str, qualifier: Option<&str>) -> Problem {
        let qualifier = qualifier.map_or(String::new(), |qualifier| format!(":{qualifier}"));
        let account = super::function::ACCOUNT;
        let arn = format!("arn:aws:lambda:{}:{account}:function:{name}{qualifier}", self.region);
        not_found(format!("Function not found: {arn}"))
    }

    fn get(&self, name: &str, call: &Call<'_>) -> Answer {
        let function = self.find(name, call)?;
        let mut answer = json!({
            "Configuration": configuration(&function),
            "Code": { "RepositoryType": "S3", "Location": format!("file://{}", function.settings.program.display()) },
        });
        if let Some(reserved) = function.shared.reserved() {
            answer["Concurrency"] = json!({ "ReservedConcurrentExecutions": reserved });
        }
        Ok((StatusCode::OK, answer))
    }

    fn configuration(&self, name: &str, call: &Call<'_>) -> Answer {
        Ok((StatusCode::OK, configuration(&*self.find(name, call)?)))
    }

    fn delete(&self, name: &str, call: &Call<'_>) -> Answer {
        let gone = self.service.registry.delete(name, call.asked("Qualifier"));
        let gone = gone.map_err(|_| self.missing(name, call.asked("Qualifier")))?;
        gone.iter().for_each(|function| self.service.pool.retire(function.id));
        Ok((StatusCode::NO_CONTENT, Value::Null))
    }

    fn configure(&self, name: &str, call: &Call<'_>) -> Answer {
        let asked = call.json()?;
        self.changed(name, |settings, about| configured(settings, about, &asked))
    }

    fn update_code(&self, name: &str, call: &Call<'_>) -> Answer {
        let asked = call.json()?;
        let answer = self.changed(name, |settings, about| self.coded(settings, about, &asked))?;
        match asked["Publish"].as_bool() {
            Some(true) => self.publish(name).map(|(_, published)| (StatusCode::OK, published)),
            _ => Ok(answer),
        }
    }

    fn changed(
        &self,
        name: &str,
        change: impl FnOnce(&mut FunctionSettings, &mut About) -> Result<(), Problem>,
    ) -> Answer {
        let old = self
            .service
            .registry
            .find(name, None)
            .ok_or_else(|| self.missing(name, None))?;
        let (mut settings, mut about) = (old.settings.clone(), old.about.clone());
        change(&mut settings, &mut about)?;
        let new = old
            .changed(settings, about)
            .map_err(|error| invalid(error.to_string()))?;
        let new = Arc::new(new);
        let set = |entry: &mut Entry| {
            entry.latest = new.clone();
            Ok(())
        };
        self.service.registry.change(name, set).map_err(refused)?;
        self.service.pool.retire(old.id);
        Ok((StatusCode::OK, configuration(&new)))
    }

    fn publish(&self, name: &str) -> Answer {
        let published = self
            .service
            .registry
            .publish(name)
            .map_err(|_| self.missing(name, None))?;
        Ok((StatusCode::CREATED, configuration(&published)))
    }

    fn versions(&self, name: &str) -> Answer {
        let all = self.service.registry.look(name, |entry| {
            let all = std::iter::once(&entry.latest).chain(entry.versions.values());
            all.map(|function| configuration(function)).collect::<Vec<_>>()
        });
        Ok((
            StatusCode::OK,
            json!({ "Versions": all.map_err(|_| self.missing(name, None))? }),
        ))
    }

    fn latest(&self, name: &str) -> Result<Arc<Function>, Problem> {
        self.service
            .registry
            .find(name, None)
            .ok_or_else(|| self.missing(name, None))
    }
}

fn text<'v>(value: &'v Value, field: &str) -> Option<&'v str> {
    value[field].as_str()
}

fn invalid(message: impl Into<String>) -> Problem {
    Problem(
        StatusCode::BAD_REQUEST,
        "InvalidParameterValueException",
        message.into(),
    )
}

fn not_found(message: String) -> Problem {
    Problem(StatusCode::NOT_FOUND, "ResourceNotFoundException", message)
}

fn exists(message: String) -> Problem {
    Problem(StatusCode::CONFLICT, "ResourceConflictException", message)
}

fn refused(refused: Refused) -> Problem {
    match refused {
        Refused::NoFunction => not_found("Function not found".to_owned()),
        Refused::NoVersion => not_found("Version not found".to_owned()),
        Refused::NoAlias => not_found("Alias not found".to_owned()),
        Refused::Exists => exists("it exists already".to_owned()),
    }
}

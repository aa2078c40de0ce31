//! One version of a function as the service knows it: its settings, what its versions share, and how a request may name it.

use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::retry::EventSettings;
use crate::settings::{FunctionSettings, StartError};

pub(crate) const ACCOUNT: &str = "000000000000";
/// The version that can still change.
pub(crate) const LATEST: &str = "$LATEST";

/// Numbers functions, so that environments of changed code are told from those of the code before.
static NEXT_ID: AtomicU64 = AtomicU64::new(1);

#[derive(Clone, Debug)]
pub(crate) struct Function {
    /// Differs between all versions of all functions, and changes with code and configuration.
    pub id: u64,
    pub settings: FunctionSettings,
    /// Without a version.
    pub arn: String,
    pub version: String,
    pub about: About,
    pub shared: Arc<Shared>,
}

/// What is only told, never acted on.
#[derive(Clone, Debug, Default)]
pub(crate) struct About {
    pub code_sha256: String,
    pub code_bytes: u64,
    pub description: String,
    pub role: String,
    pub runtime: String,
    pub handler: String,
    pub modified: String,
}

/// What all versions of a function have in common.
#[derive(Debug)]
pub(crate) struct Shared {
    pub events: Mutex<EventSettings>,
    /// Invocations at a time that are this function's own; also its limit.
    pub reserved: Mutex<Option<usize>>,
    in_flight: AtomicUsize,
}

/// One invocation of a function in flight, for as long as it is held.
#[derive(Debug)]
pub(crate) struct Seat(Arc<Shared>);

impl Shared {
    fn new(events: EventSettings) -> Arc<Shared> {
        Arc::new(Shared {
            events: Mutex::new(events),
            reserved: Mutex::new(None),
            in_flight: AtomicUsize::new(0),
        })
    }

    pub fn events(&self) -> EventSettings {
        self.events.lock().expect("no holder panics").clone()
    }

    pub fn reserved(&self) -> Option<usize> {
        *self.reserved.lock().expect("no holder panics")
    }

    /// `None` where the function has as many invocations in flight as it may have.
    pub fn seat(self: &Arc<Self>) -> Option<Seat> {
        let most = self.reserved().unwrap_or(usize::MAX);
        let before = self.in_flight.fetch_add(1, Ordering::AcqRel);
        let seat = Seat(self.clone());
        (before < most).then_some(seat)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Function {
    pub fn new(settings: FunctionSettings, region: &str) -> Result<Function, StartError> {
        let shared = Shared::new(settings.events.clone());
        let arn = format!("arn:aws:lambda:{region}:{ACCOUNT}:function:{}", settings.name);
        Ok(Function {
            id: next_id(),
            settings: checked(settings)?,
            arn,
            version: LATEST.to_owned(),
            about: About {
                modified: now(),
                ..About::default()
            },
            shared,
        })
    }

    pub fn name(&self) -> &str {
        &self.settings.name
    }

    /// The same function with other settings; environments of the old one serve no more.
    pub fn changed(&self, settings: FunctionSettings, about: About) -> Result<Function, StartError> {
        Ok(Function {
            id: next_id(),
            settings: checked(settings)?,
            about: About {
                modified: now(),
                ..about
            },
            ..self.clone()
        })
    }

    /// A version that does not change any more.
    pub fn published(&self, version: String) -> Function {
        Function {
            id: next_id(),
            version,
            ..self.clone()
        }
    }

    pub fn versioned_arn(&self) -> String {
        match self.version.as_str() {
            LATEST => self.arn.clone(),
            version => format!("{}:{version}", self.arn),
        }
    }
}

fn next_id() -> u64 {
    NEXT_ID.fetch_add(1, Ordering::Relaxed)
}

fn now() -> String {
    chrono::Utc::now().format("%Y-%m-%dT%H:%M:%S%.3f+0000").to_string()
}

/// Names that can be called and programs that can be run.
fn checked(mut settings: FunctionSettings) -> Result<FunctionSettings, StartError> {
    let refused = |reason: String| StartError::Function {
        name: settings.name.clone(),
        reason,
    };
    if !is_name(&settings.name) {
        return Err(refused("a name has letters, digits, - and _ only".to_owned()));
    }
    let failed = |error: std::io::Error| refused(format!("cannot run {}: {error}", settings.program.display()));
    let program = settings.program.canonicalize().map_err(failed)?;
    let metadata = program.metadata().map_err(failed)?;
    if !metadata.is_file() || metadata.permissions().mode() & 0o111 == 0 {
        return Err(refused(format!("{} is not an executable file", program.display())));
    }
    settings.program = program;
    Ok(settings)
}

pub(crate) fn is_name(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    (1..=64).contains(&text.len()) && text.bytes().all(is_allowed)
}

/// The function's name and the version or alias in `name`, `name:qualifier`, `account:function:name` or a full ARN.
pub(crate) fn parts_of(spelled: &str) -> (&str, Option<&str>) {
    let short = match spelled.rsplit_once("function:") {
        Some((_, rest)) => rest,
        None => spelled,
    };
    match short.split_once(':') {
        None => (short, None),
        Some((name, qualifier)) => (name, Some(qualifier)),
    }
}

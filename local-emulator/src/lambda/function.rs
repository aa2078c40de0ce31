//! A function as the service knows it: its settings, its ARN, and how a request may name it.

use std::os::unix::fs::PermissionsExt;

use crate::settings::{FunctionSettings, StartError};

pub(crate) const ACCOUNT: &str = "000000000000";
pub(crate) const VERSION: &str = "$LATEST";

#[derive(Debug)]
pub(crate) struct Function {
    pub settings: FunctionSettings,
    pub arn: String,
}

impl Function {
    pub fn new(mut settings: FunctionSettings, region: &str) -> Result<Function, StartError> {
        let refused = |reason: String| StartError::Function {
            name: settings.name.clone(),
            reason,
        };
        if settings.name.is_empty()
            || !settings
                .name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
        {
            return Err(refused("a name has letters, digits, - and _ only".to_owned()));
        }
        let failed = |error: std::io::Error| refused(format!("cannot run {}: {error}", settings.program.display()));
        let program = settings.program.canonicalize().map_err(failed)?;
        let metadata = program.metadata().map_err(failed)?;
        if !metadata.is_file() || metadata.permissions().mode() & 0o111 == 0 {
            return Err(refused(format!("{} is not an executable file", program.display())));
        }
        settings.program = program;
        let arn = format!("arn:aws:lambda:{region}:{ACCOUNT}:function:{}", settings.name);
        Ok(Function { settings, arn })
    }

    pub fn name(&self) -> &str {
        &self.settings.name
    }
}

/// The function's name in `name`, `name:qualifier`, `account:function:name` or a full ARN. `None` for a version or alias: there is one version.
pub(crate) fn name_in(spelled: &str) -> Option<&str> {
    let short = match spelled.rsplit_once("function:") {
        Some((_, rest)) => rest,
        None => spelled,
    };
    match short.split_once(':') {
        None => Some(short),
        Some((name, VERSION)) => Some(name),
        Some(_) => None,
    }
}

//! Turns where and what of the command line into a client and SQL text.

use crate::arguments::{ServerArguments, SqlArguments, TargetArguments};
use crate::client::{Client, Session};
use crate::exit::Failure;
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};

/// A client that starts with the session of the command line.
pub fn client(arguments: &TargetArguments, source: &str) -> Client {
    let mut client = plain_client(&arguments.server, source);
    client.session.catalog = Some(arguments.catalog.clone());
    client.session.schema = arguments.schema.clone();
    client.session.properties = arguments.properties.iter().cloned().collect();
    client
}

/// A client that names everything in full.
pub fn plain_client(arguments: &ServerArguments, source: &str) -> Client {
    let session = Session {
        user: arguments.user.clone().unwrap_or_else(login),
        source: source.to_owned(),
        ..Session::default()
    };
    Client::new(&arguments.server, session)
}

fn login() -> String {
    let named = |name: &str| std::env::var(name).ok().filter(|user| !user.is_empty());
    named("USER")
        .or_else(|| named("LOGNAME"))
        .unwrap_or_else(|| "mayfly".to_owned())
}

/// SQL text, and the file that it is from.
pub struct Source {
    pub text: String,
    pub file: Option<PathBuf>,
}

/// The SQL text of `-c`, of `-f`, or of standard input when that is not a terminal.
pub fn sql(arguments: &SqlArguments) -> Result<Source, Failure> {
    let unnamed = |text: String| Source { text, file: None };
    match (&arguments.sql, &arguments.file) {
        (Some(sql), _) => Ok(unnamed(sql.clone())),
        (None, Some(file)) if file == Path::new("-") => standard_input().map(unnamed),
        (None, Some(file)) => read(file),
        (None, None) if io::stdin().is_terminal() => Err(Failure::Usage(
            "no SQL: give -c SQL or -f FILE, or pipe it in".to_owned(),
        )),
        (None, None) => standard_input().map(unnamed),
    }
}

fn read(file: &Path) -> Result<Source, Failure> {
    let text = std::fs::read_to_string(file);
    let text = text.map_err(|error| Failure::Usage(format!("cannot read {}: {error}", file.display())))?;
    Ok(Source {
        text,
        file: Some(file.to_owned()),
    })
}

fn standard_input() -> Result<String, Failure> {
    let mut text = String::new();
    match io::stdin().read_to_string(&mut text) {
        Ok(_) => Ok(text),
        Err(error) => Err(Failure::Usage(format!("cannot read standard input: {error}"))),
    }
}

//! The text of a type: `decimal(10, 2)`, `timestamp(3) with time zone`, `row(x bigint, "My y" double)`.

use super::column::{Argument, Signature};
use std::fmt;

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.raw, self.arguments.as_slice()) {
            (raw, []) => f.write_str(raw),
            // Without bound, the length is left out.
            ("varchar", _) => f.write_str("varchar"),
            ("timestamp with time zone", [digits]) => write!(f, "timestamp({digits}) with time zone"),
            (raw, arguments) => write_call(f, raw, arguments),
        }
    }
}

fn write_call(f: &mut fmt::Formatter<'_>, raw: &str, arguments: &[Argument]) -> fmt::Result {
    write!(f, "{raw}(")?;
    for (index, argument) in arguments.iter().enumerate() {
        let separator = if index == 0 { "" } else { ", " };
        write!(f, "{separator}{argument}")?;
    }
    f.write_str(")")
}

impl fmt::Display for Argument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Argument::Long(value) => write!(f, "{value}"),
            Argument::Type(signature) => write!(f, "{signature}"),
            Argument::Named { name: None, signature } => write!(f, "{signature}"),
            Argument::Named {
                name: Some(name),
                signature,
            } if is_simple(name) => write!(f, "{name} {signature}"),
            Argument::Named {
                name: Some(name),
                signature,
            } => {
                write!(f, "\"{}\" {signature}", name.replace('"', "\"\""))
            }
        }
    }
}

/// Whether a name reads back without quotes.
fn is_simple(name: &str) -> bool {
    let starts = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
    starts
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

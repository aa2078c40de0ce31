//! An error of a query as its author reads it: the message, the place in the SQL under a caret, what to do, and the query's id.
//!
//! ```text
//! error: line 2:8: Column 'l_quantty' cannot be resolved
//!   2 | SELECT l_quantty FROM lineitem
//!              ^
//! hint: did you mean 'l_quantity'?
//! COLUMN_NOT_FOUND, query 20261120_151209_00042_k3x9a
//! ```

use crate::client::ErrorInfo;
use std::fmt;
use unicode_width::UnicodeWidthStr;

/// Characters of the SQL line that are shown around the place.
const SHOWN_CHARS_MAX: usize = 120;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    pub error: ErrorInfo,
    pub query: String,
    /// The text whose line 1 is the error's line `1 + lines_before`.
    pub sql: String,
    /// Lines that were put before the user's text, such as `EXPLAIN`.
    pub lines_before: u32,
}

impl Diagnosis {
    /// Line and column in the user's own text.
    fn place(&self) -> Option<(u32, u32)> {
        let location = self.error.error_location?;
        let line = location.line_number.checked_sub(self.lines_before)?;
        (line > 0).then_some((line, location.column_number))
    }
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = without_place(&self.error.message);
        match self.place() {
            Some((line, column)) => {
                writeln!(f, "line {line}:{column}: {message}")?;
                f.write_str(&caret(&self.sql, line, column))?;
            }
            None => writeln!(f, "{message}")?,
        }
        if let Some(hint) = &self.error.hint {
            writeln!(f, "hint: {hint}")?;
        }
        write!(f, "{}, query {}", self.error.error_name, self.query)
    }
}

/// Servers put `line 1:8: ` before the message; it is said once, and for the user's text.
fn without_place(message: &str) -> &str {
    let parse = || {
        let (place, rest) = message.strip_prefix("line ")?.split_once(": ")?;
        let (line, column) = place.split_once(':')?;
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        (is_number(line) && is_number(column)).then_some(rest)
    };
    parse().unwrap_or(message)
}

/// The SQL line and a caret under the column, or nothing when the place is outside the text.
fn caret(sql: &str, line: u32, column: u32) -> String {
    let Some(text) = sql.lines().nth(line as usize - 1) else {
        return String::new();
    };
    let text: Vec<char> = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let at = (column as usize).saturating_sub(1).min(text.len());
    let from = at.saturating_sub(SHOWN_CHARS_MAX / 2);
    let to = text.len().min(from + SHOWN_CHARS_MAX);
    let shown: String = text[from..to].iter().collect();
    let before: String = text[from..at].iter().collect();
    let margin = format!("  {line} | ");
    let indent = " ".repeat(margin.width() + before.width());
    format!("{margin}{shown}\n{indent}^\n")
}

#[cfg(test)]
mod tests;

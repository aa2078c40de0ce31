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
use crate::statements::Statement;
use std::fmt;
use std::path::Path;
use unicode_width::UnicodeWidthStr;

/// Characters of the SQL line that are shown around the place.
const SHOWN_CHARS_MAX: usize = 120;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    pub error: ErrorInfo,
    pub query: String,
    pub origin: Origin,
}

/// Where the text of a statement comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The file, if it is one.
    pub file: Option<String>,
    /// All that the user wrote, of which the statement is a part.
    pub text: String,
    /// Lines before the one that the statement begins on.
    pub line: u32,
    /// Characters before it on that line.
    pub column: u32,
    /// Lines that were put before the statement, such as `EXPLAIN`.
    pub lines_put: u32,
}

impl Origin {
    pub fn of(statement: &Statement<'_>, file: Option<&Path>) -> Origin {
        Origin {
            file: file.map(|file| file.display().to_string()),
            text: statement.text.to_owned(),
            line: statement.line,
            column: statement.column,
            lines_put: 0,
        }
    }
}

impl Diagnosis {
    /// Line and column in the user's own text.
    fn place(&self) -> Option<(u32, u32)> {
        let location = self.error.error_location?;
        let line = location.line_number.checked_sub(self.origin.lines_put)?;
        let column = match line {
            0 => return None,
            1 => location.column_number + self.origin.column,
            _ => location.column_number,
        };
        Some((line + self.origin.line, column))
    }
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = without_place(&self.error.message);
        match self.place() {
            Some((line, column)) => {
                match &self.origin.file {
                    Some(file) => writeln!(f, "{file}:{line}:{column}: {message}")?,
                    None => writeln!(f, "line {line}:{column}: {message}")?,
                }
                f.write_str(&caret(&self.origin.text, line, column))?;
            }
            None => match &self.origin.file {
                Some(file) => writeln!(f, "{file}:{}: {message}", self.origin.line + 1)?,
                None => writeln!(f, "{message}")?,
            },
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

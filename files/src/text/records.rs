//! Where records of text end: at line ends, but for those within a quoted value of CSV or within an object of JSON. Looks at each byte
//! once, however the bytes arrive.

/// What separates values of CSV.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Csv {
    pub delimiter: u8,
    pub quote: u8,
    pub escape: Option<u8>,
    pub comment: Option<u8>,
}

/// Finds the ends of records, from the beginning of one on.
#[derive(Clone, Debug)]
pub struct Records {
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Csv { marks: Csv, state: Value },
    Json { depth: u32, state: Text },
}

/// Where in a record of CSV.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Value {
    /// Before the first value.
    Line,
    Start,
    Plain,
    Quoted,
    Escaped,
    /// Behind a quote within quotes: the value ends, or the quote is doubled.
    Quote,
    Comment,
}

/// Where in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Text {
    Outside,
    Inside,
    Escaped,
}

impl Records {
    pub fn csv(marks: Csv) -> Records {
        let state = Value::Line;
        Records {
            kind: Kind::Csv { marks, state },
        }
    }

    pub fn json() -> Records {
        let (depth, state) = (0, Text::Outside);
        Records {
            kind: Kind::Json { depth, state },
        }
    }

    /// Looks at the next bytes; where the first record in them ends, behind its line end. What follows was not looked at.
    pub fn end(&mut self, bytes: &[u8]) -> Option<usize> {
        match &mut self.kind {
            Kind::Csv { marks, state } => csv_end(*marks, state, bytes),
            Kind::Json { depth, state } => json_end(depth, state, bytes),
        }
    }

    /// Looks at the next bytes; where the last record in them ends.
    pub fn last_end(&mut self, bytes: &[u8]) -> Option<usize> {
        if let Some(last) = self.skim(bytes) {
            return last;
        }
        let mut last = None;
        while let Some(end) = self.end(&bytes[last.unwrap_or(0)..]) {
            last = Some(last.unwrap_or(0) + end);
        }
        last
    }

    /// Without a quote or a comment, every line end of CSV is a record's. Most text is like that, and is not looked at byte by byte.
    fn skim(&mut self, bytes: &[u8]) -> Option<Option<usize>> {
        let Kind::Csv { marks, state } = &mut self.kind else {
            return None;
        };
        let is_within = !matches!(state, Value::Line | Value::Start | Value::Plain);
        if is_within || marks.comment.is_some() || bytes.contains(&marks.quote) {
            return None;
        }
        *state = match bytes.last() {
            None => *state,
            Some(b'\n') => Value::Line,
            Some(last) if *last == marks.delimiter => Value::Start,
            Some(_) => Value::Plain,
        };
        Some(bytes.iter().rposition(|byte| *byte == b'\n').map(|at| at + 1))
    }

    /// Whether the bytes so far end within quotes: what looked like a line end was none.
    pub fn is_quoted(&self) -> bool {
        matches!(
            &self.kind,
            Kind::Csv {
                state: Value::Quoted | Value::Escaped,
                ..
            }
        )
    }
}

fn csv_end(marks: Csv, state: &mut Value, bytes: &[u8]) -> Option<usize> {
    for (at, byte) in bytes.iter().enumerate() {
        *state = match (*state, *byte) {
            (Value::Quoted, byte) if marks.escape == Some(byte) => Value::Escaped,
            (Value::Quoted, byte) if byte == marks.quote => Value::Quote,
            (Value::Quoted | Value::Escaped, _) => Value::Quoted,
            (_, b'\n') => {
                *state = Value::Line;
                return Some(at + 1);
            }
            (Value::Comment, _) => Value::Comment,
            (Value::Line, byte) if marks.comment == Some(byte) => Value::Comment,
            (Value::Line | Value::Start | Value::Quote, byte) if byte == marks.quote => Value::Quoted,
            (_, byte) if byte == marks.delimiter => Value::Start,
            _ => Value::Plain,
        };
    }
    None
}

fn json_end(depth: &mut u32, state: &mut Text, bytes: &[u8]) -> Option<usize> {
    for (at, byte) in bytes.iter().enumerate() {
        match (*state, byte) {
            (Text::Escaped, _) => *state = Text::Inside,
            (Text::Inside, b'\\') => *state = Text::Escaped,
            (Text::Inside, b'"') => *state = Text::Outside,
            // No text of JSON holds a line end: the line is broken, and the next begins anew.
            (Text::Inside, b'\n') => {
                (*state, *depth) = (Text::Outside, 0);
                return Some(at + 1);
            }
            (Text::Inside, _) => {}
            (Text::Outside, b'"') => *state = Text::Inside,
            (Text::Outside, b'{' | b'[') => *depth = depth.saturating_add(1),
            (Text::Outside, b'}' | b']') => *depth = depth.saturating_sub(1),
            (Text::Outside, b'\n') if *depth == 0 => return Some(at + 1),
            (Text::Outside, _) => {}
        }
    }
    None
}

#[cfg(test)]
mod tests;

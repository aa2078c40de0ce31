//! Wildcards in keys: `*`, `?` and `[a-z]` within one folder, `**` across folders, `{one,two}`. Decides on texts alone; lists nothing.

/// Texts that `{…}` may stand for.
const ALTERNATIVES_MAX: usize = 256;

/// Characters with which a wildcard begins.
pub(crate) const WILDCARDS: [char; 4] = ['*', '?', '[', '{'];

/// What keys must look like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    alternatives: Vec<Vec<Segment>>,
}

/// What stands between two slashes.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    /// Any number of folders.
    Deep,
    Plain(Vec<Piece>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Char(char),
    One,
    Any,
    Class { negated: bool, ranges: Vec<(char, char)> },
}

impl Pattern {
    /// Why the text is no pattern, if it is none.
    pub(crate) fn parse(text: &str) -> Result<Pattern, String> {
        let alternatives = expanded(text)?;
        let parsed = alternatives.iter().map(|text| segments(text));
        Ok(Pattern {
            alternatives: parsed.collect::<Result<_, _>>()?,
        })
    }

    pub(crate) fn matches(&self, key: &str) -> bool {
        let parts: Vec<Vec<char>> = key.split('/').map(|part| part.chars().collect()).collect();
        self.alternatives.iter().any(|segments| fits(segments, &parts))
    }

    /// Whether it asks for names that begin with `_` or `.`, which else are no data.
    pub(crate) fn names_hidden(&self) -> bool {
        let hidden = |segment: &Segment| match segment {
            Segment::Plain(pieces) => matches!(pieces.first(), Some(Piece::Char('_' | '.'))),
            Segment::Deep => false,
        };
        self.alternatives.iter().flatten().any(hidden)
    }
}

/// `a{b,c}d` → `abd`, `acd`. Braces may nest.
fn expanded(text: &str) -> Result<Vec<String>, String> {
    let mut open = vec![text.to_owned()];
    let mut done = Vec::new();
    while let Some(text) = open.pop() {
        match braces(&text)? {
            None => done.push(text),
            Some((before, choices, after)) => {
                open.extend(choices.iter().rev().map(|choice| format!("{before}{choice}{after}")));
            }
        }
        if open.len() + done.len() > ALTERNATIVES_MAX {
            return Err(format!("its braces stand for more than {ALTERNATIVES_MAX} texts"));
        }
    }
    Ok(done)
}

/// The first pair of braces: what stands before it, its choices, and what follows.
fn braces(text: &str) -> Result<Option<(&str, Vec<&str>, &str)>, String> {
    let Some(start) = text.find('{') else { return Ok(None) };
    let (mut depth, mut from, mut choices) = (0, start + 1, Vec::new());
    for (at, c) in text.char_indices().skip_while(|(at, _)| *at < start) {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => {
                choices.push(&text[from..at]);
                return Ok(Some((&text[..start], choices, &text[at + 1..])));
            }
            '}' => depth -= 1,
            ',' if depth == 1 => {
                choices.push(&text[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    Err("its '{' is not closed".to_owned())
}

fn segments(text: &str) -> Result<Vec<Segment>, String> {
    let segment = |text: &str| match text {
        "**" => Ok(Segment::Deep),
        text => pieces(text).map(Segment::Plain),
    };
    text.split('/').map(segment).collect()
}

fn pieces(text: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        pieces.push(match c {
            '*' => Piece::Any,
            '?' => Piece::One,
            '[' => {
                let (inside, after) = rest.as_str().split_once(']').ok_or("its '[' is not closed")?;
                rest = after.chars();
                class(inside)
            }
            c => Piece::Char(c),
        });
    }
    Ok(pieces)
}

fn class(text: &str) -> Piece {
    let (negated, text) = match text.strip_prefix(['!', '^']) {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let chars: Vec<char> = text.chars().collect();
    let (mut at, mut ranges) = (0, Vec::new());
    while at < chars.len() {
        let is_range = at + 2 < chars.len() && chars[at + 1] == '-';
        let last = if is_range { at + 2 } else { at };
        ranges.push((chars[at], chars[last]));
        at = last + 1;
    }
    Piece::Class { negated, ranges }
}

/// By dynamic programming: `reached[n]` says that what was looked at so far fits the first `n` parts. Takes time linear in both for any pattern.
fn fits(segments: &[Segment], parts: &[Vec<char>]) -> bool {
    let mut reached = vec![false; parts.len() + 1];
    reached[0] = true;
    for segment in segments {
        let mut next = vec![false; parts.len() + 1];
        match segment {
            Segment::Deep => {
                let first = reached.iter().position(|fits| *fits).unwrap_or(parts.len() + 1);
                next.iter_mut().skip(first).for_each(|fits| *fits = true);
            }
            Segment::Plain(pieces) => {
                for (at, part) in parts.iter().enumerate() {
                    next[at + 1] = reached[at] && part_fits(pieces, part);
                }
            }
        }
        reached = next;
    }
    reached[parts.len()]
}

/// The same within one part.
fn part_fits(pieces: &[Piece], part: &[char]) -> bool {
    let mut reached = vec![false; part.len() + 1];
    reached[0] = true;
    for piece in pieces {
        let mut next = vec![false; part.len() + 1];
        match piece {
            Piece::Any => {
                let first = reached.iter().position(|fits| *fits).unwrap_or(part.len() + 1);
                next.iter_mut().skip(first).for_each(|fits| *fits = true);
            }
            one => {
                for (at, c) in part.iter().enumerate() {
                    next[at + 1] = reached[at] && one.takes(*c);
                }
            }
        }
        reached = next;
    }
    reached[part.len()]
}

impl Piece {
    fn takes(&self, c: char) -> bool {
        match self {
            Piece::Char(own) => *own == c,
            Piece::One | Piece::Any => true,
            Piece::Class { negated, ranges } => {
                ranges.iter().any(|(first, last)| (*first..=*last).contains(&c)) != *negated
            }
        }
    }
}

#[cfg(test)]
mod tests;

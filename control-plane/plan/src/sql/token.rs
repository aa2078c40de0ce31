//! Text → tokens, within bounds. What would make a later step recurse without end is refused here, on the flat list.

use super::{exclusion, number, values};
use crate::error;
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer};
use mayfly_protocol::limits::SQL_BYTES_MAX;
use mayfly_protocol::{ErrorCode, QueryError};

/// Tokens of one statement, whitespace not counted.
const TOKENS_MAX: usize = 200_000;

/// Operators in one expression. Each deepens the tree by one, and DataFusion's passes recurse over it.
const CHAIN_MAX: usize = 1_500;

/// Open parentheses, brackets and CASEs at one place.
const NESTING_MAX: usize = 100;

/// UNION, INTERSECT, EXCEPT and JOIN in one statement.
const RELATIONS_MAX: usize = 400;

/// The tokens of exactly one statement, without whitespace and trailing semicolons.
pub(super) fn tokenize(sql: &str) -> Result<Vec<TokenWithSpan>, QueryError> {
    if sql.len() > SQL_BYTES_MAX {
        let message = format!("the query text has {} bytes, more than {SQL_BYTES_MAX}", sql.len());
        return Err(QueryError::new(ErrorCode::QueryTextTooLarge, message));
    }
    let mut tokens = words(sql)?;
    while tokens.last().is_some_and(|token| token.token == Token::SemiColon) {
        tokens.pop();
    }
    one_statement(&tokens)?;
    bounded(&tokens)?;
    exclusion::as_marks(values::with_parentheses(tokens))
}

/// The tokens of any text, without whitespace.
pub(super) fn words(text: &str) -> Result<Vec<TokenWithSpan>, QueryError> {
    let mut tokens = Tokenizer::new(&GenericDialect {}, text)
        .tokenize_with_location()
        .map_err(|cause| error::syntax(cause.message, cause.location))?;
    tokens = number::whole(tokens);
    tokens.retain(|token| !matches!(token.token, Token::Whitespace(_) | Token::EOF));
    Ok(tokens)
}

fn one_statement(tokens: &[TokenWithSpan]) -> Result<(), QueryError> {
    if tokens.is_empty() {
        let start = Location { line: 1, column: 1 };
        return Err(error::syntax("mismatched input '<EOF>'. Expecting: a statement", start));
    }
    match tokens.iter().find(|token| token.token == Token::SemiColon) {
        None => Ok(()),
        Some(second) => Err(error::syntax(
            "mismatched input ';'. Expecting: one statement",
            second.span.start,
        )),
    }
}

/// What of the text deepens the tree.
#[derive(Default)]
struct Depth {
    /// Length of the operator chain at each open level.
    chains: Vec<usize>,
    relations: usize,
}

fn bounded(tokens: &[TokenWithSpan]) -> Result<(), QueryError> {
    let too_complex = |what: String, at: Location| {
        QueryError::new(ErrorCode::TooComplex, format!("the query is too complex: {what}")).at(error::location(at))
    };
    if tokens.len() > TOKENS_MAX {
        return Err(too_complex(
            format!("more than {TOKENS_MAX} tokens"),
            tokens[TOKENS_MAX].span.start,
        ));
    }
    let mut depth = Depth {
        chains: vec![0],
        relations: 0,
    };
    for token in tokens {
        depth.take(&token.token);
        let chain = depth.chains.last().copied().unwrap_or(0);
        let at = token.span.start;
        if chain > CHAIN_MAX {
            return Err(too_complex(
                format!("more than {CHAIN_MAX} operators in one expression"),
                at,
            ));
        }
        if depth.chains.len() > NESTING_MAX {
            return Err(too_complex(format!("nested deeper than {NESTING_MAX}"), at));
        }
        if depth.relations > RELATIONS_MAX {
            return Err(too_complex(
                format!("more than {RELATIONS_MAX} joins and set operations"),
                at,
            ));
        }
    }
    Ok(())
}

impl Depth {
    fn take(&mut self, token: &Token) {
        match token {
            Token::LParen | Token::LBracket | Token::LBrace => self.open(),
            Token::RParen | Token::RBracket | Token::RBrace => self.close(),
            Token::Comma => self.restart(),
            Token::Word(word) => self.keyword(word.keyword),
            Token::Number(..) | Token::SingleQuotedString(_) | Token::Period => {}
            // Every other token is an operator of some kind, or too rare to matter.
            _ => self.link(),
        }
    }

    fn keyword(&mut self, keyword: Keyword) {
        match keyword {
            Keyword::CASE => self.open(),
            Keyword::END => self.close(),
            Keyword::SELECT | Keyword::FROM | Keyword::WHERE | Keyword::GROUP | Keyword::HAVING | Keyword::ORDER => {
                self.restart();
            }
            Keyword::UNION | Keyword::INTERSECT | Keyword::EXCEPT | Keyword::JOIN => {
                self.relations += 1;
                self.restart();
            }
            Keyword::AND | Keyword::OR | Keyword::NOT | Keyword::IS | Keyword::LIKE | Keyword::IN | Keyword::AT => {
                self.link();
            }
            _ => {}
        }
    }

    fn open(&mut self) {
        // `f()()()…` and `a[1][1]…` chain too.
        self.link();
        self.chains.push(0);
    }

    fn close(&mut self) {
        if self.chains.len() > 1 {
            self.chains.pop();
        }
    }

    fn restart(&mut self) {
        if let Some(chain) = self.chains.last_mut() {
            *chain = 0;
        }
    }

    fn link(&mut self) {
        if let Some(chain) = self.chains.last_mut() {
            *chain += 1;
        }
    }
}

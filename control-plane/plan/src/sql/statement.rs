//! The statements that Mayfly knows.

use super::{NamedFiles, OutputNames};
use datafusion::sql::parser::Statement as DfStatement;
use datafusion::sql::sqlparser::tokenizer::TokenWithSpan;
use mayfly_protocol::FileFormat;

/// A parsed statement.
#[derive(Debug)]
pub(crate) enum Statement {
    Query(QueryStatement),
    Explain {
        form: ExplainForm,
        query: QueryStatement,
    },
    Show(Show),
    /// The columns of a query.
    Describe(QueryStatement),
    /// Figures of each column of a query, and the tokens that it was read from.
    Summarize {
        source: QueryStatement,
        tokens: Vec<TokenWithSpan>,
    },
    Command(Command),
}

/// A query as DataFusion shall plan it, and the names that its columns shall carry.
#[derive(Debug)]
pub(crate) struct QueryStatement {
    pub ast: DfStatement,
    pub names: OutputNames,
    /// Files that it names itself, under the names that `ast` has for them.
    pub files: Vec<NamedFiles>,
}

/// What EXPLAIN prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExplainForm {
    /// Logical and physical plan.
    Plain,
    /// Each rewrite's outcome too.
    Verbose,
    Logical,
    /// Stages, tasks and exchanges.
    Distributed,
    /// Stages, and what they did: the query is run.
    Analyze,
    /// Only whether the query can be planned.
    Validate,
}

/// Metadata, answered as rows. Names stand as parts, as written, in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Show {
    Catalogs { like: Option<String> },
    Schemas { catalog: Vec<String>, like: Option<String> },
    Tables { schema: Vec<String>, like: Option<String> },
    Columns { table: Vec<String> },
    CreateTable { table: Vec<String> },
    CreateView { view: Vec<String> },
    Session { like: Option<String> },
}

/// What changes the catalog or the session.
#[derive(Debug)]
pub(crate) enum Command {
    CreateTable(NewTableStatement),
    CreateSchema { name: Vec<String>, if_not_exists: bool },
    DropTable { name: Vec<String>, if_exists: bool },
    CreateView(NewViewStatement),
    DropView { name: Vec<String>, if_exists: bool },
    AnalyzeTable { name: Vec<String> },
    Use { name: Vec<String> },
    SetSession { key: String, value: String },
    ResetSession { key: String },
}

/// `CREATE EXTERNAL TABLE … STORED AS format [PARTITIONED BY (…)] LOCATION '…' [OPTIONS (…)]`.
#[derive(Debug)]
pub(crate) struct NewTableStatement {
    pub name: Vec<String>,
    pub location: String,
    pub format: FileFormat,
    pub partitions: Option<Vec<String>>,
    pub if_not_exists: bool,
    /// The statement itself when it declares columns, for DataFusion to give them types.
    pub declared: Option<DfStatement>,
}

/// `CREATE [OR REPLACE] VIEW name [(columns)] AS query`.
#[derive(Debug)]
pub(crate) struct NewViewStatement {
    pub name: Vec<String>,
    /// Empty: as the query names them.
    pub columns: Vec<String>,
    pub sql: String,
    pub or_replace: bool,
    pub if_not_exists: bool,
}

//! Creating and dropping: names, the columns of all files, and the conditional write that tells one of two creators.

use crate::catalog::{agree, table_key};
use crate::definition::check_nesting;
use crate::{Catalog, Location, Relation, TableDefinition, TableFile, TableRef, ViewDefinition};
use crate::{error, files, name, partition, sample};
use arrow::datatypes::{Field, FieldRef, Schema, SchemaRef};
use mayfly_protocol::{FileFormat, QueryError};
use mayfly_store::Listed;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What `CREATE EXTERNAL TABLE` asks for.
#[derive(Clone, Debug)]
pub struct NewTable {
    pub name: TableRef,
    /// As the user wrote it.
    pub location: String,
    pub format: FileFormat,
    /// Columns as declared, partition columns among them; `None` takes them from the files.
    pub columns: Option<SchemaRef>,
    /// Partition columns as declared; `None` takes those that all files' folders name.
    pub partitions: Option<Vec<String>>,
    pub if_not_exists: bool,
}

/// What `CREATE VIEW` asks for.
#[derive(Clone, Debug)]
pub struct NewView {
    pub view: ViewDefinition,
    pub or_replace: bool,
    pub if_not_exists: bool,
}

impl Catalog {
    /// Whether the table was created; `false` when the name was taken and `if_not_exists` stands.
    pub async fn create_table(&self, new: NewTable) -> Result<bool, QueryError> {
        let location = self.allowed().check(&new.location, self.bucket())?;
        let name = self.new_name(&new.name).await?;
        if self.exists(&table_key(&name)).await? {
            return self.refuse_unless(new.if_not_exists, &name).await;
        }
        let definition = self.infer(&name, location, &new).await?;
        let bytes = Relation::Table(definition).encode()?;
        match self.create(&table_key(&name), bytes).await? {
            true => Ok(true),
            false => self.refuse_unless(new.if_not_exists, &name).await,
        }
    }

    /// Whether the view was created or replaced; `false` when the name was taken and `if_not_exists` stands.
    pub async fn create_view(&self, new: NewView) -> Result<bool, QueryError> {
        let name = self.new_name(&new.view.name).await?;
        let view = ViewDefinition {
            name: name.clone(),
            ..new.view
        };
        let bytes = Relation::View(view).encode()?;
        if self.create(&table_key(&name), bytes.clone()).await? {
            return Ok(true);
        }
        if !new.or_replace {
            return self.refuse_unless(new.if_not_exists, &name).await;
        }
        match self.relation(&name).await? {
            Relation::View(_) => self.put(&table_key(&name), bytes).await.map(|()| true),
            Relation::Table(_) => Err(error::not_a(&name, "view", "table")),
        }
    }

    /// Whether the table was dropped; `false` when there was none and `if_exists` stands. The table's files stay.
    pub async fn drop_table(&self, table: &TableRef, if_exists: bool) -> Result<bool, QueryError> {
        match self.to_drop(table, if_exists).await? {
            Found::Nothing => Ok(false),
            Found::Table | Found::Broken => self.forget(table).await.map(|()| true),
            Found::View => Err(error::not_a(table, "table", "view")),
        }
    }

    /// Whether the view was dropped; `false` when there was none and `if_exists` stands.
    pub async fn drop_view(&self, view: &TableRef, if_exists: bool) -> Result<bool, QueryError> {
        match self.to_drop(view, if_exists).await? {
            Found::Nothing => Ok(false),
            Found::View | Found::Broken => self.forget(view).await.map(|()| true),
            Found::Table => Err(error::not_a(view, "view", "table")),
        }
    }

    /// What cannot be read can still be dropped.
    async fn to_drop(&self, name: &TableRef, if_exists: bool) -> Result<Found, QueryError> {
        let object = match self.object(name).await {
            Ok(object) => object,
            Err(missing) if if_exists && is_missing(&missing) => return Ok(Found::Nothing),
            Err(other) => return Err(other),
        };
        Ok(match Relation::decode(&table_key(name), &object) {
            Ok(Relation::Table(_)) => Found::Table,
            Ok(Relation::View(_)) => Found::View,
            Err(_) => Found::Broken,
        })
    }

    /// Whoever is content with what exists must be able to use it.
    async fn refuse_unless(&self, if_not_exists: bool, name: &TableRef) -> Result<bool, QueryError> {
        match if_not_exists {
            true => self.relation(name).await.map(|_| false),
            false => Err(error::table_exists(name)),
        }
    }

    async fn new_name(&self, table: &TableRef) -> Result<TableRef, QueryError> {
        let name = TableRef {
            catalog: table.catalog.clone(),
            schema: name::checked(&table.schema)?,
            table: name::checked(&table.table)?,
        };
        self.check_schema(&name.catalog, &name.schema).await?;
        Ok(name)
    }

    /// The format, and the columns of the files and of their folders.
    async fn infer(&self, name: &TableRef, location: Location, new: &NewTable) -> Result<TableDefinition, QueryError> {
        let listed = files::list(self.store(), &location).await?;
        if listed.is_empty() {
            return Err(error::empty_location(&location.to_string()));
        }
        let keys: Vec<&str> = listed.iter().map(|file| file.key.as_str()).collect();
        let folders = partition::infer(&location, &keys, new.partitions.as_deref())?;
        self.define(name, location, &listed, new, folders).await
    }

    /// The columns that these files agree on, and those of their folders.
    pub(crate) async fn define(
        &self,
        name: &TableRef,
        location: Location,
        listed: &[Listed],
        new: &NewTable,
        folders: Vec<Field>,
    ) -> Result<TableDefinition, QueryError> {
        let held = self.held(name, &location, listed, new, &folders).await?;
        let folders = folder_columns(folders, new, &held)?;
        let partition_columns = folders.len();
        let columns = held.fields().iter().cloned().chain(folders).collect::<Vec<FieldRef>>();
        distinct(&columns)?;
        let schema = Schema::new(columns);
        check_nesting(name, &schema)?;
        Ok(TableDefinition {
            name: name.clone(),
            location,
            format: new.format.clone(),
            schema: Arc::new(schema),
            partition_columns,
            learned: None,
        })
    }

    /// The columns that the files hold.
    async fn held(
        &self,
        name: &TableRef,
        location: &Location,
        listed: &[Listed],
        new: &NewTable,
        folders: &[Field],
    ) -> Result<Schema, QueryError> {
        let declared = new.columns.as_ref().map(|columns| without(columns, folders));
        if new.format != FileFormat::Parquet {
            return match declared {
                Some(declared) => Ok(sample::spelled(self.store(), location, listed, &new.format, declared).await),
                None => sample::infer(self.store(), location, listed, &new.format).await,
            };
        }
        let files = self.files(name, location, listed).await?;
        let Some(declared) = declared else {
            return united(location, &files);
        };
        files.iter().try_for_each(|file| agree(location, file, &declared))?;
        known(location, &files, &declared)?;
        Ok(declared)
    }
}

/// The columns of all files together.
fn united(location: &Location, files: &[Arc<TableFile>]) -> Result<Schema, QueryError> {
    let mut united: Option<Schema> = None;
    for file in files {
        let Some(footer) = &file.footer else { continue };
        united = Some(match united {
            None => footer.schema.as_ref().clone(),
            Some(united) if united == *footer.schema => united,
            Some(united) => mayfly_files::union(&united, &footer.schema)
                .map_err(|why| error::schema_mismatch(&location.file(&file.key), &why))?,
        });
    }
    Ok(united.unwrap_or_else(Schema::empty))
}

/// A declared column that no file has would be NULL for ever: it is most likely misspelled.
fn known(location: &Location, files: &[Arc<TableFile>], declared: &Schema) -> Result<(), QueryError> {
    let mut missing: BTreeSet<usize> = (0..declared.fields().len()).collect();
    for footer in files.iter().filter_map(|file| file.footer.as_ref()) {
        let places = footer.places(declared.fields());
        missing.retain(|column| places[*column].is_none());
    }
    match missing.first() {
        Some(column) => Err(error::no_file_has(
            &location.to_string(),
            declared.field(*column).name(),
        )),
        None => Ok(()),
    }
}

fn without(columns: &Schema, folders: &[Field]) -> Schema {
    let is_folder = |field: &FieldRef| {
        folders
            .iter()
            .any(|folder| folder.name().eq_ignore_ascii_case(field.name()))
    };
    let held = columns.fields().iter().filter(|field| !is_folder(field));
    Schema::new(held.cloned().collect::<Vec<_>>())
}

/// The partition columns with the types that were declared for them. Where none were asked for, folders that name a column of the
/// files, or one that a declaration leaves out, are no columns.
fn folder_columns(found: Vec<Field>, new: &NewTable, held: &Schema) -> Result<Vec<FieldRef>, QueryError> {
    let is_held = |name: &str| {
        held.fields()
            .iter()
            .any(|field| field.name().eq_ignore_ascii_case(name))
    };
    let mut columns = Vec::new();
    for field in found {
        let declared = new.columns.as_ref().map(|columns| {
            let mut fields = columns.fields().iter();
            fields
                .find(|declared| declared.name().eq_ignore_ascii_case(field.name()))
                .cloned()
        });
        let is_wanted = new.partitions.is_some();
        match declared {
            Some(Some(declared)) => columns.push(declared),
            Some(None) if !is_wanted => {}
            _ if is_held(field.name()) && is_wanted => return Err(error::held_and_folder(field.name())),
            _ if is_held(field.name()) => {}
            _ => columns.push(Arc::new(field)),
        }
    }
    Ok(columns)
}

/// Names are looked up without regard to case, so columns must differ in more.
fn distinct(columns: &[FieldRef]) -> Result<(), QueryError> {
    let mut names: BTreeMap<String, &str> = BTreeMap::new();
    for column in columns {
        if let Some(other) = names.insert(column.name().to_lowercase(), column.name()) {
            return Err(error::one_name(other, column.name()));
        }
    }
    Ok(())
}

fn is_missing(error: &QueryError) -> bool {
    use mayfly_protocol::ErrorCode::{SchemaNotFound, TableNotFound};
    matches!(error.code, SchemaNotFound | TableNotFound)
}

/// What a name that shall be dropped stands for.
enum Found {
    Nothing,
    Table,
    View,
    /// An object that cannot be read.
    Broken,
}

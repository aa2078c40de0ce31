//! A column as clients see it: `{"name", "type", "typeSignature": {"rawType", "arguments": [..]}}`.

use super::{Precision, signature};
use crate::engine::Columns;
use mayfly_protocol::QueryError;
use serde::ser::{Serialize, SerializeMap, Serializer};

/// Trino's type as a tree. Its `Display` is the text of the type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    pub raw: &'static str,
    pub arguments: Vec<Argument>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Argument {
    Long(u64),
    Type(Signature),
    Named { name: Option<String>, signature: Signature },
}

impl Signature {
    pub fn plain(raw: &'static str) -> Signature {
        Signature::of(raw, Vec::new())
    }

    pub fn of(raw: &'static str, arguments: Vec<Argument>) -> Signature {
        Signature { raw, arguments }
    }

    /// A client that does not know precisions gets the bare name, which it takes for three digits.
    pub fn temporal(raw: &'static str, digits: u32, precision: Precision) -> Signature {
        match precision {
            Precision::Exact => Signature::of(raw, vec![Argument::Long(u64::from(digits))]),
            Precision::Millis => Signature::plain(raw),
        }
    }
}

impl Serialize for Signature {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("rawType", self.raw)?;
        // Present also when empty: Python indexes it.
        map.serialize_entry("arguments", &self.arguments)?;
        map.end()
    }
}

impl Serialize for Argument {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        match self {
            Argument::Long(value) => {
                map.serialize_entry("kind", "LONG")?;
                map.serialize_entry("value", value)?;
            }
            Argument::Type(signature) => {
                map.serialize_entry("kind", "TYPE")?;
                map.serialize_entry("value", signature)?;
            }
            Argument::Named { name, signature } => {
                map.serialize_entry("kind", "NAMED_TYPE")?;
                map.serialize_entry(
                    "value",
                    &NamedType {
                        name: name.as_deref(),
                        signature,
                    },
                )?;
            }
        }
        map.end()
    }
}

/// The field name is left out for an anonymous field.
struct NamedType<'a> {
    name: Option<&'a str>,
    signature: &'a Signature,
}

impl Serialize for NamedType<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(name) = self.name {
            map.serialize_entry("fieldName", &FieldName { name })?;
        }
        map.serialize_entry("typeSignature", self.signature)?;
        map.end()
    }
}

#[derive(serde::Serialize)]
struct FieldName<'a> {
    name: &'a str,
}

/// One column of a result.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Column {
    pub name: String,
    #[serde(rename = "type")]
    pub text: String,
    #[serde(rename = "typeSignature")]
    pub signature: Signature,
}

/// The columns of a result as the client shall see them.
pub fn columns(columns: &Columns, precision: Precision) -> Result<Vec<Column>, QueryError> {
    let fields = columns.schema.fields().iter();
    let column = |(name, field): (&String, &arrow::datatypes::FieldRef)| {
        let signature = signature(field, precision)?;
        Ok(Column {
            name: name.clone(),
            text: signature.to_string(),
            signature,
        })
    };
    columns.names.iter().zip(fields).map(column).collect()
}

//! Price books: list prices of one region, read from a TOML file that names the source and the day of every figure.

use crate::price::{Price, Unit, dollars};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// Instruction set of the executor function; compute has a price for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Architecture {
    #[serde(rename = "x86_64")]
    X86_64,
    Arm64,
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Architecture::X86_64 => "x86_64",
            Architecture::Arm64 => "arm64",
        })
    }
}

/// The prices of one region for one architecture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceBook {
    pub region: String,
    pub architecture: Architecture,
    /// When the figures were read, `yyyy-mm`.
    pub read: String,
    pub compute: Price,
    pub invocation: Price,
    pub s3_get: Price,
    pub s3_put: Price,
    pub s3_list: Price,
    pub sqs: Price,
    /// What Athena charges for the bytes that it scans.
    pub athena: Price,
}

#[derive(Debug, thiserror::Error)]
pub enum PriceBookError {
    #[error("there is no price book for region {region:?}")]
    NoRegion { region: String },
    #[error("the price book is malformed")]
    Malformed(#[source] Box<toml::de::Error>),
    #[error("the price book has no compute price for {architecture}")]
    NoArchitecture { architecture: Architecture },
    #[error("{name}: {text:?} is not a decimal amount of dollars with at most 12 digits after the point")]
    Amount { name: &'static str, text: String },
    #[error("{name} is priced per {found:?}, expected per {expected:?}")]
    Unit {
        name: &'static str,
        expected: Unit,
        found: Unit,
    },
    #[error("{name} does not say where its figure was read")]
    Source { name: &'static str },
}

const US_EAST_1: &str = include_str!("../prices/us-east-1.toml");

impl PriceBook {
    /// List prices of us-east-1.
    pub fn us_east_1(architecture: Architecture) -> PriceBook {
        PriceBook::parse(US_EAST_1, architecture)
            .expect("the embedded price book is read by a test for each architecture")
    }

    /// The embedded book of a region.
    pub fn named(region: &str, architecture: Architecture) -> Result<PriceBook, PriceBookError> {
        match region {
            "us-east-1" => PriceBook::parse(US_EAST_1, architecture),
            _ => Err(PriceBookError::NoRegion {
                region: region.to_owned(),
            }),
        }
    }

    /// Reads a book from TOML, as the files in `prices/` have it.
    pub fn parse(text: &str, architecture: Architecture) -> Result<PriceBook, PriceBookError> {
        let file: File = toml::from_str(text).map_err(|cause| PriceBookError::Malformed(Box::new(cause)))?;
        let compute = file
            .compute
            .get(&architecture)
            .ok_or(PriceBookError::NoArchitecture { architecture })?;
        Ok(PriceBook {
            compute: compute.price("compute", Unit::GbSecond)?,
            invocation: file.invocation.price("invocation", Unit::Request)?,
            s3_get: file.s3_get.price("s3_get", Unit::Request)?,
            s3_put: file.s3_put.price("s3_put", Unit::Request)?,
            s3_list: file.s3_list.price("s3_list", Unit::Request)?,
            sqs: file.sqs.price("sqs", Unit::Request)?,
            athena: file.athena.price("athena", Unit::TbScanned)?,
            region: file.region,
            architecture,
            read: file.read,
        })
    }
}

impl fmt::Display for PriceBook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} list prices of {}", self.region, self.architecture, self.read)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    region: String,
    read: String,
    compute: BTreeMap<Architecture, Figure>,
    invocation: Figure,
    s3_get: Figure,
    s3_put: Figure,
    s3_list: Figure,
    sqs: Figure,
    athena: Figure,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Figure {
    usd: String,
    unit: Unit,
    source: String,
    read: String,
}

impl Figure {
    fn price(&self, name: &'static str, expected: Unit) -> Result<Price, PriceBookError> {
        if self.unit != expected {
            let found = self.unit;
            return Err(PriceBookError::Unit { name, expected, found });
        }
        if self.source.is_empty() || self.read.is_empty() {
            return Err(PriceBookError::Source { name });
        }
        let text = self.usd.clone();
        let amount = dollars(&self.usd).ok_or(PriceBookError::Amount { name, text })?;
        Ok(Price { amount, unit: expected })
    }
}

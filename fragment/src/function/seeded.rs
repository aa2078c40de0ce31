//! `random()` and `uuid()` of a task: drawn from its seed and the number of the row, so that a task that runs again draws the same. Where a
//! task has several partitions their rows are numbered as they come, and a repetition may differ; digests of outputs then tell.

use datafusion::arrow::array::{Float64Array, StringArray};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Drawn {
    /// A double of [0, 1), as DataFusion's `random`.
    Random,
    /// A version 4 UUID as text, as DataFusion's `uuid`.
    Uuid,
}

/// One of the two, for one task.
#[derive(Debug)]
pub struct Seeded {
    drawn: Drawn,
    seed: u64,
    rows: AtomicU64,
    signature: Signature,
    aliases: Vec<String>,
}

impl Seeded {
    /// Both, under DataFusion's names.
    pub fn all(seed: u64) -> Vec<Arc<ScalarUDF>> {
        let function = |drawn, aliases: &[&str]| {
            Arc::new(ScalarUDF::new_from_impl(Seeded {
                drawn,
                // Two draws of one row must not be alike.
                seed: seed ^ drawn as u64,
                rows: AtomicU64::new(0),
                signature: Signature::nullary(Volatility::Volatile),
                aliases: aliases.iter().map(|alias| (*alias).to_owned()).collect(),
            }))
        };
        vec![function(Drawn::Random, &["rand"]), function(Drawn::Uuid, &[])]
    }

    fn word(&self, row: u64) -> u64 {
        mixed(mixed(self.seed).wrapping_add(row))
    }

    fn double(&self, row: u64) -> f64 {
        double(self.word(row))
    }

    fn uuid(&self, row: u64) -> String {
        let bits = u128::from(self.word(row * 2)) << 64 | u128::from(self.word(row * 2 + 1));
        let bits = bits & !(0xf << 76) & !(0x3 << 62) | 0x4 << 76 | 0x2 << 62;
        let part = |shift: u32, digits: u32| (bits >> shift) & ((1 << (digits * 4)) - 1);
        format!(
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            part(96, 8),
            part(80, 4),
            part(64, 4),
            part(48, 4),
            part(0, 12)
        )
    }
}

/// Of [0, 1).
pub fn double(word: u64) -> f64 {
    (word >> 11) as f64 / (1_u64 << 53) as f64
}

/// SplitMix64's output function.
pub fn mixed(word: u64) -> u64 {
    let word = word.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}

impl PartialEq for Seeded {
    fn eq(&self, other: &Seeded) -> bool {
        (self.drawn, self.seed) == (other.drawn, other.seed)
    }
}

impl Eq for Seeded {}

impl Hash for Seeded {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.drawn, self.seed).hash(state);
    }
}

impl ScalarUDFImpl for Seeded {
    fn name(&self) -> &str {
        match self.drawn {
            Drawn::Random => "random",
            Drawn::Uuid => "uuid",
        }
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(match self.drawn {
            Drawn::Random => DataType::Float64,
            Drawn::Uuid => DataType::Utf8,
        })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let count = args.number_rows as u64;
        let first = self.rows.fetch_add(count, Ordering::Relaxed);
        let rows = first..first + count;
        Ok(ColumnarValue::Array(match self.drawn {
            Drawn::Random => Arc::new(rows.map(|row| self.double(row)).collect::<Float64Array>()),
            Drawn::Uuid => Arc::new(StringArray::from_iter_values(rows.map(|row| self.uuid(row)))),
        }))
    }
}

#[cfg(test)]
mod tests;

//! The 22 queries of TPC-H with the parameters of its validation run.

macro_rules! texts {
    ($($number:literal)*) => {
        [$(include_str!(concat!("../../tests/sql/tpch/q", $number, ".sql")),)*]
    };
}

const TEXTS: [&str; 22] = texts!(
    "01" "02" "03" "04" "05" "06" "07" "08" "09" "10" "11" "12" "13" "14" "15" "16" "17" "18" "19" "20" "21" "22"
);

/// A query by its number in the standard, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Query {
    number: u8,
}

impl Query {
    /// The first line of the file: `TPC-H 6: forecasting revenue change`.
    pub fn title(self) -> &'static str {
        self.text().lines().next().unwrap_or_default().trim_start_matches("-- ")
    }

    /// One statement, without its semicolon.
    pub fn sql(self) -> &'static str {
        let (_, sql) = self.text().split_once('\n').expect("each file has a title line");
        sql.trim().trim_end_matches(';')
    }

    fn text(self) -> &'static str {
        TEXTS[usize::from(self.number) - 1]
    }
}

impl std::str::FromStr for Query {
    type Err = String;

    fn from_str(text: &str) -> Result<Query, String> {
        match text.trim().parse() {
            Ok(number @ 1..=22) => Ok(Query { number }),
            _ => Err("expected numbers from 1 to 22, separated by commas".to_owned()),
        }
    }
}

//! Tests of `ahead`.

use super::*;
use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use parquet::arrow::ArrowWriter;
use parquet::file::metadata::ParquetMetaDataReader;
use parquet::file::properties::WriterProperties;

const ROWS: i64 = 100;

/// The footer of a file of two columns and so many row groups.
fn footer(row_groups: usize) -> Arc<ParquetMetaData> {
    let values = Arc::new(Int64Array::from_iter_values(0..ROWS)) as ArrayRef;
    let batch = RecordBatch::try_from_iter([("a", values.clone()), ("b", values)]).unwrap();
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(ROWS as usize));
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties.build())).unwrap();
    (0..row_groups).for_each(|_| writer.write(&batch).unwrap());
    let file = Bytes::from(writer.into_inner().unwrap());
    Arc::new(ParquetMetaDataReader::new().parse_and_finish(&file).unwrap())
}

struct Reader {
    ahead: Ahead,
    footer: Arc<ParquetMetaData>,
}

impl Reader {
    fn new(row_groups: usize) -> Reader {
        let footer = footer(row_groups);
        let mut ahead = Ahead::default();
        ahead.begin(footer.clone());
        Reader { ahead, footer }
    }

    fn ranges(&self, row_group: usize, columns: &[usize]) -> Vec<Range<u64>> {
        ranges_of(&self.footer, row_group, columns).expect("a row group")
    }

    /// Whether the row group was asked for before; and which are asked for now.
    fn read(&mut self, row_group: usize, columns: &[usize]) -> (bool, Vec<usize>) {
        let ranges = self.ranges(row_group, columns);
        let early = self.ahead.take(&ranges).is_some();
        let mut next = Vec::new();
        self.ahead.guess(&ranges, |ranges| {
            next.push(ranges);
            SpawnedTask::spawn(async { Ok(Vec::new()) })
        });
        let row_group_of = |ranges: &Vec<Range<u64>>| {
            let found = chunks(&self.footer, ranges).expect("column chunks");
            assert_eq!(found.columns, columns);
            found.row_group
        };
        (early, next.iter().map(row_group_of).collect())
    }
}

#[tokio::test]
async fn the_same_columns_of_the_next_row_groups_are_asked_for() {
    for columns in [&[0, 1][..], &[1]] {
        let mut reader = Reader::new(6);
        assert_eq!(reader.read(0, columns), (false, vec![1]));
        assert_eq!(reader.read(1, columns), (true, vec![2, 3]));
        assert_eq!(reader.read(2, columns), (true, vec![4, 5]));
        assert_eq!(reader.read(3, columns), (true, vec![]));
        assert_eq!(reader.read(4, columns), (true, vec![]));
        assert_eq!(reader.read(5, columns), (true, vec![]));
    }
}

#[tokio::test]
async fn what_waits_is_bounded() {
    let mut reader = Reader::new(40);
    for row_group in 0..40 {
        reader.read(row_group, &[0]);
        assert!(reader.ahead.pending.len() <= AHEAD_GROUPS_MAX);
    }
    assert!(reader.ahead.pending.is_empty());
}

#[tokio::test]
async fn filtered_columns_and_the_rest_are_guessed_apart() {
    let mut reader = Reader::new(2);
    assert_eq!(reader.read(0, &[0]), (false, vec![1]));
    assert_eq!(reader.read(0, &[1]), (false, vec![1]));
    assert_eq!(reader.read(1, &[0]), (true, vec![]));
    assert_eq!(reader.read(1, &[1]), (true, vec![]));
}

#[tokio::test]
async fn a_wrong_guess_is_the_last() {
    let mut reader = Reader::new(5);
    assert_eq!(reader.read(0, &[0]), (false, vec![1]));
    // Row group 1 was skipped.
    assert_eq!(reader.read(2, &[0]), (false, vec![]));
    assert_eq!(reader.read(3, &[0]), (false, vec![]));
}

#[tokio::test]
async fn pages_say_nothing_of_what_comes_next() {
    let mut reader = Reader::new(2);
    let page = reader.ranges(0, &[0]).remove(0);
    let page = page.start..page.end - 1;
    reader.ahead.guess(&[page], |_| panic!("no guess"));
    reader.ahead.guess(&[], |_| panic!("no guess"));
}

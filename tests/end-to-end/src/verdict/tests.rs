//! What two of three judges make of an answer.

use super::*;

fn rows(cell: &str) -> Vec<Row> {
    vec![vec![Some(cell.to_owned())]]
}

fn opinions(answers: [Option<&str>; 3]) -> Vec<Opinion> {
    let names = ["datafusion", "duckdb", "postgres"];
    let ruling = |cell: &str| Ruling {
        types: vec!["bigint".to_owned()],
        rows: rows(cell),
    };
    let opinion = |(who, answer): (&'static str, Option<&str>)| Opinion {
        who,
        answer: answer.map(ruling).ok_or_else(|| "cannot".to_owned()),
    };
    names.into_iter().zip(answers).map(opinion).collect()
}

fn says(cell: &str) -> Result<Table, QueryFailure> {
    Ok(Table {
        columns: vec!["a".to_owned()],
        types: vec!["bigint".to_owned()],
        rows: rows(cell),
    })
}

fn refuses() -> Result<Table, QueryFailure> {
    Err(QueryFailure {
        name: "NOT_SUPPORTED".to_owned(),
        message: String::new(),
        location: None,
    })
}

fn is_wrong(reply: &Result<Table, QueryFailure>, answers: [Option<&str>; 3]) -> bool {
    matches!(verdict(reply, &opinions(answers), Order::IsOpen), Verdict::Wrong(_))
}

#[test]
fn two_of_three_decide() {
    assert!(is_wrong(&says("1"), [Some("1"), Some("2"), Some("2")]));
    assert!(is_wrong(&says("1"), [Some("2"), Some("2"), None]));
    assert!(!is_wrong(&says("1"), [Some("1"), Some("2"), Some("3")]));
}

#[test]
fn datafusion_alone_proves_nothing() {
    let verdict = |answers| verdict(&says("1"), &opinions(answers), Order::IsOpen);
    assert_eq!(verdict([Some("2"), Some("1"), Some("1")]), Verdict::Right);
    assert_eq!(verdict([Some("2"), Some("1"), None]), Verdict::Right);
    assert!(matches!(verdict([Some("1"), Some("2"), None]), Verdict::Open(_)));
    assert!(matches!(verdict([Some("2"), None, None]), Verdict::Open(_)));
}

#[test]
fn a_refusal_is_right_where_no_two_answer() {
    assert!(is_wrong(&refuses(), [None, Some("2"), Some("2")]));
    assert_eq!(
        verdict(&refuses(), &opinions([Some("1"), None, None]), Order::IsOpen),
        Verdict::Right
    );
}

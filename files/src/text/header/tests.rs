//! Headers of files of one table.

use super::*;

fn names(text: &str) -> Vec<String> {
    text.split(',').map(str::to_owned).collect()
}

#[test]
fn every_column_gets_a_name_of_its_own() {
    assert_eq!(distinct_names(&names("a,a,A")), names("a,a_1,A_2"));
    assert_eq!(distinct_names(&names("a,a_1,a")), names("a,a_1,a_2"));
    assert_eq!(distinct_names(&names("x,,y")), names("x,column_2,y"));
}

#[test]
fn columns_are_taken_by_name_or_else_by_place() {
    let table = ["id", "name"];
    assert_eq!(places(&table, &names("id,name")), Ok(vec![0, 1]));
    assert_eq!(places(&table, &names("name,id")), Ok(vec![1, 0]));
    assert_eq!(places(&table, &names("Name,extra,ID")), Ok(vec![2, 0]));
    assert_eq!(places(&table, &names("first,second")), Ok(vec![0, 1]));
    assert_eq!(places(&table, &names("id,title")), Ok(vec![0, 1]));
    assert!(places(&table, &names("name,other")).is_err());
    assert!(places(&table, &names("id")).is_err());
    assert!(places(&table, &names("a,b,c")).is_err());
}

//! Columns that cannot be read as they are written.

use super::*;
use parquet::schema::parser::parse_message_type;

fn refused(members: &str) -> Option<String> {
    let message = parse_message_type(&format!("message m {{ {members} }}")).expect("a schema");
    let schema = SchemaDescriptor::new(Arc::new(message));
    refuse_intervals(&schema).err().map(|error| error.to_string())
}

#[test]
fn intervals_are_refused_wherever_they_stand() {
    let interval = "optional fixed_len_byte_array(12) i (INTERVAL);";
    let of = |members: &str| refused(members).unwrap_or_default();
    assert!(of(interval).contains("column 'i' holds intervals"), "{}", of(interval));
    let nested = of(&format!("required int64 id; optional group g {{ {interval} }}"));
    assert!(nested.contains("column 'g.i'"), "{nested}");
    let listed = of(&format!(
        "optional group l (LIST) {{ repeated group list {{ {interval} }} }}"
    ));
    assert!(listed.contains("column 'l.list.i'"), "{listed}");
}

#[test]
fn twelve_bytes_are_no_interval() {
    assert_eq!(refused("optional fixed_len_byte_array(12) b; required int64 id;"), None);
}

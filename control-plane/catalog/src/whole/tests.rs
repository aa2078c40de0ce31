//! Every damage of one bit is seen, and nothing else.

use super::*;

const JSON: &str = r#"{
  "v": 1,
  "sql": "SELECT 1 AS \"check\"",
  "columns": ["a", "b"]
}"#;

#[test]
fn what_is_sealed_is_whole_and_json() {
    for json in [JSON, r#"{"v":1}"#, "{\"text\": \",\\n\\\"check\\\":\\\"00\\\"}\"}"] {
        let sealed = seal(json.as_bytes().to_vec());
        assert_eq!(look(&sealed), Whole::Yes, "{json}");
        let mut fields: serde_json::Value = serde_json::from_slice(&sealed).unwrap();
        fields.as_object_mut().unwrap().remove("check");
        assert_eq!(fields, serde_json::from_str::<serde_json::Value>(json).unwrap());
    }
}

#[test]
fn objects_of_before_may_be_whole() {
    assert_eq!(look(JSON.as_bytes()), Whole::Perhaps);
    assert_eq!(look(&JSON.as_bytes()[..40]), Whole::No);
    assert_eq!(look(b""), Whole::No);
}

/// A bit of the check's own name makes the object one of before: all that it says is as it was.
#[test]
fn no_bit_that_flips_changes_what_is_read() {
    let sealed = seal(JSON.as_bytes().to_vec());
    let content = sealed.len() - FIELD.len() - 64 - END.len();
    for bit in 0..sealed.len() * 8 {
        let mut damaged = sealed.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        let seen = look(&damaged);
        assert_ne!(seen, Whole::Yes, "bit {bit}");
        assert!(seen == Whole::No || bit / 8 >= content, "bit {bit} is not noticed");
    }
    for cut in 1..sealed.len() {
        assert_eq!(look(&sealed[..cut]), Whole::No, "cut at {cut}");
    }
}

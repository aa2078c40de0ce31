//! Patterns with an escape of their own, beside the same with the usual one.

use super::escaped;

#[test]
fn patterns_keep_their_meaning() {
    let check = |pattern: &str, escape: Option<char>, expected: &str| {
        assert_eq!(escaped(pattern, escape).expect(pattern), expected, "{pattern}");
    };
    check("a!%b_", Some('!'), "a\\%b_");
    check("a!!b%", Some('!'), "a!b%");
    check("a\\b", Some('!'), "a\\\\b");
    check("a\\b", None, "a\\\\b");
    check("50%%", Some('%'), "50\\%");
    assert!(escaped("a!b", Some('!')).is_err());
    assert!(escaped("a!", Some('!')).is_err());
}

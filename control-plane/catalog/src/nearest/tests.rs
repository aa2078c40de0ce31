//! Tests of `nearest`.

use super::nearest;

#[test]
fn slips_find_their_name() {
    let names = ["lineitem", "orders", "part", "partsupp", "customer"];
    let cases = [
        ("lineitems", Some("lineitem")),
        ("ordres", Some("orders")),
        ("ORDERS", Some("orders")),
        ("parts", Some("part")),
        ("zebra", None),
        ("", None),
    ];
    for (slip, expected) in cases {
        assert_eq!(nearest(slip, names), expected, "{slip}");
    }
}

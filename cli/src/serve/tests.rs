//! What an operator is warned of.

use super::exposure;

#[test]
fn who_listens_for_others_is_warned() {
    for host in ["0.0.0.0", "::", "10.1.2.3", "192.168.1.5", "fe80::1", "::ffff:10.0.0.1"] {
        let warning = exposure(host.parse().unwrap()).unwrap();
        assert!(
            warning.contains("no authentication") && warning.contains(host),
            "{warning}"
        );
    }
    for host in ["127.0.0.1", "127.0.0.2", "::1", "::ffff:127.0.0.1"] {
        assert_eq!(exposure(host.parse().unwrap()), None, "{host}");
    }
}

//! Time zones as Trino writes them, and as arrow knows them: an IANA name, or an offset `+hh:mm`.

use arrow::array::timezone::Tz;

/// Hours of the widest offset, as in Trino.
const HOURS_MAX: u32 = 14;

/// Names of UTC itself.
const UTC: [&str; 9] = [
    "etc/gmt",
    "etc/utc",
    "gmt",
    "gmt0",
    "universal",
    "ut",
    "utc",
    "z",
    "zulu",
];

/// Arrow's name of a zone: of `GMT+02:00`, `UTC-5:30`, `+0530`, `Z` or `Europe/Berlin`. `None`: no such zone.
pub(crate) fn canonical(zone: &str) -> Option<String> {
    let zone = zone.trim();
    let lower = zone.to_lowercase();
    if UTC.contains(&lower.as_str()) {
        return Some("UTC".to_owned());
    }
    let bare = ["utc", "gmt", "ut"].iter().find_map(|name| lower.strip_prefix(name));
    let signed = bare.unwrap_or(&lower);
    if signed.starts_with(['+', '-']) {
        return offset(signed);
    }
    let known = zone.parse::<Tz>().is_ok() && zone.starts_with(|first: char| first.is_ascii_alphabetic());
    known.then(|| zone.to_owned())
}

/// `+5`, `+05`, `+0530`, `+5:30`, `+05:30`
fn offset(signed: &str) -> Option<String> {
    let (sign, digits) = signed.split_at(1);
    let (hours, minutes) = match digits.split_once(':') {
        Some((hours, minutes)) if minutes.len() == 2 => (hours, minutes),
        Some(_) => return None,
        None if digits.len() == 4 => digits.split_at(2),
        None => (digits, "0"),
    };
    let number = |text: &str| match text.len() {
        1 | 2 if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse::<u32>().ok(),
        _ => None,
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    let fits = minutes < 60 && hours * 60 + minutes <= HOURS_MAX * 60;
    match (fits, hours, minutes) {
        (false, ..) => None,
        (true, 0, 0) => Some("UTC".to_owned()),
        (true, hours, minutes) => Some(format!("{sign}{hours:02}:{minutes:02}")),
    }
}

#[cfg(test)]
mod tests {
    use super::canonical;

    #[test]
    fn zones_are_known_as_trino_writes_them() {
        let check = |zone: &str, expected: Option<&str>| assert_eq!(canonical(zone).as_deref(), expected, "{zone}");
        check("Europe/Berlin", Some("Europe/Berlin"));
        check("UTC", Some("UTC"));
        check("Z", Some("UTC"));
        check("GMT+02:00", Some("+02:00"));
        check("UTC-05:30", Some("-05:30"));
        check("+5:30", Some("+05:30"));
        check("+0530", Some("+05:30"));
        check("-8", Some("-08:00"));
        check("+00:00", Some("UTC"));
        check("+15:00", None);
        check("+05:3", None);
        check("Mars/Olympus", None);
        check("", None);
    }
}

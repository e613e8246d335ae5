//! The names of zones in words: what Java prints for the letters `zzzz`, and reads for `z`.

/// An abbreviation, the name in full, and the region that a text with either of them means.
const NAMES: &[(&str, &str, &str)] = &[
    ("AEDT", "Australian Eastern Daylight Time", "Australia/Sydney"),
    ("AEST", "Australian Eastern Standard Time", "Australia/Sydney"),
    ("AKDT", "Alaska Daylight Time", "America/Anchorage"),
    ("AKST", "Alaska Standard Time", "America/Anchorage"),
    ("BST", "British Summer Time", "Europe/London"),
    ("CDT", "Central Daylight Time", "America/Chicago"),
    ("CEST", "Central European Summer Time", "Europe/Paris"),
    ("CET", "Central European Standard Time", "Europe/Paris"),
    ("CST", "Central Standard Time", "America/Chicago"),
    ("EDT", "Eastern Daylight Time", "America/New_York"),
    ("EEST", "Eastern European Summer Time", "Europe/Bucharest"),
    ("EET", "Eastern European Standard Time", "Europe/Bucharest"),
    ("EST", "Eastern Standard Time", "America/New_York"),
    ("GMT", "Greenwich Mean Time", "GMT"),
    ("HST", "Hawaii-Aleutian Standard Time", "Pacific/Honolulu"),
    ("IST", "India Standard Time", "Asia/Kolkata"),
    ("JST", "Japan Standard Time", "Asia/Tokyo"),
    ("KST", "Korean Standard Time", "Asia/Seoul"),
    ("MDT", "Mountain Daylight Time", "America/Denver"),
    ("MSK", "Moscow Standard Time", "Europe/Moscow"),
    ("MST", "Mountain Standard Time", "America/Denver"),
    ("NZDT", "New Zealand Daylight Time", "Pacific/Auckland"),
    ("NZST", "New Zealand Standard Time", "Pacific/Auckland"),
    ("PDT", "Pacific Daylight Time", "America/Los_Angeles"),
    ("PST", "Pacific Standard Time", "America/Los_Angeles"),
    ("SAST", "South Africa Standard Time", "Africa/Johannesburg"),
    ("UTC", "Coordinated Universal Time", "UTC"),
    ("WEST", "Western European Summer Time", "Europe/Lisbon"),
    ("WET", "Western European Standard Time", "Europe/Lisbon"),
];

/// The name in full of an abbreviation.
pub(super) fn full(short: &str) -> Option<&'static str> {
    NAMES.iter().find(|(name, ..)| *name == short).map(|(_, full, _)| *full)
}

/// The longest name that a text begins with, in any case: its length, and the region it means.
pub(super) fn at_start(text: &str, in_full: bool) -> Option<(usize, &'static str)> {
    let names = NAMES.iter().map(|(short, full, region)| match in_full {
        true => (*full, *region),
        false => (*short, *region),
    });
    let found = names.filter(|(name, _)| {
        text.get(..name.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(name))
    });
    found.map(|(name, region)| (name.len(), region)).max_by_key(|(length, _)| *length)
}

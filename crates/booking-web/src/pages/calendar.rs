//! One booking as a calendar file (RFC 5545). Pure.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// What the calendar entry says.
pub(crate) struct Entry<'a> {
    /// Stays the same for one booking, so that a second download replaces the first.
    pub(crate) uid: &'a str,
    pub(crate) made: Timestamp,
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
    pub(crate) summary: &'a str,
    pub(crate) place: &'a str,
}

/// Octets of one content line before it is folded.
const LINE_BYTES_MAX: usize = 73;

/// The file's text, with CRLF and folded lines.
pub(crate) fn file(entry: &Entry<'_>) -> String {
    let lines = [
        "BEGIN:VCALENDAR".to_owned(),
        "VERSION:2.0".to_owned(),
        "PRODID:-//Booking//Booking//EN".to_owned(),
        "METHOD:PUBLISH".to_owned(),
        "BEGIN:VEVENT".to_owned(),
        format!("UID:{}@appointmentbooking.co.za", entry.uid),
        format!("DTSTAMP:{}", instant(entry.made)),
        format!("DTSTART:{}", instant(entry.start)),
        format!("DTEND:{}", instant(entry.end)),
        format!("SUMMARY:{}", escape(entry.summary)),
        format!("LOCATION:{}", escape(entry.place)),
        "END:VEVENT".to_owned(),
        "END:VCALENDAR".to_owned(),
    ];
    lines.iter().map(|line| fold(line)).collect()
}

fn instant(at: Timestamp) -> String {
    at.to_zoned_datetime(TimeZone::UTC)
        .strftime("%Y%m%dT%H%M%SZ")
        .to_string()
}

fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '\\' | ';' | ',' => escaped.extend(['\\', c]),
            '\n' => escaped.push_str("\\n"),
            c if c.is_control() => {}
            c => escaped.push(c),
        }
    }
    escaped
}

fn fold(line: &str) -> String {
    let mut folded = String::new();
    let mut bytes = 0;
    for c in line.chars() {
        if bytes + c.len_utf8() > LINE_BYTES_MAX {
            folded.push_str("\r\n ");
            bytes = 1;
        }
        folded.push(c);
        bytes += c.len_utf8();
    }
    folded.push_str("\r\n");
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_in_utc_escaped_and_folded() {
        let text = file(&Entry {
            uid: "0198",
            made: "2027-03-01T08:00:00Z".parse().unwrap(),
            start: "2027-03-24T07:30:00Z".parse().unwrap(),
            end: "2027-03-24T08:15:00Z".parse().unwrap(),
            summary: "Cut, wash; \\o/\nEND:VEVENT",
            place: &"é".repeat(80),
        });
        assert!(text.contains("DTSTART:20270324T073000Z\r\n"));
        assert!(text.contains(r"SUMMARY:Cut\, wash\; \\o/\nEND:VEVENT"));
        assert!(text.split("\r\n").all(|line| line.len() <= 75));
        assert_eq!(text.matches("\r\nEND:VEVENT\r\n").count(), 1);
    }
}

//! One booking as a calendar file (RFC 5545), to be kept or to be taken from a mail
//! (RFC 5546). Pure.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// What the file asks of the calendar that reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method<'a> {
    /// A copy for whoever downloads it.
    Publish,
    /// Put it in, or change what is there.
    Request(Parties<'a>),
    /// Take it out.
    Cancel(Parties<'a>),
}

/// Between whom the appointment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Parties<'a> {
    pub(crate) organizer: &'a str,
    pub(crate) organizer_email: &'a str,
    pub(crate) attendee: &'a str,
    pub(crate) attendee_email: &'a str,
}

impl Method<'_> {
    /// Its name in the file and in the type of the part of a mail.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Publish => "PUBLISH",
            Self::Request(_) => "REQUEST",
            Self::Cancel(_) => "CANCEL",
        }
    }
}

/// What the calendar entry says.
pub(crate) struct Entry<'a> {
    pub(crate) method: Method<'a>,
    /// Stays the same for one booking, so that a second file replaces the first.
    pub(crate) uid: &'a str,
    /// Grows with every change, so that an older file does not.
    pub(crate) sequence: i32,
    pub(crate) made: Timestamp,
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
    pub(crate) summary: &'a str,
    pub(crate) place: &'a str,
    /// The time in words, with its zone: calendars show it in the reader's own.
    pub(crate) description: &'a str,
}

/// Octets of one content line before it is folded.
const LINE_BYTES_MAX: usize = 73;

/// The file's text, with CRLF and folded lines.
pub(crate) fn file(entry: &Entry<'_>) -> String {
    let mut lines = vec![
        "BEGIN:VCALENDAR".to_owned(),
        "VERSION:2.0".to_owned(),
        "PRODID:-//Booking//Booking//EN".to_owned(),
        format!("METHOD:{}", entry.method.name()),
        "BEGIN:VEVENT".to_owned(),
        format!("UID:{}@appointmentbooking.co.za", entry.uid),
        format!("SEQUENCE:{}", entry.sequence),
        format!("DTSTAMP:{}", stamp(entry.made)),
        format!("DTSTART:{}", stamp(entry.start)),
        format!("DTEND:{}", stamp(entry.end)),
        format!("SUMMARY:{}", escape(entry.summary)),
        format!("LOCATION:{}", escape(entry.place)),
        format!("DESCRIPTION:{}", escape(entry.description)),
    ];
    match entry.method {
        Method::Publish => lines.push("STATUS:CONFIRMED".to_owned()),
        Method::Request(parties) => {
            lines.push("STATUS:CONFIRMED".to_owned());
            lines.extend(people(parties));
        }
        Method::Cancel(parties) => {
            lines.push("STATUS:CANCELLED".to_owned());
            lines.extend(people(parties));
        }
    }
    lines.extend(["END:VEVENT", "END:VCALENDAR"].map(str::to_owned));
    lines.iter().map(|line| fold(line)).collect()
}

fn people(parties: Parties<'_>) -> [String; 2] {
    [
        format!(
            "ORGANIZER;CN=\"{}\":mailto:{}",
            quoted(parties.organizer),
            address(parties.organizer_email)
        ),
        format!(
            "ATTENDEE;CN=\"{}\";ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED;RSVP=FALSE:mailto:{}",
            quoted(parties.attendee),
            address(parties.attendee_email)
        ),
    ]
}

/// An instant as calendars write it.
pub(crate) fn stamp(at: Timestamp) -> String {
    at.to_zoned_datetime(TimeZone::UTC)
        .strftime("%Y%m%dT%H%M%SZ")
        .to_string()
}

/// A text as the value of a property.
pub(crate) fn escape(text: &str) -> String {
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

/// The value of a parameter: no quote and nothing that ends the line can be in it.
fn quoted(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control())
        .map(|c| if c == '"' { '\'' } else { c })
        .collect()
}

fn address(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control() && !c.is_whitespace())
        .collect()
}

/// A content line with its end, in pieces that are short enough.
pub(crate) fn fold(line: &str) -> String {
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

    fn entry<'a>(method: Method<'a>, summary: &'a str, place: &'a str) -> Entry<'a> {
        Entry {
            method,
            uid: "0198",
            sequence: 3,
            made: "2027-03-01T08:00:00Z".parse().unwrap(),
            start: "2027-03-24T07:30:00Z".parse().unwrap(),
            end: "2027-03-24T08:15:00Z".parse().unwrap(),
            summary,
            place,
            description: "09:30 on Wednesday 24 March 2027, South Africa Standard Time",
        }
    }

    /// What a reader sees after taking the folds out.
    fn unfolded(text: &str) -> Vec<String> {
        let text = text.replace("\r\n ", "");
        text.split_terminator("\r\n").map(str::to_owned).collect()
    }

    #[test]
    fn an_entry_is_in_utc_escaped_and_folded() {
        let summary = "Cut, wash; \\o/\nEND:VEVENT";
        let place = "é".repeat(80);
        let text = file(&entry(Method::Publish, summary, &place));
        assert!(text.contains("DTSTART:20270324T073000Z\r\n"));
        assert!(text.contains(r"SUMMARY:Cut\, wash\; \\o/\nEND:VEVENT"));
        assert!(text.split("\r\n").all(|line| line.len() <= 75));
        assert_eq!(text.matches("\r\nEND:VEVENT\r\n").count(), 1);
        assert!(unfolded(&text).contains(&format!("LOCATION:{place}")));
    }

    #[test]
    fn a_change_and_a_cancellation_name_both_sides_under_the_same_entry() {
        let parties = Parties {
            organizer: "Karoo \"Cuts\"",
            organizer_email: "bookings@example.co.za",
            attendee: "Thandi\r\nATTENDEE:mailto:x@y",
            attendee_email: "thandi@example.co.za\r\nX:1",
        };
        for (method, name, status) in [
            (Method::Request(parties), "REQUEST", "CONFIRMED"),
            (Method::Cancel(parties), "CANCEL", "CANCELLED"),
        ] {
            let lines = unfolded(&file(&entry(method, "Cut", "Here")));
            let has = |line: &str| assert!(lines.iter().any(|l| l == line), "{line}: {lines:?}");
            has(&format!("METHOD:{name}"));
            has(&format!("STATUS:{status}"));
            has("UID:0198@appointmentbooking.co.za");
            has("SEQUENCE:3");
            has("ORGANIZER;CN=\"Karoo 'Cuts'\":mailto:bookings@example.co.za");
            let of = |name: &str| lines.iter().filter(|l| l.starts_with(name)).count();
            assert_eq!((of("ATTENDEE"), of("X:")), (1, 0), "{lines:?}");
        }
    }
}

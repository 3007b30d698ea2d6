//! What a person or program sends to book, from text to checked values. Pure.
//! Every field that needs another value is named at once, in words that help.

use std::ops::RangeInclusive;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::appointments::Person;
use crate::crew::Who;
use crate::error::FieldProblem;
use crate::language::{Language, Message, message};

pub(crate) const NAME_CHARS_MAX: usize = 200;
const NOTE_CHARS_MAX: usize = 500;
const DESK_NOTE_CHARS_MAX: usize = 2000;
const EMAIL_BYTES_MAX: usize = 254;

/// The fields as they were sent; anything that is missing is empty.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
pub(crate) struct Sent {
    /// An instant that was offered, such as `2027-03-24T07:30:00Z`.
    #[serde(default)]
    #[schema(required = true, format = DateTime)]
    pub(crate) start: String,
    /// The customer's full name, at most 200 characters.
    #[serde(default)]
    #[schema(required = true)]
    pub(crate) name: String,
    #[serde(default)]
    #[schema(required = true, format = Email)]
    pub(crate) email: String,
    /// A number without a country is South African.
    #[serde(default)]
    pub(crate) phone: String,
    /// What the business should know, at most 500 characters.
    #[serde(default)]
    pub(crate) note: String,
    /// The id of one member of staff; whoever has time where it is left out.
    #[serde(default)]
    pub(crate) staff: String,
    /// The zone that the customer is in, such as `Europe/London`: messages say the time there,
    /// too, where it is another one.
    #[serde(default)]
    pub(crate) time_zone: String,
}

/// The fields after they were checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checked {
    pub(crate) start: Timestamp,
    pub(crate) name: String,
    pub(crate) email: String,
    /// In the international form, `+27821234567`.
    pub(crate) phone: Option<String>,
    pub(crate) note: Option<String>,
    pub(crate) who: Who,
    /// By its name in the tz database.
    pub(crate) time_zone: Option<String>,
}

/// One field that needs another value, in no language yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) field: &'static str,
    pub(crate) detail: Message,
}

impl Problem {
    /// In the words of a language; programs are answered in English.
    pub(crate) fn in_words(self, language: Language) -> FieldProblem {
        FieldProblem {
            field: self.field,
            detail: self.detail.text(language).to_string(),
        }
    }

    pub(crate) fn all_in_words(problems: Vec<Self>, language: Language) -> Vec<FieldProblem> {
        let in_words = |problem: Self| problem.in_words(language);
        problems.into_iter().map(in_words).collect()
    }
}

impl Checked {
    pub(crate) fn person(&self, language: Option<Language>) -> Person<'_> {
        Person {
            name: &self.name,
            email: &self.email,
            phone: self.phone.as_deref(),
            note: self.note.as_deref(),
            language,
            time_zone: self.time_zone.as_deref(),
        }
    }
}

/// Checks all fields, or names every one that needs another value.
pub(crate) fn check(sent: &Sent) -> Result<Checked, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut keep = |field, detail| problems.push(Problem { field, detail });
    let start = start(&sent.start).unwrap_or_else(|problem| {
        keep("start", problem.detail);
        Timestamp::UNIX_EPOCH
    });
    let name = name(&sent.name).unwrap_or_else(|detail| {
        keep("name", detail);
        String::new()
    });
    let email = email(&sent.email).unwrap_or_else(|detail| {
        keep("email", detail);
        String::new()
    });
    let phone = phone(&sent.phone).unwrap_or_else(|detail| {
        keep("phone", detail);
        None
    });
    let note = note(&sent.note).unwrap_or_else(|detail| {
        keep("note", detail);
        None
    });
    let time_zone = time_zone(&sent.time_zone).unwrap_or_else(|detail| {
        keep("time_zone", detail);
        None
    });
    let who = who(&sent.staff);
    if !problems.is_empty() {
        return Err(problems);
    }
    Ok(Checked {
        start,
        name,
        email,
        phone,
        note,
        who,
        time_zone,
    })
}

/// The years that people mean, and that every part of the program can store and count with.
const YEARS: RangeInclusive<i16> = 1900..=9998;

/// Whether an instant is one that is stored and searched for.
pub(crate) fn is_storable(at: Timestamp) -> bool {
    YEARS.contains(&at.to_zoned_datetime(TimeZone::UTC).year())
}

/// Reads a day such as `2027-03-24`.
pub(crate) fn day(text: &str) -> Option<Date> {
    let day: Date = text.trim().parse().ok()?;
    YEARS.contains(&day.year()).then_some(day)
}

/// The zone of somebody by its name; none where they do not say.
fn time_zone(text: &str) -> Result<Option<String>, Message> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let zone = TimeZone::get(text).ok();
    let name = zone.as_ref().and_then(TimeZone::iana_name);
    name.map(|name| Some(name.to_owned()))
        .ok_or_else(|| message("settings-zone-unknown"))
}

/// What is no id of anybody is asked for like somebody who does not give the service.
pub(crate) fn who(staff: &str) -> Who {
    Who::parse(staff).unwrap_or(Who::Only(Uuid::nil()))
}

/// Reads an instant such as `2027-03-24T07:30:00Z`.
pub(crate) fn start(text: &str) -> Result<Timestamp, Problem> {
    let problem = |detail| Problem {
        field: "start",
        detail,
    };
    if text.trim().is_empty() {
        return Err(problem(message("field-start-missing")));
    }
    // A plus sign that was not encoded arrives as a space.
    let read = text.trim().replace(' ', "+").parse().ok();
    read.filter(|at| is_storable(*at))
        .ok_or_else(|| problem(message("field-start-unknown")))
}

pub(crate) fn name(text: &str) -> Result<String, Message> {
    let name = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if name.is_empty() {
        return Err(message("field-name-missing"));
    }
    if name.chars().count() > NAME_CHARS_MAX || name.chars().any(char::is_control) {
        return Err(message("field-name-length").with("max", NAME_CHARS_MAX));
    }
    Ok(name)
}

/// An address in lower case, so that whoever writes it another way is the same person.
pub(crate) fn email(text: &str) -> Result<String, Message> {
    let help = || message("field-email-shape");
    let email = text.trim().to_lowercase();
    if email.is_empty() {
        return Err(message("field-email-missing"));
    }
    let Some((local, domain)) = email.rsplit_once('@') else {
        return Err(help());
    };
    let plain = |part: &str| {
        !part.is_empty()
            && !part.contains(|c: char| c.is_whitespace() || c.is_control() || c == '@')
    };
    let has_dot = domain.contains('.')
        && !domain.starts_with('.')
        && !domain.ends_with('.')
        && !domain.contains("..");
    if email.len() > EMAIL_BYTES_MAX || !plain(local) || !plain(domain) || !has_dot {
        return Err(help());
    }
    Ok(email)
}

/// A number without a country is South African: `082 123 4567` is `+27821234567`.
pub(crate) fn phone(text: &str) -> Result<Option<String>, Message> {
    let help = || message("field-phone-shape");
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    if !text
        .chars()
        .all(|c| c.is_ascii_digit() || " +-()./".contains(c))
    {
        return Err(help());
    }
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let international = if text.starts_with('+') {
        digits
    } else if let Some(rest) = digits.strip_prefix("00") {
        rest.to_owned()
    } else if let Some(rest) = digits.strip_prefix('0') {
        format!("27{rest}")
    } else {
        return Err(help());
    };
    let length_fits = if international.starts_with("27") {
        international.len() == 11
    } else {
        (8..=15).contains(&international.len())
    };
    if !length_fits || international.starts_with('0') {
        return Err(help());
    }
    Ok(Some(format!("+{international}")))
}

pub(crate) fn note(text: &str) -> Result<Option<String>, Message> {
    text_of_at_most(NOTE_CHARS_MAX, text)
}

/// What staff writes for each other.
pub(crate) fn desk_note(text: &str) -> Result<Option<String>, Message> {
    text_of_at_most(DESK_NOTE_CHARS_MAX, text)
}

/// Some lines of text, or nothing.
pub(crate) fn text_of_at_most(max: usize, text: &str) -> Result<Option<String>, Message> {
    // Browsers count a new line once and send it as two.
    let note = text.trim().replace("\r\n", "\n");
    if note.chars().count() > max {
        return Err(message("field-note-length").with("max", max));
    }
    if note.chars().any(|c| c.is_control() && !"\n\t".contains(c)) {
        return Err(message("field-note-control"));
    }
    Ok((!note.is_empty()).then_some(note))
}

/// Some lines of text that are not empty.
pub(crate) fn needed(max: usize, text: &str) -> Result<String, Message> {
    text_of_at_most(max, text)?.ok_or_else(|| message("field-line").with("max", max))
}

/// One line of text that is not empty.
pub(crate) fn line(text: &str, max: usize) -> Result<String, Message> {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let length = line.chars().count();
    if length == 0 || length > max || line.chars().any(char::is_control) {
        return Err(message("field-line").with("max", max));
    }
    Ok(line)
}

/// A whole number within `range`.
pub(crate) fn number(text: &str, range: RangeInclusive<i32>) -> Result<i32, Message> {
    let number = text.trim().parse().ok();
    number
        .filter(|number| range.contains(number))
        .ok_or_else(|| {
            message("field-number-range")
                .with("min", *range.start())
                .with("max", *range.end())
        })
}

/// An amount of money such as `350`, `R1 250.50` or `99,90`, in cents.
pub(crate) fn cents(text: &str) -> Result<i64, Message> {
    let help = || message("field-price-shape");
    let plain: String = text
        .trim()
        .trim_start_matches(['R', 'r'])
        .chars()
        .filter(|c| !c.is_whitespace())
        .collect();
    let plain = plain.replace(',', ".");
    let (whole, rest) = plain.split_once('.').unwrap_or((plain.as_str(), ""));
    let is_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty()
        || whole.len() > 9
        || rest.len() > 2
        || !is_digits(whole)
        || !is_digits(rest)
    {
        return Err(help());
    }
    let number = |text: &str| text.parse::<i64>().map_err(|_| help());
    Ok(number(whole)? * 100 + number(&format!("{rest:0<2}"))?)
}

/// An amount in cents as it is typed.
pub(crate) fn typed_cents(cents: i64) -> String {
    match cents % 100 {
        0 => (cents / 100).to_string(),
        rest => format!("{}.{rest:02}", cents / 100),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent() -> Sent {
        Sent {
            start: "2027-03-24T07:30:00Z".into(),
            name: "  Thandi   Nkosi ".into(),
            email: "thandi@example.co.za".into(),
            phone: "082 123 4567".into(),
            note: String::new(),
            staff: String::new(),
            time_zone: String::new(),
        }
    }

    #[test]
    fn what_is_sent_with_care_is_taken_and_tidied() {
        let checked = check(&sent()).unwrap();
        assert_eq!(checked.name, "Thandi Nkosi");
        assert_eq!(checked.phone.as_deref(), Some("+27821234567"));
        assert_eq!(checked.note, None);
    }

    #[test]
    fn every_wrong_field_is_named_at_once() {
        let problems = check(&Sent {
            phone: "call me".into(),
            note: "x".repeat(501),
            ..Sent::default()
        })
        .unwrap_err();
        let fields: Vec<_> = problems.iter().map(|problem| problem.field).collect();
        assert_eq!(fields, ["start", "name", "email", "phone", "note"]);
    }

    #[test]
    fn a_new_line_in_a_note_counts_once_however_it_is_sent() {
        let (above, below) = ("x".repeat(249), "y".repeat(250));
        let kept = note(&format!("{above}\r\n{below}")).unwrap();
        assert_eq!(kept, Some(format!("{above}\n{below}")));
        assert!(note(&format!("{above}\r\n{below}y")).is_err());
    }

    #[test]
    fn amounts_are_read_as_they_are_typed_and_written_so() {
        for (text, expected) in [
            ("350", Some(35_000)),
            ("R1 250.50", Some(125_050)),
            ("99,9", Some(9_990)),
            ("0", Some(0)),
            ("", None),
            ("-5", None),
            ("1.234", None),
            ("1e3", None),
            ("99999999999", None),
        ] {
            assert_eq!(cents(text).ok(), expected, "{text}");
        }
        assert_eq!(
            (typed_cents(35_000), typed_cents(125_050)),
            ("350".into(), "1250.50".into())
        );
    }

    #[test]
    fn a_number_is_within_its_range() {
        for (text, expected) in [
            (" 5 ", Some(5)),
            ("1440", Some(1440)),
            ("4", None),
            ("x", None),
        ] {
            assert_eq!(number(text, 5..=1440).ok(), expected, "{text}");
        }
    }

    #[test]
    fn an_instant_or_a_day_that_cannot_be_stored_is_none() {
        for text in [
            "-009999-01-01T00:00:00Z",
            "1899-12-31T23:59:59Z",
            "9999-01-01T00:00:00Z",
        ] {
            assert!(start(text).is_err(), "{text}");
        }
        for text in ["-004800-01-01", "1899-12-31", "9999-01-01", "tomorrow", ""] {
            assert_eq!(day(text), None, "{text}");
        }
        assert!(start("9998-12-31T23:59:59Z").is_ok());
        assert_eq!(day(" 1900-01-01 "), Some(Date::constant(1900, 1, 1)));
    }

    #[test]
    fn an_address_is_the_same_however_it_is_written() {
        let written = email(" Thandi.Nkosi@Example.co.ZA ");
        assert_eq!(written.as_deref(), Ok("thandi.nkosi@example.co.za"));
    }

    #[test]
    fn e_mail_addresses() {
        for good in ["a@b.co", "thandi.n+x@mail.example.co.za", "ü@exämple.de"] {
            assert!(email(good).is_ok(), "{good}");
        }
        for bad in [
            "a", "a@b", "@b.co", "a@", "a b@c.de", "a@b..c", "a@.b", "a@@b.c",
        ] {
            assert!(email(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn phone_numbers() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(
                phone(text).ok().flatten().as_deref(),
                expected,
                "{text} is read wrongly"
            );
        };
        check("082-123-4567", Some("+27821234567"));
        check("+27 (82) 123 4567", Some("+27821234567"));
        check("0044 20 7946 0958", Some("+442079460958"));
        check("82 123 4567", None);
        check("082 123 456", None);
        check("+1", None);
    }

    #[test]
    fn names_of_every_kind_are_kept() {
        for kept in [
            "Sipho",
            "Zoë van der Merwe",
            "محمد",
            "<script>alert(1)</script>",
        ] {
            assert_eq!(name(kept), Ok(kept.to_owned()));
        }
    }

    #[test]
    fn a_plus_that_became_a_space_is_understood() {
        assert_eq!(
            start("2027-03-24T09:30:00 02:00"),
            start("2027-03-24T07:30:00Z")
        );
    }
}

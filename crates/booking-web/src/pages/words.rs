//! How dates, times, durations and money are written for people. Pure.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ZonedDateTime};

/// One appointment's time in the words of its page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct When {
    /// "Wednesday 24 March 2027"
    pub(crate) day: String,
    /// "09:30"
    pub(crate) clock: String,
    /// "09:30 to 10:15"
    pub(crate) hours: String,
}

impl When {
    pub(crate) fn of(start: Timestamp, end: Timestamp, zone: &TimeZone) -> Self {
        let (start, end) = (
            start.to_zoned_datetime(zone.clone()),
            end.to_zoned_datetime(zone.clone()),
        );
        Self {
            day: day_name(start.date()),
            clock: clock(&start),
            hours: format!("{} to {}", clock(&start), clock(&end)),
        }
    }
}

/// "Wednesday 24 March 2027"
pub(crate) fn day_name(date: Date) -> String {
    date.strftime("%A %-d %B %Y").to_string()
}

/// "Wed 24 March"
pub(crate) fn day_short(date: Date) -> String {
    date.strftime("%a %-d %B").to_string()
}

/// "09:30"
pub(crate) fn clock(at: &ZonedDateTime) -> String {
    at.strftime("%H:%M").to_string()
}

/// "09:30 on Wednesday 24 March 2027"
pub(crate) fn moment(at: &ZonedDateTime) -> String {
    format!("{} on {}", clock(at), day_name(at.date()))
}

/// "March 2027", or "March to April 2027" where the days lie in two months.
pub(crate) fn months(first: Date, last: Date) -> String {
    if first.month() == last.month() {
        first.strftime("%B %Y").to_string()
    } else if first.year() == last.year() {
        format!("{} to {}", first.strftime("%B"), last.strftime("%B %Y"))
    } else {
        format!("{} to {}", first.strftime("%B %Y"), last.strftime("%B %Y"))
    }
}

/// "45 minutes", "1 hour", "1 hour 30 minutes"
pub(crate) fn duration(minutes: i64) -> String {
    let count = |n: i64, one: &str| format!("{n} {one}{}", if n == 1 { "" } else { "s" });
    match (minutes / 60, minutes % 60) {
        (0, m) => count(m, "minute"),
        (h, 0) => count(h, "hour"),
        (h, m) => format!("{} {}", count(h, "hour"), count(m, "minute")),
    }
}

/// "R350", "R1 250.50", "Free"
pub(crate) fn price(cents: i64, currency: &str) -> String {
    if cents == 0 {
        return "Free".to_owned();
    }
    let unit = match currency {
        "ZAR" => "R",
        "GBP" => "£",
        "EUR" => "€",
        "USD" => "$",
        other => return format!("{other}\u{a0}{}", amount(cents)),
    };
    format!("{unit}{}", amount(cents))
}

fn amount(cents: i64) -> String {
    let whole = (cents / 100).to_string();
    let mut grouped = String::new();
    for (place, digit) in whole.chars().enumerate() {
        // A narrow space before each third digit from the right.
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            grouped.push('\u{202f}');
        }
        grouped.push(digit);
    }
    match cents % 100 {
        0 => grouped,
        rest => format!("{grouped}.{rest:02}"),
    }
}

/// "South Africa Standard Time", or "Lisbon time" for zones without a name here.
pub(crate) fn zone_name(zone: &str) -> String {
    match zone {
        "Africa/Johannesburg" => "South Africa Standard Time".to_owned(),
        "Africa/Windhoek" | "Africa/Harare" | "Africa/Maputo" | "Africa/Gaborone" => {
            "Central Africa Time".to_owned()
        }
        "Africa/Nairobi" => "East Africa Time".to_owned(),
        other => {
            let city = other.rsplit('/').next().unwrap_or(other);
            format!("{} time", city.replace('_', " "))
        }
    }
}

/// "no free times", "1 free time", "5 free times"
pub(crate) fn free_times(count: usize) -> String {
    match count {
        0 => "no free times".to_owned(),
        1 => "1 free time".to_owned(),
        n => format!("{n} free times"),
    }
}

/// The letter that stands for a business where it has no picture.
pub(crate) fn monogram(name: &str) -> String {
    name.trim_start_matches("The ")
        .chars()
        .find(|c| c.is_alphanumeric())
        .map_or_else(|| "·".to_owned(), |c| c.to_uppercase().to_string())
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_time_is_written_in_full_at_the_business() {
        let zone = TimeZone::get("Africa/Johannesburg").unwrap();
        let start: Timestamp = "2027-03-24T07:30:00Z".parse().unwrap();
        let end: Timestamp = "2027-03-24T08:15:00Z".parse().unwrap();
        let when = When::of(start, end, &zone);
        assert_eq!(when.day, "Wednesday 24 March 2027");
        assert_eq!(when.hours, "09:30 to 10:15");
        let moment = moment(&start.to_zoned_datetime(zone));
        assert_eq!(moment, "09:30 on Wednesday 24 March 2027");
    }

    #[test]
    fn durations_and_prices_read_like_speech() {
        assert_eq!(duration(45), "45 minutes");
        assert_eq!(duration(60), "1 hour");
        assert_eq!(duration(90), "1 hour 30 minutes");
        assert_eq!(duration(121), "2 hours 1 minute");
        assert_eq!(price(35_000, "ZAR"), "R350");
        assert_eq!(price(125_050, "ZAR"), "R1\u{202f}250.50");
        assert_eq!(price(0, "ZAR"), "Free");
        assert_eq!(price(1_000, "KES"), "KES\u{a0}10");
    }

    #[test]
    fn weeks_across_months_and_years_name_both() {
        assert_eq!(months(date(2027, 3, 1), date(2027, 3, 7)), "March 2027");
        assert_eq!(
            months(date(2027, 3, 29), date(2027, 4, 4)),
            "March to April 2027"
        );
        assert_eq!(
            months(date(2026, 12, 28), date(2027, 1, 3)),
            "December 2026 to January 2027"
        );
    }

    #[test]
    fn every_name_has_a_monogram() {
        assert_eq!(monogram("The Quiet Room"), "Q");
        assert_eq!(monogram("émile"), "É");
        assert_eq!(monogram("…"), "·");
    }
}

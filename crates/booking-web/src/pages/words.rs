//! How dates, times, durations and money are written for people. Pure.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ZonedDateTime};

use crate::language::{Language, Text};
use crate::pages::week::Offers;

/// One appointment's time in the words of its page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct When {
    /// "Wednesday 24 March 2027"
    pub(crate) day: String,
    /// "on Wednesday 24 March 2027"
    pub(crate) on_day: String,
    /// "09:30"
    pub(crate) clock: String,
    /// "09:30 to 10:15"
    pub(crate) hours: String,
}

impl When {
    pub(crate) fn of(
        language: Language,
        start: Timestamp,
        end: Timestamp,
        zone: &TimeZone,
    ) -> Self {
        let (start, end) = (
            start.to_zoned_datetime(zone.clone()),
            end.to_zoned_datetime(zone.clone()),
        );
        let hours = language
            .text("hours")
            .with("from", clock(&start))
            .with("until", clock(&end));
        Self {
            day: day_name(language, start.date()),
            on_day: day_on(language, start.date()),
            clock: clock(&start),
            hours: hours.to_string(),
        }
    }
}

/// "Wednesday 24 March 2027"
pub(crate) fn day_name(language: Language, date: Date) -> String {
    language
        .text("date")
        .with("weekday", weekday(date))
        .with("day", date.day())
        .with("month", date.month())
        .with("year", date.year())
        .to_string()
}

/// "on Wednesday 24 March 2027"
pub(crate) fn day_on(language: Language, date: Date) -> String {
    language
        .text("date-on")
        .with("weekday", weekday(date))
        .with("day", date.day())
        .with("month", date.month())
        .with("year", date.year())
        .to_string()
}

/// "Wed 24 March"
pub(crate) fn day_short(language: Language, date: Date) -> String {
    language
        .text("date-short")
        .with("weekday", weekday(date))
        .with("day", date.day())
        .with("month", date.month())
        .to_string()
}

/// "Wed"
pub(crate) fn weekday_short(language: Language, date: Date) -> String {
    language
        .text("weekday-short")
        .with("weekday", weekday(date))
        .to_string()
}

/// "Wednesday"
pub(crate) fn weekday_long(language: Language, weekday: Weekday) -> String {
    language
        .text("weekday")
        .with("weekday", weekday.to_monday_one_offset())
        .to_string()
}

/// Counted from Monday, which is 1.
fn weekday(date: Date) -> i8 {
    date.weekday().to_monday_one_offset()
}

/// "09:30", in all our languages.
pub(crate) fn clock(at: &ZonedDateTime) -> String {
    at.strftime("%H:%M").to_string()
}

/// "Wednesday 24 March 2027, 09:30"
pub(crate) fn day_and_clock(language: Language, at: &ZonedDateTime) -> String {
    language
        .text("date-and-clock")
        .with("date", day_name(language, at.date()))
        .with("clock", clock(at))
        .to_string()
}

/// "09:30 on Wednesday 24 March 2027"
pub(crate) fn moment(language: Language, at: &ZonedDateTime) -> String {
    language
        .text("moment")
        .with("clock", clock(at))
        .with("date", day_on(language, at.date()))
        .to_string()
}

/// "March 2027", or "March to April 2027" where the days lie in two months.
pub(crate) fn months(language: Language, first: Date, last: Date) -> String {
    let with_year = |date: Date| {
        language
            .text("month-of-year")
            .with("month", date.month())
            .with("year", date.year())
    };
    if (first.year(), first.month()) == (last.year(), last.month()) {
        return with_year(first).to_string();
    }
    let from = if first.year() == last.year() {
        language.text("month").with("month", first.month())
    } else {
        with_year(first)
    };
    language
        .text("months")
        .with("from", from)
        .with("until", with_year(last))
        .to_string()
}

/// "45 minutes", "1 hour", "1 hour 30 minutes"
pub(crate) fn duration(language: Language, minutes: i64) -> String {
    let hours = |count: i64| language.text("hours-long").with("hours", count);
    let rest = |count: i64| language.text("minutes").with("minutes", count);
    match (minutes / 60, minutes % 60) {
        (0, m) => rest(m).to_string(),
        (h, 0) => hours(h).to_string(),
        (h, m) => language
            .text("hours-and-minutes")
            .with("hours", hours(h))
            .with("minutes", rest(m))
            .to_string(),
    }
}

/// "R350", "R1 250.50" or, in Afrikaans, "R 1 250,50"; "Free" where it costs nothing.
pub(crate) fn price(language: Language, cents: i64, currency: &str) -> String {
    if cents == 0 {
        return language.text("free").to_string();
    }
    let sign = match currency {
        "ZAR" => "R",
        "GBP" => "£",
        "EUR" => "€",
        "USD" => "$",
        code => {
            return language
                .text("price-of-currency")
                .with("code", code)
                .with("amount", amount(language, cents))
                .to_string();
        }
    };
    language
        .text("price")
        .with("sign", sign)
        .with("amount", amount(language, cents))
        .to_string()
}

fn amount(language: Language, cents: i64) -> String {
    let whole = (cents / 100).to_string();
    let mut grouped = String::new();
    for (place, digit) in whole.chars().enumerate() {
        // A narrow space before each third digit from the right.
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            grouped.push('\u{202f}');
        }
        grouped.push(digit);
    }
    let point = match language {
        Language::Afrikaans => ',',
        _ => '.',
    };
    match cents % 100 {
        0 => grouped,
        rest => format!("{grouped}{point}{rest:02}"),
    }
}

/// "South Africa Standard Time", or "Lisbon time" for zones without a name here.
pub(crate) fn zone_name(language: Language, zone: &str) -> String {
    let name = match zone {
        "Africa/Johannesburg" => language.text("zone-south-africa"),
        "Africa/Windhoek" | "Africa/Harare" | "Africa/Maputo" | "Africa/Gaborone" => {
            language.text("zone-central-africa")
        }
        "Africa/Nairobi" => language.text("zone-east-africa"),
        other => {
            let city = other.rsplit('/').next().unwrap_or(other);
            language
                .text("zone-of-city")
                .with("city", city.replace('_', " "))
        }
    };
    name.to_string()
}

/// "5 free times", "only 1 free time", "closed"
pub(crate) fn day_offers(language: Language, offers: Offers, free: usize) -> String {
    let text = match offers {
        Offers::Many => language.text("free-times").with("count", free),
        Offers::Few => language.text("free-times-few").with("count", free),
        Offers::NoneLeft => language.text("free-times-none"),
        Offers::Closed => language.text("day-closed"),
        Offers::OutOfReach => language.text("day-out-of-reach"),
    };
    text.to_string()
}

/// "1 seat left", "5 seats left"
pub(crate) fn seats_left(language: Language, seats: u16) -> String {
    let text = language.text("seats-left").with("count", i64::from(seats));
    text.to_string()
}

/// The letter that stands for a business where it has no picture.
pub(crate) fn monogram(name: &str) -> String {
    name.trim_start_matches("The ")
        .chars()
        .find(|c| c.is_alphanumeric())
        .map_or_else(|| "·".to_owned(), |c| c.to_uppercase().to_string())
}

/// What a member is at a business.
pub(crate) fn role(language: Language, role: booking::Role) -> Text {
    match role {
        booking::Role::Owner => language.text("role-owner"),
        booking::Role::Manager => language.text("role-manager"),
        booking::Role::Staff => language.text("role-staff"),
        booking::Role::FrontDesk => language.text("role-front-desk"),
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    const EN: Language = Language::English;

    #[test]
    fn each_language_writes_in_its_own_way() {
        let (af, zu) = (Language::Afrikaans, Language::Zulu);
        let day = date(2027, 3, 24);
        assert_eq!(day_name(af, day), "Woensdag 24 Maart 2027");
        assert_eq!(day_name(zu, day), "ULwesithathu 24 Mashi 2027");
        assert_eq!(day_on(zu, day), "ngoLwesithathu 24 Mashi 2027");
        assert_eq!(duration(af, 90), "1 uur 30 minute");
        assert_eq!(duration(zu, 60), "ihora elingu-1");
        assert_eq!(price(af, 123_450, "ZAR"), "R\u{a0}1\u{202f}234,50");
        assert_eq!(price(zu, 123_450, "ZAR"), "R1\u{202f}234.50");
        assert_eq!(price(zu, 0, "ZAR"), "Mahhala");
    }

    #[test]
    fn a_time_is_written_in_full_at_the_business() {
        let zone = TimeZone::get("Africa/Johannesburg").unwrap();
        let start: Timestamp = "2027-03-24T07:30:00Z".parse().unwrap();
        let end: Timestamp = "2027-03-24T08:15:00Z".parse().unwrap();
        let when = When::of(EN, start, end, &zone);
        assert_eq!(when.day, "Wednesday 24 March 2027");
        assert_eq!(when.hours, "09:30 to 10:15");
        let moment = moment(EN, &start.to_zoned_datetime(zone));
        assert_eq!(moment, "09:30 on Wednesday 24 March 2027");
    }

    #[test]
    fn durations_and_prices_read_like_speech() {
        assert_eq!(duration(EN, 45), "45 minutes");
        assert_eq!(duration(EN, 60), "1 hour");
        assert_eq!(duration(EN, 90), "1 hour 30 minutes");
        assert_eq!(duration(EN, 121), "2 hours 1 minute");
        assert_eq!(price(EN, 35_000, "ZAR"), "R350");
        assert_eq!(price(EN, 125_050, "ZAR"), "R1\u{202f}250.50");
        assert_eq!(price(EN, 0, "ZAR"), "Free");
        assert_eq!(price(EN, 1_000, "KES"), "KES\u{a0}10");
    }

    #[test]
    fn weeks_across_months_and_years_name_both() {
        assert_eq!(months(EN, date(2027, 3, 1), date(2027, 3, 7)), "March 2027");
        assert_eq!(
            months(EN, date(2027, 3, 29), date(2027, 4, 4)),
            "March to April 2027"
        );
        assert_eq!(
            months(EN, date(2026, 12, 28), date(2027, 1, 3)),
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

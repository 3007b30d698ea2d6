//! Figures and moments as people read them: grouped digits, units, lengths of time,
//! the hour in the zone of this machine. Pure.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The moment and the zone in which a page is written.
#[derive(Debug, Clone)]
pub(crate) struct Clockface {
    pub(crate) now: Timestamp,
    pub(crate) zone: TimeZone,
}

/// A moment: for programs, for people, and how long ago it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct When {
    pub(crate) iso: String,
    pub(crate) text: String,
    /// With the day, also where that is today: for what is kept.
    pub(crate) full: String,
    pub(crate) ago: String,
}

impl Clockface {
    /// `then`, as of now.
    pub(crate) fn when(&self, then: Timestamp) -> When {
        let local = self.zone.to_datetime(then);
        let today = self.zone.to_datetime(self.now).date();
        let full = local.strftime("%-d %b %Y, %H:%M:%S").to_string();
        When {
            iso: then.to_string(),
            text: if local.date() == today {
                local.strftime("%H:%M:%S").to_string()
            } else {
                full.clone()
            },
            full,
            ago: self.ago(then),
        }
    }

    /// `12 s ago`.
    pub(crate) fn ago(&self, then: Timestamp) -> String {
        let since = self.since(then);
        if since < Duration::from_secs(2) {
            "just now".into()
        } else {
            format!("{} ago", coarse(since))
        }
    }

    /// Time from `then` until now; nought where `then` is to come.
    pub(crate) fn since(&self, then: Timestamp) -> Duration {
        between(then, self.now)
    }

    /// The name of the zone, `Africa/Johannesburg`.
    pub(crate) fn zone_name(&self) -> String {
        let name = self.zone.iana_name().unwrap_or("UTC");
        name.strip_prefix("Etc/").unwrap_or(name).to_owned()
    }
}

/// Time from `from` to `to`; nought where that would be negative.
pub(crate) fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}

/// Digits in groups of three, a narrow space between.
pub(crate) fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// `1 request`, `2 requests`.
pub(crate) fn counted(value: u64, one: &str, many: &str) -> String {
    format!("{} {}", number(value), if value == 1 { one } else { many })
}

/// Exact enough to compare: `740 µs`, `12 ms`, `4.2 s`, `3 min 20 s`, `5 h 10 min`, `3 days`.
pub(crate) fn span(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match duration.as_millis() {
        0 if duration.is_zero() => "0 s".into(),
        0 => format!("{} µs", duration.as_micros()),
        ms @ 1..1000 => format!("{ms} ms"),
        1000..60_000 => format!("{:.1} s", duration.as_secs_f64()),
        60_000..3_600_000 => two(seconds / 60, "min", seconds % 60, "s"),
        3_600_000..172_800_000 => two(seconds / 3600, "h", seconds % 3600 / 60, "min"),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// [`span`] of so many microseconds, with tenths below 10 ms.
pub(crate) fn micros(us: u64) -> String {
    match us {
        0..1000 => format!("{us} µs"),
        1000..10_000 => format!("{}.{} ms", us / 1000, us % 1000 / 100),
        _ => span(Duration::from_micros(us)),
    }
}

/// A length of time in whole units: for figures that run.
pub(crate) fn coarse(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

fn two(large: u64, large_unit: &str, small: u64, small_unit: &str) -> String {
    if small == 0 {
        format!("{large} {large_unit}")
    } else {
        format!("{large} {large_unit} {small} {small_unit}")
    }
}

/// Requests per second: tenths below 10, whole above.
pub(crate) fn rate(per_second: f64) -> String {
    if per_second <= 0.0 {
        "0".into()
    } else if per_second < 10.0 {
        format!("{per_second:.1}")
    } else {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rate above nought; a fraction of a request says nothing here"
        )]
        number(per_second.round() as u64)
    }
}

/// A share in hundredths of a per cent: `25 %`, `0.5 %`.
pub(crate) fn share(hundredths: u16) -> String {
    match (hundredths / 100, hundredths % 100) {
        (whole, 0) => format!("{whole} %"),
        (whole, part) if part % 10 == 0 => format!("{whole}.{} %", part / 10),
        (whole, part) => format!("{whole}.{part:02} %"),
    }
}

/// The first letter large.
pub(crate) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

/// A few characters that tell one rollout or instance from its neighbours: these ids
/// begin with the time, so their ends differ most.
pub(crate) fn short(id: impl std::fmt::Display) -> String {
    let text = id.to_string();
    let skip = text.chars().count().saturating_sub(8);
    text.chars().skip(skip).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn face() -> Clockface {
        Clockface {
            now: "2026-11-24T13:00:00Z".parse().unwrap(),
            zone: TimeZone::get("Africa/Johannesburg").unwrap(),
        }
    }

    #[test]
    fn moments_are_in_the_local_zone_and_name_the_day_only_when_it_is_another() {
        let when = face().when("2026-11-24T12:58:30Z".parse().unwrap());
        assert_eq!(
            (when.text.as_str(), when.ago.as_str()),
            ("14:58:30", "1 min ago")
        );
        let when = face().when("2026-11-22T12:58:30Z".parse().unwrap());
        assert_eq!(
            (when.text.as_str(), when.ago.as_str()),
            ("22 Nov 2026, 14:58:30", "2 days ago")
        );
    }

    #[test]
    fn a_moment_to_come_is_just_now() {
        assert_eq!(
            face().ago("2026-11-24T13:05:00Z".parse().unwrap()),
            "just now"
        );
    }

    #[test]
    fn numbers_are_grouped_by_narrow_spaces() {
        assert_eq!(
            [0, 999, 1000, 1_234_567].map(number),
            ["0", "999", "1\u{202f}000", "1\u{202f}234\u{202f}567"]
        );
    }

    #[test]
    fn lengths_of_time_read_well() {
        let texts = [0, 7, 4200, 200_000, 240_000, 18_600_000, 259_200_000]
            .map(|ms| span(Duration::from_millis(ms)));
        assert_eq!(
            texts,
            [
                "0 s",
                "7 ms",
                "4.2 s",
                "3 min 20 s",
                "4 min",
                "5 h 10 min",
                "3 days"
            ]
        );
        assert_eq!(
            [740, 4_240, 52_000].map(micros),
            ["740 µs", "4.2 ms", "52 ms"]
        );
    }

    #[test]
    fn shares_and_rates_lose_what_says_nothing() {
        assert_eq!([2500, 50, 125].map(share), ["25 %", "0.5 %", "1.25 %"]);
        assert_eq!([0.0, 0.42, 311.6].map(rate), ["0", "0.4", "312"]);
    }
}

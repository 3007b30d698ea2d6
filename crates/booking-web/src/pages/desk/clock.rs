//! Times of the day as they are typed, and as minutes since midnight. Pure.

const DAY: i16 = 24 * 60;
/// What closes up to here and before it opens, closes on the following day.
const LATEST_CLOSE: i16 = 12 * 60;

/// "09:30"; what is beyond midnight is written as the hour that it is then.
pub(crate) fn of(minutes: i16) -> String {
    let minutes = minutes.rem_euclid(DAY);
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

/// The minutes of "09:30".
pub(crate) fn minutes(text: &str) -> Option<i16> {
    let (hours, minutes) = text.split_once(':')?;
    let is_digits = |text: &str| text.len() <= 2 && text.bytes().all(|b| b.is_ascii_digit());
    if !is_digits(hours) || !is_digits(minutes) {
        return None;
    }
    let (hours, minutes): (i16, i16) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}

/// From when to when it is open, where the night may lie between.
pub(crate) fn span(opens: &str, closes: &str) -> Option<(i16, i16)> {
    let (opens, closes) = (minutes(opens)?, minutes(closes)?);
    if opens < closes {
        return Some((opens, closes));
    }
    (closes <= LATEST_CLOSE && opens > closes).then_some((opens, closes + DAY))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_they_are_written() {
        assert_eq!(
            (of(570), of(1440), of(1800)),
            ("09:30".into(), "00:00".into(), "06:00".into())
        );
        for (text, expected) in [
            ("09:30", Some(570)),
            ("9:30", Some(570)),
            ("23:59", Some(1439)),
            ("24:00", None),
            ("12:60", None),
            ("-1:30", None),
            ("noon", None),
            ("", None),
        ] {
            assert_eq!(minutes(text), expected, "{text}");
        }
    }

    #[test]
    fn a_night_ends_on_the_following_day_and_an_afternoon_does_not() {
        assert_eq!(span("08:00", "17:00"), Some((480, 1020)));
        assert_eq!(span("22:00", "06:00"), Some((1320, 1800)));
        assert_eq!(span("18:00", "00:00"), Some((1080, 1440)));
        assert_eq!(span("17:00", "13:00"), None);
        assert_eq!(span("08:00", "08:00"), None);
    }
}

//! What happened to something, from the audit into words. Pure.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::language::{Language, Text};
use crate::pages::words;
use crate::store::visit::Event;

/// One thing that happened.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) at: String,
    pub(crate) what: String,
    pub(crate) who: String,
}

impl Line {
    pub(crate) fn of(language: Language, event: &Event, zone: &TimeZone) -> Self {
        Self {
            at: words::day_and_clock(language, &event.at.to_zoned_datetime(zone.clone())),
            what: what(language, event, zone).to_string(),
            who: who(language, event).to_string(),
        }
    }
}

fn who(language: Language, event: &Event) -> Text {
    match (&event.name, event.actor.as_str()) {
        (Some(name), _) => language.text("history-by").with("name", name),
        (None, "customer") => language.text("history-by-customer"),
        (None, "clock") => language.text("history-by-clock"),
        (None, _) => language.text("history-by-staff"),
    }
}

fn what(language: Language, event: &Event, zone: &TimeZone) -> Text {
    let start = |text: Option<&str>| text?.parse::<Timestamp>().ok();
    let starts = start(event.before.as_deref()).zip(start(event.after.as_deref()));
    if let Some((before, after)) = starts
        && before != after
    {
        let moment = |at: Timestamp| words::moment(language, &at.to_zoned_datetime(zone.clone()));
        return language
            .text("history-moved")
            .with("from", moment(before))
            .with("to", moment(after));
    }
    match event.action.as_str() {
        "booking.held" => language.text("history-held"),
        "booking.extended" => language.text("history-extended"),
        "booking.expired" => language.text("history-expired"),
        "booking.confirmed" => language.text("history-confirmed"),
        "booking.arrived" => language.text("history-arrived"),
        "booking.arrival_undone" => language.text("history-arrival-undone"),
        "booking.completed" => language.text("history-completed"),
        "booking.no_show" => language.text("history-no-show"),
        "booking.no_show_undone" => language.text("history-no-show-undone"),
        "booking.cancelled" => language.text("history-cancelled"),
        "customer.added" => language.text("history-added"),
        "booking.noted" => language.text("history-noted"),
        "customer.held" => language.text("history-hold"),
        "customer.hold_lifted" => language.text("history-hold-lifted"),
        "customer.merged" => language.text("history-merged"),
        told if told.starts_with("told.") => {
            let notice = event.after.as_deref().unwrap_or_default();
            wording(language, told, notice)
        }
        _ => language.text("history-changed"),
    }
}

/// What a customer was told and agreed to, with the wording that was used.
fn wording(language: Language, told: &str, notice: &str) -> Text {
    match told {
        "told.phone" => language.text("told-phone").with("notice", notice),
        "told.walk_in" => language.text("told-walk-in").with("notice", notice),
        "told.api" => language.text("told-api").with("notice", notice),
        "told.news_yes" => language.text("told-news-yes").with("notice", notice),
        "told.news_no" => language.text("told-news-no").with("notice", notice),
        _ => language.text("told-page").with("notice", notice),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(action: &str, starts: Option<(&str, &str)>, actor: &str, name: Option<&str>) -> Line {
        let (before, after) = starts.unzip();
        let event = Event {
            at: "2027-03-24T07:30:00Z".parse().unwrap(),
            actor: actor.into(),
            name: name.map(str::to_owned),
            action: action.into(),
            before: before.map(str::to_owned),
            after: after.map(str::to_owned),
        };
        let zone = TimeZone::get("Africa/Johannesburg").unwrap();
        Line::of(Language::English, &event, &zone)
    }

    #[test]
    fn what_happened_is_told_with_who_did_it_and_when() {
        let told = line("booking.arrived", None, "business", Some("Anneke"));
        assert_eq!(told.at, "Wednesday 24 March 2027, 09:30");
        assert_eq!(
            (told.what.as_str(), told.who.as_str()),
            ("Arrived", "by Anneke")
        );
        assert_eq!(
            line("booking.expired", None, "clock", None).who,
            "by itself"
        );
    }

    #[test]
    fn a_move_says_from_where_to_where() {
        let starts = ("2027-03-24T07:30:00Z", "2027-03-25T08:00:00Z");
        let told = line("booking.rescheduled", Some(starts), "customer", None);
        assert_eq!(
            told.what,
            "Moved from 09:30 on Wednesday 24 March 2027 to 10:00 on Thursday 25 March 2027"
        );
        let same = ("2027-03-24T07:30:00Z", "2027-03-24T07:30:00Z");
        let told = line("booking.completed", Some(same), "business", None);
        assert_eq!(
            (told.what.as_str(), told.who.as_str()),
            ("Completed", "by staff")
        );
    }
}

//! When nothing is deployed: `[[freeze]]` in an environment's file, and whatever lies outside
//! of every `[[deploy_window]]`. Pure over the clock. Taking back is never frozen.
//!
//! A stretch begins when the clock on the wall first reaches `from`, and ends when it last
//! reaches `until`: an hour that comes twice is in it both times, one that is left out ends.

use jiff::civil::{DateTime, Time, Weekday};
use jiff::tz::{AmbiguousOffset, Disambiguation, TimeZone};
use jiff::{Timestamp, ToSpan as _};
use serde::de::{Deserializer, Error as _};
use serde::{Deserialize, Serialize};

use crate::cli::failure::Failure;

/// Where no zone is named.
const ZONE: &str = "Africa/Johannesburg";
/// As many ends of stretches are looked at for the next moment in which one may deploy.
const ENDS_MAX: usize = 100;
/// What says in `Closed` that no freeze holds, and no window either.
const OUTSIDE: &str = "it is outside of every deploy window";

/// When nothing is deployed in one environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Calendar {
    pub(crate) freezes: Vec<Freeze>,
    /// Where there is one, nothing is deployed outside of them.
    pub(crate) windows: Vec<Window>,
}

/// A stretch of time in which nothing is deployed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Freeze {
    reason: String,
    period: Period,
}

/// A stretch of time in which one may deploy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Window(Period);

/// Why nothing is deployed now, and until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Closed {
    pub(crate) reason: String,
    /// When one may deploy again; none where that is not within sight.
    pub(crate) until: Option<Timestamp>,
    /// The same in the zone of the stretch that ends then.
    #[serde(skip)]
    until_words: String,
}

/// A stretch of time, once or in every week.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Period {
    zone: TimeZone,
    when: When,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum When {
    /// From one minute of the calendar to another.
    Once { from: DateTime, until: DateTime },
    /// From one minute of the week to another, over its end where that comes before.
    Weekly { from: Minute, until: Minute },
}

/// A minute of the week; in the order in which they come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Minute {
    /// From Monday, 0.
    day: i8,
    time: Time,
}

/// From its first instant to the first one after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stretch {
    from: Timestamp,
    until: Timestamp,
}

impl Calendar {
    /// Why nothing is deployed at `now`; none where one may.
    pub(crate) fn closed(&self, now: Timestamp) -> Option<Closed> {
        let (reason, until) = self.hindrance(now)?;
        let mut open = until;
        for _ in 0..ENDS_MAX {
            let hindered = open.as_ref().and_then(|(at, _)| self.hindrance(*at));
            let Some((_, later)) = hindered else {
                break;
            };
            open = later;
        }
        let words = |(at, zone): &(Timestamp, TimeZone)| {
            let local = at.to_zoned_datetime(zone.clone());
            local.strftime("%a %Y-%m-%d %H:%M %Z").to_string()
        };
        Some(Closed {
            reason,
            until: open.as_ref().map(|(at, _)| *at),
            until_words: open.as_ref().map_or_else(String::new, words),
        })
    }

    /// What is in the way at `now`, and when that ends, with the zone that it is written in.
    fn hindrance(&self, now: Timestamp) -> Option<(String, Option<(Timestamp, TimeZone)>)> {
        let frozen = self.freezes.iter().find_map(|freeze| {
            let stretch = freeze.period.at(now)?;
            Some((freeze, stretch.until))
        });
        if let Some((freeze, until)) = frozen {
            let end = (until, freeze.period.zone.clone());
            return Some((freeze.reason.clone(), Some(end)));
        }
        let is_open = |window: &Window| window.0.at(now).is_some();
        if self.windows.is_empty() || self.windows.iter().any(is_open) {
            return None;
        }
        let opens = self.windows.iter().filter_map(|window| {
            let next = window.0.next(now)?;
            Some((next.from, window.0.zone.clone()))
        });
        Some((OUTSIDE.to_owned(), opens.min_by_key(|(at, _)| *at)))
    }
}

impl Closed {
    /// `until Mon 2026-11-30 07:00 SAST: the weekend`.
    pub(crate) fn words(&self) -> String {
        match self.until {
            Some(_) => format!("until {}: {}", self.until_words, self.reason),
            None => self.reason.clone(),
        }
    }

    /// Why an order is not carried out.
    pub(crate) fn refusal(&self) -> Failure {
        Failure::refused(format!("nothing is deployed {}", self.words())).hint(
            "wait, or `--override REASON` with somebody else's `slipway approve`; \
             `slipway rollback` is never frozen",
        )
    }
}

impl Period {
    /// The stretch that `now` lies in.
    fn at(&self, now: Timestamp) -> Option<Stretch> {
        let mut around = self.around(now).into_iter();
        around.find(|stretch| stretch.from <= now && now < stretch.until)
    }

    /// The first stretch that begins after `now`.
    fn next(&self, now: Timestamp) -> Option<Stretch> {
        let mut around = self.around(now).into_iter();
        around.find(|stretch| now < stretch.from && stretch.from < stretch.until)
    }

    /// The stretches near `now`, in their order.
    fn around(&self, now: Timestamp) -> Vec<Stretch> {
        match &self.when {
            When::Once { from, until } => self.stretch(*from, *until).into_iter().collect(),
            When::Weekly { from, until } => {
                let today = self.zone.to_datetime(now).date();
                let since_monday = i64::from(today.weekday().to_monday_zero_offset());
                // One that began in the week before may go on; after this week's comes another.
                let weeks = (-1..=2_i64).map(|week| week * 7 - since_monday);
                let over = i64::from(until < from) * 7;
                weeks
                    .filter_map(|monday| {
                        let on = |minute: &Minute, more: i64| {
                            let days = monday + i64::from(minute.day) + more;
                            let date = today.checked_add(days.days()).ok()?;
                            Some(date.to_datetime(minute.time))
                        };
                        self.stretch(on(from, 0)?, on(until, over)?)
                    })
                    .collect()
            }
        }
    }

    fn stretch(&self, from: DateTime, until: DateTime) -> Option<Stretch> {
        Some(Stretch {
            from: reached(&self.zone, from, Disambiguation::Earlier)?,
            until: reached(&self.zone, until, Disambiguation::Later)?,
        })
    }
}

/// When the clock on the wall reaches `at`: where it is set forward over that, when it is set;
/// where it comes twice, the first or the second time.
fn reached(zone: &TimeZone, at: DateTime, twice: Disambiguation) -> Option<Timestamp> {
    let ambiguous = zone.to_ambiguous_timestamp(at);
    match ambiguous.offset() {
        AmbiguousOffset::Gap { .. } => {
            // As late as this would have been without the change, which is not before it.
            let beyond = ambiguous.later().ok()?.checked_add(1.second()).ok()?;
            let mut changes = zone.preceding(beyond);
            changes.next().map(|change| change.timestamp())
        }
        _ => ambiguous.disambiguate(twice).ok(),
    }
}

/// As a stretch is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    reason: Option<String>,
    from: String,
    until: String,
    zone: Option<String>,
}

impl<'de> Deserialize<'de> for Freeze {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Written::deserialize(deserializer)?;
        let period = period(&written).map_err(D::Error::custom)?;
        let reason = written.reason.filter(|reason| !reason.trim().is_empty());
        match reason {
            Some(reason) => Ok(Self { reason, period }),
            None => Err(D::Error::custom(
                "a freeze needs a `reason`, which everybody is told who deploys then",
            )),
        }
    }
}

impl<'de> Deserialize<'de> for Window {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Written::deserialize(deserializer)?;
        period(&written).map(Self).map_err(D::Error::custom)
    }
}

fn period(written: &Written) -> Result<Period, String> {
    let name = written.zone.as_deref().unwrap_or(ZONE);
    let zone = TimeZone::get(name).map_err(|_| format!("{name:?} is no zone; write {ZONE}"))?;
    let when = match (minute(&written.from), minute(&written.until)) {
        (Some(from), Some(until)) if from == until => {
            return Err(format!("from and until are both {:?}", written.from));
        }
        (Some(from), Some(until)) => When::Weekly { from, until },
        (None, None) => {
            let (from, until) = (instant(&written.from)?, instant(&written.until)?);
            if from >= until {
                return Err(format!("from {from} it ends before it begins, at {until}"));
            }
            When::Once { from, until }
        }
        _ => {
            return Err(
                "from and until are either both of every week, \"fri 16:00\", or both of the \
                 calendar, \"2026-12-18 17:00\""
                    .to_owned(),
            );
        }
    };
    Ok(Period { zone, when })
}

/// `2026-12-18 17:00`, in the zone that is named beside it and in no other.
fn instant(text: &str) -> Result<DateTime, String> {
    let time = text.split_once([' ', 'T']).map_or("", |(_, time)| time);
    let is_local = !time.contains(['+', '-', '[', 'z', 'Z']);
    let instant = text.parse().ok().filter(|_| is_local);
    instant
        .ok_or_else(|| format!("{text:?} is no time; write \"2026-12-18 17:00\" or \"fri 16:00\""))
}

/// `fri 16:00`.
fn minute(text: &str) -> Option<Minute> {
    let (day, time) = text.split_once(' ')?;
    let days = [
        ("mon", Weekday::Monday),
        ("tue", Weekday::Tuesday),
        ("wed", Weekday::Wednesday),
        ("thu", Weekday::Thursday),
        ("fri", Weekday::Friday),
        ("sat", Weekday::Saturday),
        ("sun", Weekday::Sunday),
    ];
    let (_, day) = days.into_iter().find(|(name, _)| *name == day)?;
    Some(Minute {
        day: day.to_monday_zero_offset(),
        time: time.parse().ok()?,
    })
}

mod tests;

//! The desk's first page: what comes next, who is late, what is to be done, and where there
//! is time left today.

use askama::Template;
use axum::response::Response;
use booking::{Right, Span, State};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::column::{self, day_span};
use super::{Desk, Frame, Here, calendar};
use crate::availability;
use crate::error::Fault;
use crate::pages::{Site, words};
use crate::store;
use crate::store::calendar::{Away, Person, Visit};

/// So long after their start somebody who is not there is late.
const LATE_AFTER: SignedDuration = SignedDuration::from_mins(5);
/// Shorter gaps are no use to anybody.
const GAP_MIN: SignedDuration = SignedDuration::from_mins(30);
/// Of what comes next, so much is shown.
const NEXT_MAX: usize = 8;

/// A visit of today, in words.
pub(super) struct Line {
    pub(super) id: Uuid,
    pub(super) hours: String,
    pub(super) name: String,
    pub(super) service: String,
    pub(super) staff: String,
    pub(super) phone: Option<String>,
    /// How late they are, where they are.
    pub(super) late: Option<String>,
}

/// Time that somebody has left today.
pub(super) struct Gap {
    pub(super) hours: String,
    pub(super) staff: String,
    pub(super) lasts: String,
}

#[derive(Template)]
#[template(path = "desk/today.html")]
pub(super) struct TodayPage<'a> {
    pub(super) site: Site<'a>,
    pub(super) desk: Frame,
    pub(super) title: String,
    pub(super) late: Vec<Line>,
    pub(super) to_finish: Vec<Line>,
    pub(super) there: Vec<Line>,
    pub(super) next: Vec<Line>,
    pub(super) later: usize,
    pub(super) gaps: Vec<Gap>,
    /// Messages that could not be sent, for whoever may do something about it.
    pub(super) not_sent: i64,
}

/// Today's visits by what they ask of the desk.
#[derive(Debug, Default)]
struct Sorted<'a> {
    late: Vec<&'a Visit>,
    to_finish: Vec<&'a Visit>,
    there: Vec<&'a Visit>,
    next: Vec<&'a Visit>,
}

fn sort(visits: &[Visit], now: Timestamp) -> Sorted<'_> {
    let mut sorted = Sorted::default();
    for visit in visits {
        let late = visit
            .start
            .saturating_add(LATE_AFTER)
            .unwrap_or(visit.start);
        let list = match visit.state {
            State::Confirmed | State::Arrived if visit.end <= now => &mut sorted.to_finish,
            State::Arrived => &mut sorted.there,
            State::Confirmed if late <= now => &mut sorted.late,
            State::Confirmed => &mut sorted.next,
            _ => continue,
        };
        list.push(visit);
    }
    sorted
}

/// What is left of `open` after `taken`, from `now` on, where it is long enough.
fn gaps(open: &[Span], taken: &[Span], now: Timestamp) -> Vec<Span> {
    let mut taken = taken.to_vec();
    taken.sort_by_key(|span| span.start());
    let mut gaps = Vec::new();
    for opening in open {
        let mut from = opening.start().max(now);
        for span in &taken {
            if span.end() <= from || span.start() >= opening.end() {
                continue;
            }
            gaps.extend(Span::new(from, span.start().max(from)));
            from = from.max(span.end());
        }
        gaps.extend(Span::new(from, opening.end().max(from)));
    }
    gaps.retain(|gap| gap.end().duration_since(gap.start()) >= GAP_MIN);
    gaps
}

/// When somebody is busy, or away.
fn taken(person: &Person, visits: &[Visit], away: &[Away]) -> Vec<Span> {
    let visits = visits.iter().filter(|v| v.staff == person.staff);
    let visits = visits.filter_map(|v| Span::new(v.start, v.end));
    let away = away.iter().filter(|a| a.lane == person.lane);
    let away = away.filter_map(|a| Span::new(a.start, a.end));
    visits.chain(away).collect()
}

/// Answers `GET /desk/{business}`.
pub(crate) async fn get(desk: Desk) -> Result<Response, Fault> {
    let only = desk.only()?;
    let (now, today, zone) = (desk.now(), desk.today(), desk.zone());
    let language = desk.language();
    let (start, end) = day_span(today, zone);
    let mut transaction = desk.begin().await?;
    let visits = store::calendar::visits(&mut transaction, only, start, end).await?;
    let away = store::calendar::away(&mut transaction, start, end).await?;
    let people = calendar::people(&mut transaction, only).await?;
    let open = availability::at_work(&mut transaction, zone, &people, today, today).await?;
    let not_sent = if desk.may(Right::ChangeSettings) {
        store::letter::count_dead(&mut transaction).await?
    } else {
        0
    };
    desk.saw(&mut transaction, visits.iter().map(|visit| visit.customer))
        .await?;
    transaction.commit().await?;
    let line = |visit: &&Visit| {
        let waited = now.duration_since(visit.start).as_mins();
        Line {
            id: visit.id,
            hours: column::span_hours(language, visit.start, visit.end, zone),
            name: column::name(language, visit.name.as_deref()),
            service: visit.service.clone(),
            staff: (people.iter().find(|p| p.staff == visit.staff))
                .map_or_else(String::new, |person| person.name.clone()),
            phone: visit.phone.clone(),
            late: (waited > 0).then(|| words::duration(language, waited)),
        }
    };
    let lines = |visits: &[&Visit]| visits.iter().map(line).collect::<Vec<Line>>();
    let sorted = sort(&visits, now);
    let working = people.iter().zip(&open).filter(|(p, _)| p.is_active);
    let gaps = working.flat_map(|(person, open)| {
        let gaps = gaps(open, &taken(person, &visits, &away), now);
        gaps.into_iter().map(|gap| Gap {
            hours: column::span_hours(language, gap.start(), gap.end(), zone),
            staff: person.name.clone(),
            lasts: words::duration(language, gap.end().duration_since(gap.start()).as_mins()),
        })
    });
    desk.show(&TodayPage {
        site: desk.site(),
        desk: desk.frame(Here::Today),
        title: words::day_and_clock(language, &now.to_zoned_datetime(zone.clone())),
        late: lines(&sorted.late),
        to_finish: lines(&sorted.to_finish),
        there: lines(&sorted.there),
        later: sorted.next.len().saturating_sub(NEXT_MAX),
        next: lines(&sorted.next[..sorted.next.len().min(NEXT_MAX)]),
        gaps: gaps.collect(),
        not_sent,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(minute * 60).unwrap()
    }

    fn span(from: i64, to: i64) -> Span {
        Span::new(at(from), at(to)).unwrap()
    }

    fn visit(state: State, from: i64, to: i64) -> Visit {
        Visit {
            id: Uuid::nil(),
            staff: Uuid::nil(),
            state,
            start: at(from),
            end: at(to),
            service: String::new(),
            customer: None,
            name: None,
            phone: None,
        }
    }

    #[test]
    fn each_visit_is_where_it_asks_for_something() {
        let visits = [
            visit(State::Confirmed, 0, 30),
            visit(State::Arrived, 60, 100),
            visit(State::Arrived, 80, 130),
            visit(State::Confirmed, 95, 140),
            visit(State::Confirmed, 96, 140),
            visit(State::Completed, 0, 30),
            visit(State::NoShow, 0, 30),
            visit(State::Held, 120, 150),
        ];
        let sorted = sort(&visits, at(100));
        let starts = |visits: &[&Visit]| -> Vec<i64> {
            visits.iter().map(|v| v.start.as_second() / 60).collect()
        };
        assert_eq!(starts(&sorted.to_finish), [0, 60]);
        assert_eq!(starts(&sorted.there), [80]);
        assert_eq!(
            starts(&sorted.late),
            [95],
            "late after five minutes to the second"
        );
        assert_eq!(starts(&sorted.next), [96]);
    }

    #[test]
    fn gaps_are_what_is_left_of_the_day_and_long_enough() {
        let open = [span(0, 240), span(300, 600)];
        let taken = [span(60, 90), span(110, 200), span(190, 230), span(320, 570)];
        assert_eq!(gaps(&open, &taken, at(0)), [span(0, 60), span(570, 600)]);
        assert_eq!(gaps(&open, &taken, at(45)), [span(570, 600)]);
        assert_eq!(gaps(&open, &[], at(210)), [span(210, 240), span(300, 600)]);
        assert_eq!(gaps(&open, &[], at(700)), []);
    }
}

//! The times at which a service can be booked with one lane.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan as _};

use crate::hours::Hours;
use crate::refusal::Refusal;
use crate::service::Service;
use crate::span::{Span, union};

/// One unit that does one thing at a time: a person, a room.
#[derive(Debug, Clone)]
pub struct Lane {
    /// When it works.
    pub hours: Hours,
    /// When it is taken, buffers included. In any order; may overlap.
    pub busy: Vec<Span>,
}

/// The days that are asked about, both included, in the provider's zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The first day.
    pub from: Date,
    /// The last day.
    pub to: Date,
}

/// Every start in `window` at which `service` can be booked with `lane`, in order.
///
/// Times are counted in steps from the beginning of each opening; a visit may run from
/// one opening into another that touches it.
pub fn free_times(
    lane: &Lane,
    service: &Service,
    window: Window,
    now: Timestamp,
) -> Vec<Timestamp> {
    let busy = union(lane.busy.clone());
    let (openings, open) = openings(lane, window);
    let mut starts = Vec::new();
    for opening in openings {
        let mut next = Some(opening.start());
        while let Some(start) = next.filter(|start| *start < opening.end()) {
            let date = lane.hours.zone.to_datetime(start).date();
            let is_asked_for = (window.from..=window.to).contains(&date);
            if is_asked_for && check(lane, service, &busy, &open, start, now).is_none() {
                starts.push(start);
            }
            next = plus(start, service.step.max(SignedDuration::from_mins(1)));
        }
    }
    starts.sort_unstable();
    starts.dedup();
    starts
}

/// Why `service` cannot be booked with `lane` at `start`; none where it can.
pub fn why_not(
    lane: &Lane,
    service: &Service,
    start: Timestamp,
    now: Timestamp,
) -> Option<Refusal> {
    let date = lane.hours.zone.to_datetime(start).date();
    let (openings, open) = openings(
        lane,
        Window {
            from: date,
            to: date,
        },
    );
    let refusal = check(lane, service, &union(lane.busy.clone()), &open, start, now);
    let step = service.step.max(SignedDuration::from_mins(1)).as_micros();
    let is_on_grid = openings.iter().any(|o| {
        (o.start()..o.end()).contains(&start)
            && start.duration_since(o.start()).as_micros() % step == 0
    });
    match refusal {
        None | Some(Refusal::Taken) if !is_on_grid => Some(Refusal::OffGrid),
        other => other,
    }
}

/// The openings that matter for visits that begin in `window`, and their union.
fn openings(lane: &Lane, window: Window) -> (Vec<Span>, Vec<Span>) {
    // An opening reaches into the day after at most, and a visit lasts a day at most.
    let first = window.from.yesterday().unwrap_or(window.from);
    let last = window.to.checked_add(2.days()).unwrap_or(window.to);
    let openings = lane.hours.open(first, last);
    let open = union(openings.clone());
    (openings, open)
}

fn check(
    lane: &Lane,
    service: &Service,
    busy: &[Span],
    open: &[Span],
    start: Timestamp,
    now: Timestamp,
) -> Option<Refusal> {
    if let Err(refusal) = in_time(lane, service, start, now) {
        return Some(refusal);
    }
    let Some(visit) = plus(start, service.duration).and_then(|end| Span::new(start, end)) else {
        return Some(Refusal::TooFar);
    };
    let last = open.partition_point(|o| o.start() <= start).checked_sub(1);
    if !last
        .and_then(|i| open.get(i))
        .is_some_and(|o| o.contains(visit))
    {
        return Some(Refusal::Closed);
    }
    (!is_free(busy, needed(service, visit))).then_some(Refusal::Taken)
}

fn in_time(
    lane: &Lane,
    service: &Service,
    start: Timestamp,
    now: Timestamp,
) -> Result<(), Refusal> {
    if plus(now, service.notice).is_none_or(|earliest| start < earliest) || start < now {
        return Err(Refusal::TooSoon);
    }
    let today = lane.hours.zone.to_datetime(now).date();
    let last = today
        .checked_add(i64::from(service.horizon_days).days())
        .unwrap_or(Date::MAX);
    if lane.hours.zone.to_datetime(start).date() > last {
        return Err(Refusal::TooFar);
    }
    Ok(())
}

/// What the lane is taken for: the visit with its buffers.
fn needed(service: &Service, visit: Span) -> Span {
    let start = plus(visit.start(), -service.before).unwrap_or(visit.start());
    let end = plus(visit.end(), service.after).unwrap_or(visit.end());
    Span::new(start, end).unwrap_or(visit)
}

/// Whether nothing of `busy`, which is in order, overlaps `span`.
fn is_free(busy: &[Span], span: Span) -> bool {
    let first = busy.partition_point(|b| b.end() <= span.start());
    busy.get(first).is_none_or(|b| !b.overlaps(span))
}

fn plus(at: Timestamp, by: SignedDuration) -> Option<Timestamp> {
    at.checked_add(by).ok()
}

impl Service {
    /// What a lane is taken for when the visit begins at `start`: buffers included.
    /// None at the end of the calendar.
    pub fn claim(&self, start: Timestamp) -> Option<Span> {
        let visit = Span::new(start, plus(start, self.duration)?)?;
        Some(needed(self, visit))
    }
}

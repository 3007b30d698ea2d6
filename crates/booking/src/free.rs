//! The times at which a service can be booked. Each lane says by a mask when visits may
//! begin; people are joined, and what else is needed is met with them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use crate::mask::{Mask, instant, minute, minute_from};
use crate::quota::Quota;
use crate::refusal::Refusal;
use crate::service::{Part, Service};
use crate::span::{Span, union};
use crate::supply::{Class, Lane, Need, Supply, Window};
use crate::wall::day_start;

/// A time that can be booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Slot {
    /// When the visit begins.
    pub start: Timestamp,
    /// How many can still book it.
    pub seats: u16,
}

/// Who and what can take a visit; never nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Able {
    /// Classes that have a seat left, by their places in the supply.
    pub classes: Vec<usize>,
    /// People who can give it, by their places; empty where only a class is left.
    pub people: Vec<usize>,
    /// For each need, the lanes of its pool that are free, by their places.
    pub needs: Vec<Vec<usize>>,
}

/// Some days of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    /// Every start at which it can be given, in order, whatever the time is now.
    pub slots: Vec<Slot>,
    /// The days on which visits begin: somebody is there for one, or a class takes place,
    /// whoever has booked them by now.
    pub open_days: BTreeSet<Date>,
}

/// The days of `window` for `service`.
pub fn calendar(supply: &Supply, service: &Service, window: Window) -> Calendar {
    let days = Days::of(&supply.zone, window);
    let (mut offered, mut begins) = (days.none(), days.none());
    for person in &supply.people {
        let Stages {
            mut open,
            grid,
            free,
        } = days.stages(person, service);
        open.meet(&grid);
        offered.join(&open);
        open.meet(&free);
        days.keep_within(&person.quota, &mut open);
        begins.join(&open);
    }
    for need in &supply.needs {
        begins.meet(&days.needed(need, service));
    }
    let classes = supply.classes.iter();
    let classes = classes.filter(|class| days.minutes.contains(&minute(class.start)));
    let classes: Vec<&Class> = classes.collect();
    let starts = classes.iter().map(|class| class.start);
    let starts = offered.iter().map(instant).chain(starts);
    Calendar {
        open_days: starts
            .map(|start| supply.zone.to_datetime(start).date())
            .collect(),
        slots: seated(supply, service, &begins, &classes),
    }
}

/// The starts of new visits and of classes with a seat left.
fn seated(supply: &Supply, service: &Service, begins: &Mask, classes: &[&Class]) -> Vec<Slot> {
    let mut seats: BTreeMap<Timestamp, u16> = begins
        .iter()
        .map(|minute| (instant(minute), service.capacity))
        .collect();
    for class in classes.iter().filter(|class| class.seats_left > 0) {
        let seats = seats.entry(class.start).or_default();
        *seats = seats.saturating_add(class.seats_left);
    }
    let slots = seats.into_iter().map(|(start, seats)| Slot {
        start,
        seats: seats.min(supply.left(start)),
    });
    slots.filter(|slot| slot.seats > 0).collect()
}

/// The days of `window` on which as many have booked as may: the service, or each of those
/// who give it.
pub fn full_days(supply: &Supply, window: Window) -> BTreeSet<Date> {
    let days = window.from.series(1.day());
    let days = days.take_while(|date| *date <= window.to);
    days.filter(|date| supply.is_full(*date)).collect()
}

/// The slots in `window` that can be booked at `now`.
pub fn free_times(supply: &Supply, service: &Service, window: Window, now: Timestamp) -> Vec<Slot> {
    let bookable = service.bookable(&supply.zone, now);
    let mut slots = calendar(supply, service, window).slots;
    slots.retain(|slot| bookable.contains(&slot.start));
    slots
}

/// Who and what can take a visit that begins at `start`, or why nobody can.
pub fn able(
    supply: &Supply,
    service: &Service,
    start: Timestamp,
    now: Timestamp,
) -> Result<Able, Refusal> {
    service.in_time(&supply.zone, start, now)?;
    if supply.left(start) == 0 {
        return Err(Refusal::DayFull);
    }
    let there = supply.classes.iter().enumerate();
    let (with_seats, full): (Vec<_>, Vec<_>) = there
        .filter(|(_, class)| class.start == start)
        .partition(|(_, class)| class.seats_left > 0);
    let classes: Vec<usize> = with_seats.into_iter().map(|(place, _)| place).collect();
    let refusal = match begin(supply, service, start) {
        Ok((people, needs)) => {
            return Ok(Able {
                classes,
                people,
                needs,
            });
        }
        Err(refusal) => refusal,
    };
    if classes.is_empty() {
        let is_full = !full.is_empty();
        return Err(if is_full { Refusal::Full } else { refusal });
    }
    Ok(Able {
        classes,
        people: Vec::new(),
        needs: Vec::new(),
    })
}

/// Why `service` cannot be booked at `start`; none where it can.
pub fn why_not(
    supply: &Supply,
    service: &Service,
    start: Timestamp,
    now: Timestamp,
) -> Option<Refusal> {
    able(supply, service, start, now).err()
}

/// The slots by the day on which they begin for somebody in `zone`. Which slots there are
/// does not depend on it.
pub fn by_day(slots: &[Slot], zone: &TimeZone) -> BTreeMap<Date, Vec<Slot>> {
    let mut days: BTreeMap<Date, Vec<Slot>> = BTreeMap::new();
    for slot in slots {
        let date = zone.to_datetime(slot.start).date();
        days.entry(date).or_default().push(*slot);
    }
    days
}

/// The people and the lanes of each need with which a visit can begin at `start`.
fn begin(
    supply: &Supply,
    service: &Service,
    start: Timestamp,
) -> Result<(Vec<usize>, Vec<Vec<usize>>), Refusal> {
    let date = supply.zone.to_datetime(start).date();
    let asked = Days {
        zone: &supply.zone,
        window: Window {
            from: date,
            to: date,
        },
        minutes: minute(start)..minute(start) + 1,
    };
    let is_whole = minute(start) == minute_from(start);
    let mut people = Vec::new();
    let mut nearest = Refusal::Closed;
    for (place, person) in supply.people.iter().enumerate() {
        match asked.refusal(person, service, is_whole) {
            None => people.push(place),
            Some(refusal) => nearest = nearest.max(refusal),
        }
    }
    if people.is_empty() {
        return Err(nearest);
    }
    let mut needs = Vec::new();
    for need in &supply.needs {
        let part = need.part_of(service);
        let lanes = need.pool.iter().enumerate();
        let lanes: Vec<usize> = lanes
            .filter(|(_, lane)| !asked.begins(lane, part).is_empty())
            .map(|(place, _)| place)
            .collect();
        if lanes.len() < need.quantity {
            return Err(Refusal::NoRoom);
        }
        needs.push(lanes);
    }
    Ok((people, needs))
}

/// When visits with one person may begin, by what they have to fulfil.
struct Stages {
    open: Mask,
    grid: Mask,
    free: Mask,
}

/// The starts that are asked about: some days, or one minute of a day.
struct Days<'a> {
    zone: &'a TimeZone,
    window: Window,
    minutes: Range<i64>,
}

impl<'a> Days<'a> {
    fn of(zone: &'a TimeZone, window: Window) -> Self {
        let end = window.to.tomorrow();
        let end = end.map_or(Timestamp::MAX, |day| day_start(zone, day));
        Self {
            zone,
            window,
            minutes: minute_from(day_start(zone, window.from))..minute_from(end),
        }
    }

    fn none(&self) -> Mask {
        Mask::none(self.minutes.clone())
    }

    /// The openings that visits on these days may lie in: one reaches into the day after
    /// at most, and a visit lasts a day at most.
    fn openings(&self, lane: &Lane) -> Vec<Span> {
        let first = self.window.from.saturating_sub(2.days());
        let last = self.window.to.saturating_add(2.days());
        lane.hours.open(self.zone, first, last)
    }

    /// Leaves out the days on which nothing more may be booked.
    fn keep_within(&self, quota: &Quota, begins: &mut Mask) {
        if !quota.limit.is_set() {
            return;
        }
        let days = self.window.from.series(1.day());
        for date in days.take_while(|date| *date <= self.window.to) {
            if quota.is_full(date) {
                let window = Window {
                    from: date,
                    to: date,
                };
                begins.clear(Self::of(self.zone, window).minutes);
            }
        }
    }

    fn stages(&self, person: &Lane, service: &Service) -> Stages {
        let openings = self.openings(person);
        let busy = union(person.busy.clone());
        let whole = service.whole();
        Stages {
            grid: self.grid(&openings, &busy, service),
            open: self.open(openings, person, whole),
            free: self.free(&busy, whole),
        }
    }

    /// Why a visit with this person cannot begin in the one minute that is asked about.
    fn refusal(&self, person: &Lane, service: &Service, is_whole: bool) -> Option<Refusal> {
        let openings = self.openings(person);
        let busy = union(person.busy.clone());
        let (whole, here) = (service.whole(), |mask: Mask| !mask.is_empty());
        let present = Lane {
            away: Vec::new(),
            ..person.clone()
        };
        if !here(self.open(openings.clone(), &present, whole)) {
            Some(Refusal::Closed)
        } else if !here(self.open(openings.clone(), person, whole)) {
            Some(Refusal::Away)
        } else if !is_whole || !here(self.grid(&openings, &busy, service)) {
            Some(Refusal::OffGrid)
        } else if !here(self.free(&busy, whole)) {
            Some(Refusal::Taken)
        } else if person.quota.is_full(self.window.from) {
            Some(Refusal::DayFull)
        } else {
            None
        }
    }

    /// The starts at which so many lanes of a pool can be had as are needed.
    fn needed(&self, need: &Need, service: &Service) -> Mask {
        let part = need.part_of(service);
        // At place n: where n + 1 lanes can be had.
        let mut had = vec![self.none(); need.quantity];
        for lane in &need.pool {
            let begins = self.begins(lane, part);
            for more in (1..had.len()).rev() {
                let (fewer, rest) = had.split_at_mut(more);
                if let Some((more, fewer)) = rest.first_mut().zip(fewer.last()) {
                    more.join_met(fewer, &begins);
                }
            }
            if let Some(one) = had.first_mut() {
                one.join(&begins);
            }
        }
        had.pop().unwrap_or_else(|| {
            let mut all = self.none();
            all.set(self.minutes.clone());
            all
        })
    }

    /// The starts at which a lane is there and free for its part.
    fn begins(&self, lane: &Lane, part: Part) -> Mask {
        let mut begins = self.open(self.openings(lane), lane, part);
        begins.meet(&self.free(&union(lane.busy.clone()), part));
        begins
    }

    /// The starts whose part lies in the hours, with nobody away during it.
    fn open(&self, openings: Vec<Span>, lane: &Lane, part: Part) -> Mask {
        let mut open = self.none();
        let Ends { from, to, .. } = Ends::of(part);
        for opening in union(openings) {
            let (opens, closes) = (minute_from(opening.start()), minute(opening.end()));
            open.set(opens - from..closes - to + 1);
        }
        for away in &lane.away {
            open.clear(blocked(*away, part));
        }
        open
    }

    /// The starts at which nothing is in the way, buffers included.
    fn free(&self, busy: &[Span], part: Part) -> Mask {
        let mut free = self.none();
        free.set(self.minutes.clone());
        for busy in busy {
            free.clear(blocked(*busy, part));
        }
        free
    }

    /// The starts that are offered: in steps from each opening, and without a gap beside
    /// what is taken where the service wants that.
    fn grid(&self, openings: &[Span], busy: &[Span], service: &Service) -> Mask {
        let mut grid = self.none();
        let step = service.step.as_mins().max(1);
        for opening in openings {
            let (opens, closes) = (minute_from(opening.start()), minute_from(opening.end()));
            let skipped = (self.minutes.start - opens).max(0);
            let mut start = opens + (skipped + step - 1) / step * step;
            while start < closes.min(self.minutes.end) {
                grid.set(start..start + 1);
                start += step;
            }
        }
        if service.fills_gaps {
            let Ends {
                from,
                to,
                before,
                after,
            } = Ends::of(service.whole());
            for busy in busy {
                let follows = minute_from(busy.end()) + before - from;
                let precedes = minute(busy.start()) - after - to;
                grid.set(follows..follows + 1);
                grid.set(precedes..precedes + 1);
            }
        }
        grid
    }
}

/// A part in minutes.
struct Ends {
    from: i64,
    to: i64,
    before: i64,
    after: i64,
}

impl Ends {
    fn of(part: Part) -> Self {
        Self {
            from: part.from.as_mins(),
            to: part.to.as_mins(),
            before: part.before.as_mins(),
            after: part.after.as_mins(),
        }
    }
}

/// The starts of visits whose part, with its buffers, would overlap `taken`.
fn blocked(taken: Span, part: Part) -> Range<i64> {
    let Ends {
        from,
        to,
        before,
        after,
    } = Ends::of(part);
    let (begins, ends) = (minute(taken.start()), minute_from(taken.end()));
    begins - to - after + 1..ends - from + before
}

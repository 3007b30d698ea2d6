//! What a visit is given with: people, and rooms and equipment out of pools. And the
//! classes that take place already, with their seats.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::hours::Hours;
use crate::quota::Quota;
use crate::service::{Part, Service};
use crate::span::Span;

/// One unit that does one thing at a time: a person, a room, a device.
#[derive(Debug, Clone, Default)]
pub struct Lane {
    /// When it works.
    pub hours: Hours,
    /// When it is away, whatever the hours say: leave, repair. In any order; may overlap.
    pub away: Vec<Span>,
    /// When it is taken, buffers included. In any order; may overlap.
    pub busy: Vec<Span>,
    /// How many may be booked with this person; of a room nobody counts.
    pub quota: Quota,
}

/// So many lanes of one pool. No lane is in two pools.
#[derive(Debug, Clone)]
pub struct Need {
    /// How many at once.
    pub quantity: usize,
    /// The part of the visit for which they are needed; none means as long as the person.
    pub part: Option<Part>,
    /// All that there are.
    pub pool: Vec<Lane>,
}

/// A class that somebody has booked or the business has planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Class {
    /// When it begins.
    pub start: Timestamp,
    /// Seats that nobody has.
    pub seats_left: u16,
}

/// Everything that a service can be given with around the days that are asked about.
#[derive(Debug, Clone)]
pub struct Supply {
    /// The provider's zone.
    pub zone: TimeZone,
    /// Those who give it; any one of them will do.
    pub people: Vec<Lane>,
    /// What else each visit needs; all of it.
    pub needs: Vec<Need>,
    /// Its classes with one of these people.
    pub classes: Vec<Class>,
    /// How many may book the service.
    pub quota: Quota,
}

/// The days that are asked about, both included, in the provider's zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The first day.
    pub from: Date,
    /// The last day.
    pub to: Date,
}

impl Need {
    /// The part of a visit to `service` for which its lanes are needed.
    pub fn part_of(&self, service: &Service) -> Part {
        self.part.unwrap_or_else(|| service.whole())
    }
}

impl Supply {
    /// How many more may book a visit that begins at `start`, as far as that is limited.
    pub(crate) fn left(&self, start: Timestamp) -> u16 {
        if self.quota.limit.is_set() {
            self.quota.left(self.zone.to_datetime(start).date())
        } else {
            u16::MAX
        }
    }

    /// Whether as many have booked on `date` as may.
    pub(crate) fn is_full(&self, date: Date) -> bool {
        let mut people = self.people.iter();
        self.quota.is_full(date)
            || (!self.people.is_empty() && people.all(|person| person.quota.is_full(date)))
    }
}

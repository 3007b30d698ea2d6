//! The free times of a service as the desk chooses from them: with whom, a week of days, and
//! the times of one of them. Notice does not bind the desk.

use jiff::ToSpan as _;
use jiff::civil::Date;
use uuid::Uuid;

use super::Desk;
use crate::crew::{Crew, Who};
use crate::desk::Offer;
use crate::error::Fault;
use crate::pages::times::Further;
use crate::pages::week::{self, PartOfDay, TimeChoice, Week};
use crate::pages::words;
use crate::quota::Moved;
use crate::store;

/// How many of the next free times are shown where the chosen day has none.
const SOONEST_MAX: usize = 3;

/// A service as the desk books it.
pub(super) struct DeskOffer {
    pub(super) offer: Offer,
    /// Who gives it, as (id, name).
    pub(super) people: Vec<(Uuid, String)>,
    /// The booking that is to be moved, where one is.
    moved: Option<Moved>,
}

impl DeskOffer {
    pub(super) async fn find(desk: &Desk, service: &str) -> Result<Self, Fault> {
        let offer = Offer::find(&desk.app, &desk.member.business.slug, service).await?;
        Self::of(desk, offer, None).await
    }

    pub(super) async fn of_booking(desk: &Desk, booking: Uuid) -> Result<Self, Fault> {
        let mut transaction = desk.begin().await?;
        let standing = store::booking::lock(&mut transaction, booking).await?;
        transaction.rollback().await?;
        let standing = standing.ok_or(Fault::NotFound)?;
        let slug = &desk.member.business.slug;
        let offer = Offer::by_id(&desk.app, slug, standing.service).await?;
        let moved = Moved {
            start: standing.start,
            staff: standing.staff,
        };
        Self::of(desk, offer, Some(moved)).await
    }

    async fn of(desk: &Desk, mut offer: Offer, moved: Option<Moved>) -> Result<Self, Fault> {
        offer.service.row.notice_minutes = 0;
        let only = desk.only()?;
        let mut transaction = desk.begin().await?;
        let crew = Crew::read(&mut transaction, offer.service.row.id, Who::Anyone).await?;
        transaction.rollback().await?;
        let mut people = crew.people;
        people.retain(|person| only.is_none_or(|only| person.staff_id == only));
        let people = people
            .into_iter()
            .map(|person| (person.staff_id, person.name));
        Ok(Self {
            offer,
            people: people.collect(),
            moved,
        })
    }

    /// Who is wanted, as far as they give it and the member keeps their calendar.
    pub(super) fn who(&self, desk: &Desk, staff: &str) -> Result<Who, Fault> {
        if let Some(only) = desk.only()? {
            return Ok(Who::Only(only));
        }
        let gives = |id: &Uuid| self.people.iter().any(|(person, _)| person == id);
        Ok(match Who::parse(staff) {
            Some(Who::Only(id)) if gives(&id) => Who::Only(id),
            _ => Who::Anyone,
        })
    }
}

/// Somebody to choose.
pub(super) struct Person {
    pub(super) id: Uuid,
    pub(super) name: String,
    pub(super) is_chosen: bool,
}

/// The times to choose from.
pub(super) struct Slots {
    /// Where the days lead to; the day comes after it.
    pub(super) days_at: String,
    pub(super) week: Week,
    pub(super) day: Date,
    pub(super) day_name: String,
    pub(super) day_on: String,
    pub(super) parts: Vec<PartOfDay>,
    /// Whether as many have booked that day, or that week, as may.
    pub(super) day_is_full: bool,
    /// The next free times, where that day has none.
    pub(super) soonest: Vec<TimeChoice>,
    /// Where to go on looking, where nothing was found.
    pub(super) further: Option<Further>,
    pub(super) people: Vec<Person>,
    /// Whose times these are, as it is sent.
    pub(super) staff: String,
}

impl Slots {
    /// The times of `day`, or of the first one that has any.
    pub(super) async fn read(
        desk: &Desk,
        of: &DeskOffer,
        (staff, day): (&str, Option<Date>),
        address: &str,
    ) -> Result<Self, Fault> {
        let (language, zone) = (desk.language(), desk.zone());
        let who = of.who(desk, staff)?;
        let openings = desk.app.openings(&of.offer, who).await?.moving(of.moved);
        let next = openings.soonest(SOONEST_MAX, day).await?;
        let soonest = next.free;
        let (today, last) = (openings.today, openings.last);
        let first = soonest.first().map(|free| of.offer.day(free.start));
        let day = day.or(first).unwrap_or(today).clamp(today, last);
        let monday = week::monday_of(day);
        let known = openings
            .days(monday, monday.saturating_add(6.days()))
            .await?;
        let staff = match who {
            Who::Anyone => String::new(),
            Who::Only(id) => id.to_string(),
        };
        let parts = week::parts(language, &known.free, day, zone);
        let people = of.people.iter().map(|(id, name)| Person {
            id: *id,
            name: name.clone(),
            is_chosen: who == Who::Only(*id),
        });
        Ok(Self {
            days_at: format!("{address}staff={staff}&day="),
            week: week::week(language, &known, day, &(today..=last), zone),
            day,
            day_name: words::day_name(language, day),
            day_on: words::day_on(language, day),
            day_is_full: known.full.contains(&day),
            soonest: if parts.is_empty() {
                week::choices(language, soonest.iter(), zone)
            } else {
                Vec::new()
            },
            further: if soonest.is_empty() {
                Further::of(language, next.further)
            } else {
                None
            },
            parts,
            people: people.collect(),
            staff,
        })
    }
}

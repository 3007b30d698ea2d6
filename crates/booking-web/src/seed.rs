//! The demonstration: three businesses with a month of bookings. The same on the same
//! day, whatever machine plants it; a database that has a business is left alone.

mod cast;
mod members;
mod rooms;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use booking::{DayRule, HolidayChoice, Hours, Minute, Opening, Span};
use chassis::Random;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use sqlx::{Connection as _, PgConnection};
use uuid::Uuid;

use self::cast::{BUSINESSES, CUSTOMERS, HORIZON_DAYS};
use self::rooms::until;
use crate::store;
use crate::store::booking::{NewBooking, NewCustomer};
use crate::store::claim::Holder;
use crate::store::seed::{NewBusiness, NewService};

/// Any number: the demonstration follows from it and from the day.
const SEED: u64 = 20_261_124;
/// A month: some bookings lie behind, most ahead.
const DAYS_BEHIND: i64 = 7;
const DAYS_AHEAD: i64 = 23;
/// Of the times that somebody could take, one in so many is booked.
const ONE_IN: u64 = 3;

/// What became of the demonstration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Planted {
    /// It is there now, with so many bookings.
    Now {
        /// How many.
        bookings: u32,
    },
    /// There were businesses before.
    Before,
}

/// One person who gives services, as written.
struct Person {
    staff: Uuid,
    lane: Uuid,
    hours: Hours,
}

/// The lanes of a pool, and from and to which minute of the visit one of them is needed.
type Needed = (Vec<Uuid>, Option<(i32, i32)>);

/// A service as written, with what it needs beside a person.
struct Given<'a> {
    new: NewService<'a>,
    needs: Vec<Needed>,
}

/// Plants the demonstration around `now`, all of it or nothing.
pub(crate) async fn plant(
    connection: &mut PgConnection,
    now: Timestamp,
) -> anyhow::Result<Planted> {
    let mut transaction = connection.begin().await.context("beginning to plant")?;
    store::seed::lock(&mut transaction).await?;
    if !store::business::all(&mut transaction).await?.is_empty() {
        return Ok(Planted::Before);
    }
    let mut planter = Planter {
        connection: &mut transaction,
        random: Random::seeded(SEED),
        now,
        bookings: 0,
    };
    let password = planter.password()?;
    for business in BUSINESSES {
        planter
            .business(business, &password)
            .await
            .with_context(|| format!("planting {}", business.name))?;
    }
    let bookings = planter.bookings;
    transaction.commit().await.context("ending to plant")?;
    Ok(Planted::Now { bookings })
}

struct Planter<'a> {
    connection: &'a mut PgConnection,
    random: Random,
    now: Timestamp,
    bookings: u32,
}

impl Planter<'_> {
    fn id(&self) -> Uuid {
        self.random.uuid(self.now)
    }

    async fn business(&mut self, cast: &cast::Business, password: &str) -> anyhow::Result<()> {
        let zone = TimeZone::get(cast::ZONE).context("reading a time zone")?;
        let new = NewBusiness {
            id: self.id(),
            location: self.id(),
            slug: cast.slug,
            name: cast.name,
            about: Some(cast.about),
            zone: cast::ZONE,
            cancel_limit_minutes: cast.cancel_limit_minutes,
            place: cast.place,
            address: cast.address,
            now: self.now,
        };
        store::scope(self.connection, new.id).await?;
        store::seed::business(self.connection, &new).await?;
        if let Some(terms) = cast.terms {
            let id = self.id();
            store::policy::set(self.connection, id, new.id, None, terms).await?;
        }
        let today = self.now.to_zoned_datetime(zone.clone()).date();
        let early = self.days_that_differ(&new, cast, today).await?;
        let mut people = Vec::new();
        for person in cast.staff {
            people.push(self.person(&new, person, &zone, early).await?);
        }
        let mut services = Vec::new();
        for service in cast.services {
            services.push(self.service(&new, service, &people).await?);
        }
        self.pools(&new, cast, &mut services).await?;
        self.members(new.id, cast, &people, password).await?;
        for (service, cast) in services.iter().zip(cast.services) {
            self.classes(&new, &zone, service, cast, &people).await?;
        }
        for (index, person) in people.iter().enumerate() {
            let given: Vec<_> = services
                .iter()
                .zip(cast.services)
                .filter(|(_, cast)| cast.by.contains(&index) && cast.seats == 1)
                .map(|(service, _)| service)
                .collect();
            self.diary(&new, &zone, person, &given).await?;
        }
        Ok(())
    }

    async fn person(
        &mut self,
        business: &NewBusiness<'_>,
        cast: &cast::Person,
        zone: &TimeZone,
        early: Option<(Date, i16)>,
    ) -> anyhow::Result<Person> {
        let (staff, lane) = (self.id(), self.id());
        let ids = (staff, lane);
        store::seed::staff(
            self.connection,
            business.id,
            business.location,
            ids,
            cast.name,
        )
        .await?;
        let mut weekly = Vec::new();
        for (weekday, opens, closes) in cast.hours() {
            let (id, minutes) = (self.id(), (opens, closes));
            let number = i16::from(weekday.to_monday_one_offset());
            store::seed::opening(self.connection, id, business.id, lane, number, minutes).await?;
            let minute = |m: i16| Minute::new(u16::try_from(m).ok()?);
            let opening = minute(opens).zip(minute(closes));
            let opening = opening.and_then(|(opens, closes)| Opening::new(opens, closes));
            weekly.push((
                weekday,
                opening.context("hours that close before they open")?,
            ));
        }
        let holidays = self.holidays(zone).into_iter();
        let mut exceptions: BTreeMap<_, _> = holidays.map(|day| (day, DayRule::Closed)).collect();
        let half_day = self.half_day(business.id, lane, cast, zone).await?;
        for (date, closes) in early.into_iter().chain(half_day) {
            exceptions.insert(date, until(closes));
        }
        let hours = Hours { weekly, exceptions };
        Ok(Person { staff, lane, hours })
    }

    /// Public holidays in the month that is planted: everybody is closed.
    fn holidays(&self, zone: &TimeZone) -> BTreeSet<Date> {
        let today = self.now.to_zoned_datetime(zone.clone()).date();
        let first = today.saturating_sub(DAYS_BEHIND.days());
        let last = today.saturating_add(DAYS_AHEAD.days());
        let choice = HolidayChoice {
            keeps: true,
            ..HolidayChoice::default()
        };
        choice.closed(first, last)
    }

    async fn service<'b>(
        &mut self,
        business: &NewBusiness<'_>,
        cast: &'b cast::Service,
        people: &[Person],
    ) -> anyhow::Result<Given<'b>> {
        let new = NewService {
            id: self.id(),
            business: business.id,
            slug: cast.slug,
            name: cast.name,
            about: Some(cast.about),
            duration_minutes: cast.minutes,
            after_minutes: cast.after_minutes,
            step_minutes: cast.step_minutes,
            notice_minutes: cast.notice_minutes,
            horizon_days: HORIZON_DAYS,
            price_cents: cast.rand * 100,
            capacity: cast.seats,
            only_planned: !cast.planned.is_empty(),
        };
        store::seed::service(self.connection, &new).await?;
        for index in cast.by {
            let person = people.get(*index).context("a service by nobody")?;
            store::seed::gives(self.connection, business.id, new.id, person.staff).await?;
        }
        let needs = Vec::new();
        Ok(Given { new, needs })
    }

    /// A month of one person: now and then a visit, as it comes.
    async fn diary(
        &mut self,
        business: &NewBusiness<'_>,
        zone: &TimeZone,
        person: &Person,
        services: &[&Given<'_>],
    ) -> anyhow::Result<()> {
        let today = self.now.to_zoned_datetime(zone.clone()).date();
        let (from, to) = (
            today.saturating_sub(DAYS_BEHIND.days()),
            today.saturating_add(DAYS_AHEAD.days()),
        );
        for opening in person.hours.open(zone, from, to) {
            let mut free_from = opening.start();
            while let Some(service) = self.pick(services) {
                let Some((visit, next)) = visit(&service.new, free_from, opening) else {
                    break;
                };
                if self.random.below(ONE_IN) == 0 {
                    let id = self.id();
                    let holder = Holder::Booking(id);
                    if self
                        .take(business.id, holder, person, service, visit)
                        .await?
                    {
                        self.booking(business, zone, person, &service.new, visit, id)
                            .await?;
                    }
                }
                free_from = next;
            }
        }
        Ok(())
    }

    fn pick<T: Copy>(&self, items: &[T]) -> Option<T> {
        let count = u64::try_from(items.len()).unwrap_or(0);
        items
            .get(usize::try_from(self.random.below(count)).ok()?)
            .copied()
    }

    async fn booking(
        &mut self,
        business: &NewBusiness<'_>,
        zone: &TimeZone,
        person: &Person,
        service: &NewService<'_>,
        visit: Span,
        id: Uuid,
    ) -> anyhow::Result<()> {
        let name = self.pick(CUSTOMERS).context("nobody comes")?;
        let email = format!("{}@example.com", name.to_lowercase().replace(' ', "."));
        let customer = self.id();
        let made = self
            .now
            .min(visit.start())
            .checked_sub(SignedDuration::from_hours(48))?;
        let customer = store::booking::customer(
            self.connection,
            customer,
            business.id,
            &NewCustomer {
                name,
                email: &email,
                phone: None,
                locale: None,
            },
            made,
        )
        .await?;
        let local_start = zone.to_datetime(visit.start()).to_string();
        let new = NewBooking {
            id,
            business: business.id,
            service: service.id,
            staff: person.staff,
            customer: Some(customer),
            customer_zone: None,
            state: booking::State::Confirmed,
            start: visit.start(),
            end: visit.end(),
            zone: business.zone,
            local_start: &local_start,
            price_cents: service.price_cents,
            currency: "ZAR",
            plain_terms: None,
            series: None,
            note: None,
            booked_as: Some((name, None)),
            locale: None,
            hold_until: None,
            wanted_staff: None,
            source: "online",
            actor: booking::Actor::Customer,
            link_hash: None,
            now: made,
        };
        store::booking::insert(self.connection, &new).await?;
        let audit = self.id();
        let (actor, action) = ("customer", "booking.confirmed");
        store::record::audit(self.connection, audit, business.id, actor, action, id, made).await?;
        self.bookings += 1;
        Ok(())
    }
}

/// The visit that begins at `from` and when the next one can begin; none where the day
/// is over by then.
fn visit(service: &NewService<'_>, from: Timestamp, opening: Span) -> Option<(Span, Timestamp)> {
    let minutes = |m: i32| SignedDuration::from_mins(i64::from(m));
    let end = from.checked_add(minutes(service.duration_minutes)).ok()?;
    let visit = Span::new(from, end).filter(|visit| opening.contains(*visit))?;
    let ready = end.checked_add(minutes(service.after_minutes)).ok()?;
    // The next visit begins at a time that is offered.
    let step = i64::from(service.step_minutes.max(1)) * 60;
    let passed = ready.duration_since(opening.start()).as_secs();
    let steps = (passed + step - 1) / step;
    let next = opening
        .start()
        .checked_add(SignedDuration::from_secs(steps * step))
        .ok()?;
    Some((visit, next))
}

//! Calendars that other programs read (RFC 5545), at secret addresses: of one of the staff,
//! or of a whole business. They show no notes, and of customers no more than was chosen.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, LAST_MODIFIED};
use http::{HeaderMap, HeaderValue, StatusCode};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::account::token_hash;
use crate::address::Path;
use crate::app::App;
use crate::calendar::{escape, fold, stamp};
use crate::error::Fault;
use crate::etag::Tag;
use crate::store::feed::{self, Feed, Visit};
use crate::store::privacy::Viewer;
use crate::store::{self, instant, stored};

const BEHIND: SignedDuration = SignedDuration::from_hours(24 * 31);
const AHEAD: SignedDuration = SignedDuration::from_hours(24 * 366);

/// How a calendar names customers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Names {
    /// "Thandi N."
    Short,
    /// "T. N."
    Initials,
    None,
}

impl Names {
    pub(crate) const ALL: [Self; 3] = [Self::Short, Self::Initials, Self::None];

    /// Its name in the database and for programs.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Short => "short",
            Self::Initials => "initials",
            Self::None => "none",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|names| names.as_str() == name)
    }

    /// A name as far as it is shown.
    fn of(self, name: &str) -> Option<String> {
        let mut words = name.split_whitespace();
        let first = words.next()?;
        let initial = |word: &str| word.chars().next().map(|c| format!("{c}."));
        let last = words.next_back().and_then(initial);
        let first = match self {
            Self::Short => first.to_owned(),
            Self::Initials => initial(first)?,
            Self::None => return None,
        };
        Some(
            [Some(first), last]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(" "),
        )
    }
}

/// Answers `GET /feeds/{token}.ics`.
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    Path(file): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    let token = file.strip_suffix(".ics").ok_or(Fault::NotFound)?;
    let (name, names, visits) = app.feed(token).await?;
    let text = calendar(&name, names, &visits);
    let tag = Tag::of(text.as_bytes());
    let mut response = if tag.is_known(&headers) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(CONTENT_TYPE, "text/calendar; charset=utf-8")], text).into_response()
    };
    let (etag, value) = tag.header();
    let kept = response.headers_mut();
    kept.insert(etag, value);
    kept.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    let changed = visits.iter().map(|visit| visit.changed_at).max();
    if let Some(date) = changed.and_then(|at| http_date(instant(at))) {
        kept.insert(LAST_MODIFIED, date);
    }
    Ok(response)
}

fn http_date(at: Timestamp) -> Option<HeaderValue> {
    let date = at.to_zoned_datetime(jiff::tz::TimeZone::UTC);
    HeaderValue::try_from(date.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()).ok()
}

impl App {
    /// The calendar at a secret address: what it is called, and what stands in it.
    async fn feed(&self, token: &str) -> Result<(String, Names, Vec<Visit>), Fault> {
        let hash = token_hash(token);
        let now = self.clock.now();
        let mut transaction = store::begin_unscoped(&self.appointments.pool).await?;
        store::account::hold(&mut transaction, &hash).await?;
        let found = feed::find(&mut transaction, &hash).await?;
        let found = found.ok_or(Fault::NotFound)?;
        store::scope(&mut transaction, found.business_id).await?;
        let business = store::business::by_id(&mut transaction, found.business_id).await?;
        let business = business.ok_or(Fault::NotFound)?;
        let during = (
            now.checked_sub(BEHIND).unwrap_or(now),
            now.checked_add(AHEAD).unwrap_or(now),
        );
        let visits = feed::visits(&mut transaction, found.staff_id, during).await?;
        let names = Names::parse(&found.names).unwrap_or(Names::None);
        if names != Names::None {
            let shown: Vec<_> = visits.iter().filter_map(|v| v.customer_id).collect();
            let viewer = Viewer::Program(found.id);
            self.shown_to(&mut transaction, found.business_id, viewer, &shown)
                .await?;
        }
        transaction.commit().await?;
        Ok((business.name, names, visits))
    }

    /// The calendars of a business, also those that were revoked.
    pub(crate) async fn feeds(&self, business: Uuid) -> Result<Vec<Feed>, Fault> {
        let mut transaction = store::begin(&self.appointments.pool, business).await?;
        let feeds = feed::all(&mut transaction).await?;
        transaction.rollback().await?;
        Ok(feeds)
    }

    /// Makes a calendar; none where the business has nobody of that id. Who may do so is
    /// checked before; `by` is the account or the key of who does.
    pub(crate) async fn make_feed(
        &self,
        business: Uuid,
        staff: Option<Uuid>,
        names: Names,
        by: Uuid,
    ) -> Result<Option<(Uuid, String)>, Fault> {
        let now = self.clock.now();
        let token = self.random.token();
        let new = Feed {
            id: self.random.uuid(now),
            business_id: business,
            staff_id: staff,
            names: names.as_str().to_owned(),
            created_at: stored(now),
            revoked_at: None,
        };
        let mut transaction = store::begin(&self.appointments.pool, business).await?;
        if !feed::insert(&mut transaction, &new, &token_hash(&token)).await? {
            return Ok(None);
        }
        self.note(&mut transaction, business, by, ("feed.made", new.id))
            .await?;
        transaction.commit().await?;
        Ok(Some((new.id, format!("/feeds/{token}.ics"))))
    }

    /// Revokes a calendar; revoking again changes nothing.
    pub(crate) async fn revoke_feed(
        &self,
        business: Uuid,
        id: Uuid,
        by: Uuid,
    ) -> Result<(), Fault> {
        let mut transaction = store::begin(&self.appointments.pool, business).await?;
        let feeds = feed::all(&mut transaction).await?;
        if !feeds.iter().any(|feed| feed.id == id) {
            return Err(Fault::NotFound);
        }
        if feed::revoke(&mut transaction, id, self.clock.now()).await? {
            self.note(&mut transaction, business, by, ("feed.revoked", id))
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}

/// The file's text, with CRLF and folded lines. The same visits are the same text.
fn calendar(name: &str, names: Names, visits: &[Visit]) -> String {
    let mut lines = vec![
        "BEGIN:VCALENDAR".to_owned(),
        "VERSION:2.0".to_owned(),
        "PRODID:-//Booking//Booking//EN".to_owned(),
        "CALSCALE:GREGORIAN".to_owned(),
        "METHOD:PUBLISH".to_owned(),
        format!("X-WR-CALNAME:{}", escape(name)),
        "REFRESH-INTERVAL;VALUE=DURATION:PT15M".to_owned(),
        "X-PUBLISHED-TTL:PT15M".to_owned(),
    ];
    for visit in visits {
        let customer = visit.customer.as_deref().and_then(|name| names.of(name));
        let words = [
            Some(visit.service.clone()),
            customer,
            Some(visit.staff.clone()),
        ];
        let summary = words.into_iter().flatten().collect::<Vec<_>>().join(", ");
        lines.extend([
            "BEGIN:VEVENT".to_owned(),
            format!("UID:{}@appointmentbooking.co.za", visit.id),
            format!("DTSTAMP:{}", stamp(instant(visit.changed_at))),
            format!("DTSTART:{}", stamp(instant(visit.starts_at))),
            format!("DTEND:{}", stamp(instant(visit.ends_at))),
            format!("SEQUENCE:{}", visit.version.saturating_sub(1)),
            format!("SUMMARY:{}", escape(&summary)),
            format!("LOCATION:{}", escape(&visit.place)),
            "STATUS:CONFIRMED".to_owned(),
            "END:VEVENT".to_owned(),
        ]);
    }
    lines.push("END:VCALENDAR".to_owned());
    lines.iter().map(|line| fold(line)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_shown_as_far_as_was_chosen() {
        for (names, name, shown) in [
            (Names::Short, "Thandi Zanele Nkosi", Some("Thandi N.")),
            (Names::Initials, "Thandi Nkosi", Some("T. N.")),
            (Names::Short, "Sipho", Some("Sipho")),
            (Names::Initials, "Émile", Some("É.")),
            (Names::None, "Thandi Nkosi", None),
        ] {
            assert_eq!(names.of(name).as_deref(), shown, "{name}");
        }
    }

    #[test]
    fn a_calendar_is_whole_and_its_lines_are_folded() {
        let at = |text: &str| stored(text.parse().unwrap());
        let visit = Visit {
            id: Uuid::from_u128(7),
            version: 3,
            starts_at: at("2027-03-24T07:30:00Z"),
            ends_at: at("2027-03-24T08:15:00Z"),
            changed_at: at("2027-03-01T08:00:00Z"),
            service: "Cut, wash".into(),
            staff: "Sipho Dlamini".into(),
            customer_id: None,
            customer: Some("Thandi Nkosi".into()),
            place: "é".repeat(80),
        };
        let text = calendar("Karoo; Cuts", Names::Short, &[visit.clone(), visit]);
        assert!(text.contains("X-WR-CALNAME:Karoo\\; Cuts\r\n"));
        assert!(text.contains("SUMMARY:Cut\\, wash\\, Thandi N.\\, Sipho Dlamini\r\n"));
        assert!(text.contains("SEQUENCE:2\r\n") && !text.contains("Nkosi"));
        assert_eq!(text.matches("\r\nEND:VEVENT\r\n").count(), 2);
        assert!(text.ends_with("END:VCALENDAR\r\n"));
        assert!(text.split("\r\n").all(|line| line.len() <= 75));
    }
}

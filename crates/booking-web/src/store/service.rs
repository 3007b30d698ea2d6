//! Services of the business in scope, and who gives them.

use sqlx::PgConnection;
use uuid::Uuid;

/// A service as it is stored.
#[derive(Debug, Clone)]
pub(crate) struct Service {
    pub(crate) id: Uuid,
    pub(crate) slug: String,
    pub(crate) name: String,
    pub(crate) about: Option<String>,
    pub(crate) duration_minutes: i32,
    pub(crate) before_minutes: i32,
    pub(crate) after_minutes: i32,
    pub(crate) step_minutes: i32,
    pub(crate) notice_minutes: i32,
    pub(crate) horizon_days: i32,
    pub(crate) price_cents: i64,
    /// How many can book one visit.
    pub(crate) capacity: i32,
    pub(crate) fills_gaps: bool,
    /// Whether it takes place only where the business has planned it.
    pub(crate) only_planned: bool,
    /// How many may book it in a day and in a week.
    pub(crate) day_max: Option<i16>,
    pub(crate) week_max: Option<i16>,
}

/// Somebody who gives a service, with the lane that is claimed.
#[derive(Debug, Clone)]
pub(crate) struct Giver {
    pub(crate) staff_id: Uuid,
    pub(crate) name: String,
    pub(crate) location_id: Uuid,
    pub(crate) lane_id: Uuid,
    pub(crate) lane_version: i64,
    /// How many may be booked with them in a day and in a week, whatever the service.
    pub(crate) day_max: Option<i16>,
    pub(crate) week_max: Option<i16>,
    /// Whether the service needs something besides people.
    pub(crate) has_needs: bool,
}

impl Service {
    /// By day and by week.
    pub(crate) fn limits(&self) -> (Option<i16>, Option<i16>) {
        (self.day_max, self.week_max)
    }
}

impl Giver {
    /// By day and by week.
    pub(crate) fn limits(&self) -> (Option<i16>, Option<i16>) {
        (self.day_max, self.week_max)
    }
}

/// A lane of a pool that a service needs. A need whose pool is empty has no lane.
#[derive(Debug, Clone)]
pub(crate) struct NeedLane {
    pub(crate) need_id: Uuid,
    pub(crate) quantity: i16,
    pub(crate) from_minutes: Option<i32>,
    pub(crate) to_minutes: Option<i32>,
    pub(crate) location_id: Uuid,
    pub(crate) lane_id: Option<Uuid>,
    pub(crate) lane_version: Option<i64>,
}

pub(crate) async fn all(connection: &mut PgConnection) -> sqlx::Result<Vec<Service>> {
    sqlx::query_as!(
        Service,
        "select id, slug, name, about, duration_minutes, before_minutes, after_minutes,
                step_minutes, notice_minutes, horizon_days, price_cents, capacity, fills_gaps,
                only_planned, day_max, week_max
         from service where is_active order by name limit 200"
    )
    .fetch_all(connection)
    .await
}

pub(crate) async fn by_slug(
    connection: &mut PgConnection,
    slug: &str,
) -> sqlx::Result<Option<Service>> {
    sqlx::query_as!(
        Service,
        "select id, slug, name, about, duration_minutes, before_minutes, after_minutes,
                step_minutes, notice_minutes, horizon_days, price_cents, capacity, fills_gaps,
                only_planned, day_max, week_max
         from service where is_active and slug = $1",
        slug
    )
    .fetch_optional(connection)
    .await
}

/// The service of an address, also one that is offered no longer.
pub(crate) async fn ever_named(
    connection: &mut PgConnection,
    slug: &str,
) -> sqlx::Result<Option<Service>> {
    sqlx::query_as!(
        Service,
        "select id, slug, name, about, duration_minutes, before_minutes, after_minutes,
                step_minutes, notice_minutes, horizon_days, price_cents, capacity, fills_gaps,
                only_planned, day_max, week_max
         from service where slug = $1",
        slug
    )
    .fetch_optional(connection)
    .await
}

/// Also one that is offered no longer.
pub(crate) async fn by_id(
    connection: &mut PgConnection,
    id: Uuid,
) -> sqlx::Result<Option<Service>> {
    sqlx::query_as!(
        Service,
        "select id, slug, name, about, duration_minutes, before_minutes, after_minutes,
                step_minutes, notice_minutes, horizon_days, price_cents, capacity, fills_gaps,
                only_planned, day_max, week_max
         from service where id = $1",
        id
    )
    .fetch_optional(connection)
    .await
}

/// Those who give a service, in the order of their ids.
pub(crate) async fn givers(
    connection: &mut PgConnection,
    service: Uuid,
) -> sqlx::Result<Vec<Giver>> {
    sqlx::query_as!(
        Giver,
        r#"select staff.id as staff_id, staff.name, staff.location_id, lane.id as lane_id,
                lane.version as lane_version, staff.day_max, staff.week_max,
                (select exists (select from service_need where service_id = $1)) as "has_needs!"
         from service_staff
         join staff on staff.id = service_staff.staff_id and staff.is_active
         join lane on lane.id = staff.lane_id
         where service_staff.service_id = $1
         order by staff.id"#,
        service
    )
    .fetch_all(connection)
    .await
}

/// What else a service needs, with the lanes that will do, need by need.
pub(crate) async fn needs(
    connection: &mut PgConnection,
    service: Uuid,
) -> sqlx::Result<Vec<NeedLane>> {
    sqlx::query_as!(
        NeedLane,
        r#"select need.id as need_id, need.quantity, need.from_minutes, need.to_minutes,
                pool.location_id, lane.id as "lane_id?", lane.version as "lane_version?"
         from service_need as need
         join pool on pool.id = need.pool_id
         left join lane on lane.pool_id = pool.id and lane.is_active
         where need.service_id = $1
         order by need.id, lane.id"#,
        service
    )
    .fetch_all(connection)
    .await
}

//! Rooms and devices of the business in scope, in pools of which any unit will do, and how
//! many of them a service needs.

use sqlx::PgConnection;
use uuid::Uuid;

/// Rooms or devices of a kind.
#[derive(Debug, Clone)]
pub(crate) struct Pool {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) place: String,
}

/// A room or a device.
#[derive(Debug, Clone)]
pub(crate) struct Unit {
    pub(crate) lane: Uuid,
    pub(crate) pool: Uuid,
    pub(crate) name: String,
    pub(crate) is_active: bool,
}

pub(crate) async fn all(connection: &mut PgConnection) -> sqlx::Result<Vec<Pool>> {
    sqlx::query_as!(
        Pool,
        "select pool.id, pool.name, location.name as place
         from pool join location on location.id = pool.location_id
         order by pool.name, pool.id limit 200"
    )
    .fetch_all(connection)
    .await
}

/// The units of every pool, those that are out of use last.
pub(crate) async fn units(connection: &mut PgConnection) -> sqlx::Result<Vec<Unit>> {
    sqlx::query_as!(
        Unit,
        r#"select id as lane, pool_id as "pool!", coalesce(name, '') as "name!", is_active
         from lane where pool_id is not null order by is_active desc, name, id limit 1000"#
    )
    .fetch_all(connection)
    .await
}

pub(crate) async fn insert(
    connection: &mut PgConnection,
    id: Uuid,
    business: Uuid,
    location: Uuid,
    name: &str,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into pool (id, business_id, location_id, name) values ($1, $2, $3, $4)",
        id,
        business,
        location,
        name
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Adds a unit to a pool. `false` where there is no such pool.
pub(crate) async fn add(
    connection: &mut PgConnection,
    lane: Uuid,
    pool: Uuid,
    name: &str,
) -> sqlx::Result<bool> {
    let added = sqlx::query!(
        "insert into lane (id, business_id, kind, pool_id, name)
         select $1, business_id, 'room', id, $3 from pool where id = $2",
        lane,
        pool,
        name
    )
    .execute(connection)
    .await?;
    Ok(added.rows_affected() == 1)
}

/// Takes a unit out of use, or into it again. `false` where there is no such unit.
pub(crate) async fn employ(
    connection: &mut PgConnection,
    lane: Uuid,
    is_active: bool,
) -> sqlx::Result<bool> {
    let changed = sqlx::query!(
        "update lane set is_active = $2, version = version + 1
         where id = $1 and pool_id is not null",
        lane,
        is_active
    )
    .execute(connection)
    .await?;
    Ok(changed.rows_affected() == 1)
}

/// How many of which pool a service needs.
pub(crate) async fn needs(
    connection: &mut PgConnection,
    service: Uuid,
) -> sqlx::Result<Vec<(Uuid, i16)>> {
    let rows = sqlx::query!(
        "select pool_id, quantity from service_need where service_id = $1",
        service
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.pool_id, row.quantity))
        .collect())
}

/// Says anew how many of which pool a service needs. For which part of the visit stays as
/// it is.
pub(crate) async fn set_needs(
    connection: &mut PgConnection,
    business: Uuid,
    service: Uuid,
    needs: &[(Uuid, Uuid, i16)],
) -> sqlx::Result<()> {
    let ids: Vec<Uuid> = needs.iter().map(|need| need.0).collect();
    let pools: Vec<Uuid> = needs.iter().map(|need| need.1).collect();
    let quantities: Vec<i16> = needs.iter().map(|need| need.2).collect();
    sqlx::query!(
        "delete from service_need where service_id = $1 and pool_id <> all($2)",
        service,
        &pools
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "insert into service_need (id, business_id, service_id, pool_id, quantity)
         select wanted.id, $1, $2, pool.id, wanted.quantity
         from unnest($3::uuid[], $4::uuid[], $5::smallint[]) as wanted(id, pool_id, quantity)
         join pool on pool.id = wanted.pool_id
         on conflict on constraint service_need_pool_unique
             do update set quantity = excluded.quantity",
        business,
        service,
        &ids,
        &pools,
        &quantities
    )
    .execute(connection)
    .await?;
    Ok(())
}

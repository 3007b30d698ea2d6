//! Nobody reaches a neighbour's rows, nor their pages: every table of the schema, as every
//! business, and under every setting that opens a window in the wall between them. A table
//! that the test cannot make a row of fails it, and so does a window that nobody explained.

use chassis::{Clock, Random};
use std::collections::BTreeSet;

use crate::site::{World, wish};
use reqwest::StatusCode;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection as _};
use uuid::Uuid;

/// What a column holds in the rows that the test makes, where a constraint wants more than
/// any value of its type.
const EXAMPLES: &[(&str, &str, &str)] = &[
    ("access_log", "action", "'saw'"),
    ("account", "state", "'active'"),
    ("account_link", "purpose", "'reset_password'"),
    ("account_password", "hash", "'$argon2id$'"),
    ("api_key", "prefix", "'bk_test0000'"),
    ("api_key", "scopes", "'{read:bookings}'"),
    ("block", "ends_at", "now() + interval '1 hour'"),
    ("block", "reason", "'leave'"),
    ("booking", "ends_at", "now() + interval '1 hour'"),
    ("booking", "hold_until", "now()"),
    ("booking", "state", "'held'"),
    ("business", "currency", "'ZAR'"),
    ("claim", "booking_id", "gen_random_uuid()"),
    ("consent", "purpose", "'marketing'"),
    ("invitation", "role", "'staff'"),
    ("lane", "kind", "'room'"),
    ("membership", "role", "'staff'"),
    ("opening", "closes", "2"),
    ("privacy_request", "channel", "'page'"),
    ("privacy_request", "due_at", "now() + interval '30 days'"),
    ("privacy_request", "kind", "'access'"),
    ("privacy_request", "state", "'asked'"),
    ("service", "duration_minutes", "30"),
    ("session", "state", "'signed_in'"),
    ("suppression", "channel", "'email'"),
    ("transition", "actor", "'customer'"),
];

/// Windows that are there on purpose: table, setting (empty: any), what can be done.
const WINDOWS: &[(&str, &str, &str, &str)] = &[
    (
        "business",
        "",
        "select",
        "what a business is called is public",
    ),
    (
        "transition",
        "",
        "select",
        "the rules of states are the same for everybody",
    ),
    (
        "booking",
        "sweeper",
        "select",
        "the sweeper looks for holds that have run out",
    ),
    (
        "outbox",
        "worker",
        "select, insert, update, delete",
        "a worker sends for everybody, and plans and forgets messages",
    ),
    (
        "timer",
        "worker",
        "select, insert, update, delete",
        "work that comes round again is nobody's business",
    ),
    (
        "idempotency_key",
        "worker",
        "select, delete",
        "keys that nobody repeats any more are removed",
    ),
    ("account_link", "retention", "select, delete", "links end"),
    ("session", "retention", "select, delete", "sign-ins end"),
    (
        "account_event",
        "retention",
        "select, delete",
        "what happened long ago is let go of",
    ),
    (
        "sign_in_failure",
        "retention",
        "select, delete",
        "failures are forgiven",
    ),
    ("request_count", "retention", "select, delete", "counts end"),
    (
        "passkey_challenge",
        "retention",
        "select, delete",
        "challenges end",
    ),
];

/// The settings that open a window, each as a value that belongs to nobody or to us.
const SETTINGS: &[(&str, &str, &str)] = &[
    ("sweeper", "booking.sweeper", "on"),
    ("worker", "booking.worker", "on"),
    ("retention", "booking.retention", "on"),
    ("token", "booking.token_hash", "00"),
    ("e-mail", "booking.email", "nobody@example.co.za"),
];

/// A business with one row in every table, and an account with one in each of its own.
struct Tenant {
    business: Uuid,
    account: Uuid,
    /// Each row as JSON, by table.
    rows: Vec<(String, String)>,
}

/// Any value of a type, another one each time.
fn any_value(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "uuid" => "gen_random_uuid()",
        "text" => "'a' || substr(md5(random()::text), 1, 12)",
        "int2" | "int4" | "int8" => "1",
        "bool" => "true",
        "bytea" => "sha256(gen_random_uuid()::text::bytea)",
        "timestamptz" => "now()",
        "date" => "current_date",
        "jsonb" => "'{}'",
        "tstzrange" => "tstzrange(now(), now() + interval '1 hour')",
        _ => return None,
    })
}

/// The expression for one column; none where the schema can do without.
fn value(table: &str, column: &str, kind: &str, is_needed: bool, of: &Tenant) -> Option<String> {
    match (table, column) {
        ("business", "id") | (_, "business_id") => return Some(format!("'{}'", of.business)),
        ("account", "id") | (_, "account_id") => return Some(format!("'{}'", of.account)),
        _ => {}
    }
    let example = EXAMPLES
        .iter()
        .find(|(t, c, _)| (*t, *c) == (table, column));
    if let Some((_, _, example)) = example {
        return Some((*example).to_owned());
    }
    if !is_needed {
        return None;
    }
    let any = any_value(kind);
    let any = any.unwrap_or_else(|| panic!("{table}.{column}: no value of type {kind} is known"));
    Some(any.to_owned())
}

fn new_id() -> Uuid {
    Random::system().uuid(Clock::system().now())
}

/// Makes a row in every table, as only somebody beside the application can.
async fn tenant(admin: &mut PgConnection) -> Tenant {
    let mut tenant = Tenant {
        business: new_id(),
        account: new_id(),
        rows: Vec::new(),
    };
    let columns: Vec<(String, String, String, bool)> = sqlx::query_as(
        "select table_name::text, column_name::text, udt_name::text,
                is_nullable = 'NO' and column_default is null
         from information_schema.columns
         where table_schema = 'public' and table_name <> '_sqlx_migrations'
         order by table_name, ordinal_position",
    )
    .fetch_all(&mut *admin)
    .await
    .unwrap();
    let tables: BTreeSet<_> = columns.iter().map(|(table, ..)| table.clone()).collect();
    for table in tables {
        let (mut names, mut values) = (Vec::new(), Vec::new());
        for (_, column, kind, is_needed) in columns.iter().filter(|(t, ..)| *t == table) {
            if let Some(value) = value(&table, column, kind, *is_needed, &tenant) {
                names.push(format!("\"{column}\""));
                values.push(value);
            }
        }
        let (names, values) = (names.join(", "), values.join(", "));
        let insert = format!(
            "insert into \"{table}\" ({names}) values ({values}) returning to_jsonb(\"{table}\")::text"
        );
        let row: String = sqlx::query_scalar(AssertSqlSafe(insert))
            .fetch_one(&mut *admin)
            .await
            .unwrap_or_else(|error| panic!("{table} needs a line in EXAMPLES: {error}"));
        tenant.rows.push((table, row));
    }
    tenant
}

/// Runs one statement in a transaction under `settings`, and takes it back.
async fn attempt(
    connection: &mut PgConnection,
    settings: &[(&str, String)],
    statement: &str,
    row: &str,
) -> Result<u64, String> {
    let mut transaction = connection.begin().await.unwrap();
    for (name, value) in settings {
        sqlx::query("select set_config($1, $2, true)")
            .bind(name)
            .bind(value)
            .execute(&mut *transaction)
            .await
            .unwrap();
    }
    let done = sqlx::query(AssertSqlSafe(statement.to_owned()))
        .bind(row)
        .execute(&mut *transaction)
        .await;
    transaction.rollback().await.unwrap();
    done.map(|done| done.rows_affected()).map_err(|error| {
        let code = error
            .as_database_error()
            .and_then(sqlx::error::DatabaseError::code);
        format!("{}: {error}", code.unwrap_or_default())
    })
}

/// What can be done to a row that is not ours: some of select, insert, update, delete.
async fn reached(
    connection: &mut PgConnection,
    settings: &[(&str, String)],
    table: &str,
    row: &str,
) -> Vec<&'static str> {
    let mut reached = Vec::new();
    let this = format!("to_jsonb(\"{table}\") = $1::jsonb");
    let column = {
        let row: serde_json::Value = serde_json::from_str(row).unwrap();
        row.as_object().unwrap().keys().next().unwrap().clone()
    };
    for (verb, statement) in [
        ("select", format!("select 1 from \"{table}\" where {this}")),
        (
            "update",
            format!("update \"{table}\" set \"{column}\" = \"{column}\" where {this}"),
        ),
        ("delete", format!("delete from \"{table}\" where {this}")),
    ] {
        match attempt(connection, settings, &statement, row).await {
            Ok(0) => {}
            // Where a trigger or another table stands against it, the row was reached.
            Ok(_) | Err(_) => reached.push(verb),
        }
    }
    let insert = format!(
        "insert into \"{table}\" select * from jsonb_populate_record(null::\"{table}\", $1::jsonb)"
    );
    match attempt(connection, settings, &insert, row).await {
        Err(refused) if refused.starts_with("42501") => {}
        // That such a row is there already is learned only by who may write it.
        Ok(_) | Err(_) => reached.push("insert"),
    }
    reached
}

#[tokio::test]
async fn every_table_is_closed_to_neighbours_under_every_setting() {
    let world = World::migrated().await;
    let mut admin = PgConnection::connect(&world.database.admin_url())
        .await
        .unwrap();
    sqlx::query("set session_replication_role = replica")
        .execute(&mut admin)
        .await
        .unwrap();
    let tenants = [tenant(&mut admin).await, tenant(&mut admin).await];
    let mut connection = PgConnection::connect(&world.database.url()).await.unwrap();
    let (mut leaks, mut used) = (Vec::new(), BTreeSet::new());
    for (ours, theirs) in [(0, 1), (1, 0)] {
        let (ours, theirs) = (&tenants[ours], &tenants[theirs]);
        let business = ("booking.business", ours.business.to_string());
        let account = ("booking.account", ours.account.to_string());
        let mut modes = vec![
            ("nobody", Vec::new()),
            ("business", vec![business.clone()]),
            ("account", vec![account.clone()]),
            ("member", vec![business.clone(), account]),
        ];
        for (name, setting, value) in SETTINGS {
            let setting = (*setting, (*value).to_owned());
            modes.push((name, vec![setting.clone()]));
            modes.push((name, vec![setting, business.clone()]));
        }
        for (mode, settings) in &modes {
            for (table, row) in &theirs.rows {
                for verb in reached(&mut connection, settings, table, row).await {
                    let window = WINDOWS.iter().position(|(t, m, verbs, _)| {
                        t == table && (m.is_empty() || m == mode) && verbs.contains(verb)
                    });
                    match window {
                        Some(window) => drop(used.insert(window)),
                        None => leaks.push(format!("{table}: {verb} as {mode}")),
                    }
                }
            }
        }
        // The test can see: what is ours is there.
        for (table, row) in &ours.rows {
            let own = [
                ("booking.business", ours.business.to_string()),
                ("booking.account", ours.account.to_string()),
                ("booking.worker", "on".to_owned()),
            ];
            let select =
                format!("select 1 from \"{table}\" where to_jsonb(\"{table}\") = $1::jsonb");
            let seen = attempt(&mut connection, &own, &select, row).await;
            let is_hidden =
                ["sign_in_failure", "request_count", "passkey_challenge"].contains(&table.as_str());
            assert!(
                seen == Ok(1) || is_hidden,
                "{table}: our own row is not seen: {seen:?}"
            );
        }
    }
    leaks.dedup();
    assert!(leaks.is_empty(), "{}", leaks.join("\n"));
    let unused: Vec<_> = (0..WINDOWS.len())
        .filter(|window| !used.contains(window))
        .map(|window| WINDOWS[window].0)
        .collect();
    assert!(unused.is_empty(), "windows that are none: {unused:?}");
}

/// Every route of the program, from the one table that has them: address and methods.
fn routes() -> Vec<(String, BTreeSet<&'static str>)> {
    let table = include_str!("../../src/router.rs");
    let table = table.split("pub(crate) fn internal").next().unwrap();
    table
        .split(".route(")
        .skip(1)
        .map(|route| {
            let address = route.split('"').nth(1).unwrap().to_owned();
            let rest = route.split(".route").next().unwrap();
            let methods = ["get", "post", "put", "delete", "patch"]
                .into_iter()
                .filter(|method| rest.contains(&format!("{method}(")))
                .collect();
            (address, methods)
        })
        .collect()
}

/// What a neighbour's parameter is; a parameter that nobody thought of fails the test.
async fn of_a_neighbour(world: &World, parameter: &str) -> Option<String> {
    let query = match parameter {
        "service" => {
            "select service.slug from service join business on business.id = business_id
            where business.slug = 'the-quiet-room' limit 1"
        }
        "booking" => {
            "select booking.id::text from booking join business on business.id = business_id
            where business.slug = 'the-quiet-room' limit 1"
        }
        "request" => "select id::text from privacy_request where language = 'zz'",
        "incident" => "select id::text from incident limit 1",
        "customer" => {
            "select customer.id::text from customer join business on business.id = business_id
            where business.slug = 'the-quiet-room' limit 1"
        }
        "staff" | "person" => {
            "select staff.id::text from staff join business on business.id = business_id
            where business.slug = 'the-quiet-room' limit 1"
        }
        "lane" => {
            "select staff.lane_id::text from staff join business on business.id = business_id
            where business.slug = 'the-quiet-room' limit 1"
        }
        "kind" => {
            "select pool.id::text from pool join business on business.id = business_id
            where business.slug = 'the-quiet-room' limit 1"
        }
        "key" => "select id::text from api_key where name = 'theirs'",
        "feed" => "select id::text from calendar_feed where names = 'none'",
        "webhook" => "select id::text from webhook where url = 'https://8.8.8.8/theirs'",
        _ => return None,
    };
    let pool = world.all().await;
    let found = sqlx::query_scalar(query).fetch_one(&pool).await.unwrap();
    pool.close().await;
    Some(found)
}

/// Parameters whose value is a secret or names nothing of a business.
const OF_NOBODY: [&str; 3] = ["token", "file", "business"];

#[tokio::test]
async fn every_address_with_a_neighbours_id_leads_nowhere() {
    let world = World::seeded().await;
    let pool = world.all().await;
    for statement in [
        "insert into privacy_request (id, business_id, kind, channel, state, email, language,
             received_at, due_at)
         select gen_random_uuid(), id, 'access', 'phone', 'open', 'a@b.co', 'zz', now(),
             now() + interval '30 days'
         from business where slug = 'the-quiet-room'",
        "insert into incident (id, business_id, what, noticed_at, began_at, ended_at, consequences,
             measures, advice, created_by, created_at)
         select gen_random_uuid(), id, 'x', now(), now(), now(), 'x', 'x', 'x',
             gen_random_uuid(), now()
         from business where slug = 'the-quiet-room'",
        "insert into api_key (id, business_id, name, prefix, secret_hash, scopes, created_at)
         select gen_random_uuid(), id, 'theirs', 'bk_theirs00', sha256('theirs'),
             '{read:bookings}', now()
         from business where slug = 'the-quiet-room'",
        "insert into calendar_feed (id, business_id, token_hash, names, created_at)
         select gen_random_uuid(), id, sha256('theirs'), 'none', now()
         from business where slug = 'the-quiet-room'",
        "insert into webhook (id, business_id, url, secret, created_at)
         select gen_random_uuid(), id, 'https://8.8.8.8/theirs', sha256('theirs'), now()
         from business where slug = 'the-quiet-room'",
    ] {
        sqlx::query(statement).execute(&pool).await.unwrap();
    }
    pool.close().await;
    let site = world.site().await;
    let owner = site.visitor();
    let desk = owner.sign_in("owner@karoo-cuts.example").await;
    let csrf = desk.field("csrf");
    let (mut tried, mut unknown) = (0, Vec::new());
    for (address, methods) in routes() {
        let parameters: Vec<_> = address
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
            .collect();
        // What programs reach with keys is tried with keys, in `programs`.
        let is_for_keys = address.starts_with("/api/") && parameters.contains(&"id");
        if !parameters.contains(&"business") || is_for_keys {
            continue;
        }
        // Our business with something of the neighbour's, and the neighbour's own desk.
        let mut ours = address.replace("{business}", "karoo-cuts");
        let mut is_theirs = false;
        for parameter in parameters {
            match of_a_neighbour(&world, parameter).await {
                Some(value) => {
                    ours = ours.replace(&format!("{{{parameter}}}"), &value);
                    is_theirs = true;
                }
                None if OF_NOBODY.contains(&parameter) => {
                    ours = ours.replace(&format!("{{{parameter}}}"), "aaaaaaaaaaaaaaaaaaaaaaaaaa");
                    is_theirs |= parameter != "business";
                }
                None => unknown.push(format!("{address}: {parameter}")),
            }
        }
        let mut targets = Vec::new();
        if is_theirs {
            targets.push(ours);
        }
        if address.starts_with("/desk/") {
            let parts = address.split('/').map(|part| match part {
                "{business}" => "the-quiet-room".to_owned(),
                id if id.starts_with('{') => Uuid::max().to_string(),
                plain => plain.to_owned(),
            });
            let desk = parts.collect::<Vec<_>>().join("/");
            targets.push(desk);
        }
        for target in targets {
            for method in &methods {
                let request = match *method {
                    "get" => owner.client.get(site.url(&target)),
                    "post" if target.starts_with("/api/") => owner
                        .client
                        .post(site.url(&target))
                        .header("idempotency-key", "k")
                        .json(&wish("x", "2030-01-01T08:00:00Z", "x")),
                    _ => owner.client.post(site.url(&target)).form(&[
                        ("csrf", csrf.as_str()),
                        ("act", "done"),
                        ("words", "x"),
                        ("other", "01a21acb-14f6-7197-aebb-99efb31aae5e"),
                        ("unit", "01a21acb-14f6-7197-aebb-99efb31aae5e"),
                        ("name", "x"),
                        ("date", "2030-01-01"),
                        ("opens", "09:00"),
                        ("closes", "10:00"),
                        ("start", "2030-01-01T08:00:00Z"),
                    ]),
                };
                let status = request.send().await.unwrap().status();
                assert_eq!(status, StatusCode::NOT_FOUND, "{method} {target}");
                tried += 1;
            }
        }
    }
    assert!(unknown.is_empty(), "say what a neighbour's is: {unknown:?}");
    assert!(tried >= 20, "only {tried} addresses were tried");
}

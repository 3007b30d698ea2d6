//! Everything about one person, wherever it is. The statements follow from the register,
//! so that a table that is registered is found, given out and erased without more ado.

use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;

use crate::privacy::register::{Erase, Holds, Table, register};

/// A person at the business in scope, by all that rows about them can be found with.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) customers: Vec<Uuid>,
    pub(crate) bookings: Vec<Uuid>,
    /// In lower case.
    pub(crate) emails: Vec<String>,
}

/// All rows of a table that are about somebody, as a JSON array.
#[derive(Debug, Clone)]
pub(crate) struct Rows {
    pub(crate) table: &'static str,
    pub(crate) json: String,
}

/// Finds the person behind a customer, also where their address was written in several
/// ways or records were merged, from whichever of them it begins; and locks them until the
/// transaction ends. None where there is no such customer.
pub(crate) async fn lock(
    connection: &mut PgConnection,
    customer: Uuid,
) -> sqlx::Result<Option<Person>> {
    let rows = sqlx::query!(
        r#"with recursive person as (
             select id, merged_into, lower(email) as email from customer where id = $1
             union
             select other.id, other.merged_into, lower(other.email)
             from person join customer as other
               on other.id = person.merged_into or other.merged_into = person.id
                 or lower(other.email) = person.email)
         select id, lower(email) as email from customer
         where id in (select id from person)
         order by id for update"#,
        customer
    )
    .fetch_all(&mut *connection)
    .await?;
    if rows.is_empty() {
        return Ok(None);
    }
    let customers: Vec<_> = rows.iter().map(|row| row.id).collect();
    let emails = rows.into_iter().filter_map(|row| row.email).collect();
    let bookings = sqlx::query_scalar!(
        "select id from booking where customer_id = any($1)",
        &customers
    )
    .fetch_all(connection)
    .await?;
    Ok(Some(Person {
        customers,
        bookings,
        emails,
    }))
}

/// What is kept about a person, table by table, without the columns that the register
/// withholds; tables without a row are left out.
pub(crate) async fn export(
    connection: &mut PgConnection,
    person: &Person,
) -> sqlx::Result<Vec<Rows>> {
    let mut export = Vec::new();
    for (name, table) in register().tables() {
        let Some(condition) = condition(table) else {
            continue;
        };
        let without = |column: &String| format!("- '{column}'");
        let withheld: Vec<_> = table.withheld.keys().map(without).collect();
        let withheld = withheld.join(" ");
        let statement = format!(
            "select coalesce(jsonb_agg(to_jsonb(kept) {withheld}), '[]')::text
             from \"{name}\" as kept, {PERSON} where {condition}"
        );
        let json: String = bound_scalar(connection, statement, person).await?;
        if json != "[]" {
            export.push(Rows { table: name, json });
        }
    }
    Ok(export)
}

/// Does to every value of a person what the register says. Gives the number of rows that
/// changed.
pub(crate) async fn erase(connection: &mut PgConnection, person: &Person) -> sqlx::Result<u64> {
    let mut changed = 0;
    for (name, table) in register().tables() {
        let (Some(condition), Some(action)) = (condition(table), action(table)) else {
            continue;
        };
        let statement = match action {
            Action::Delete => {
                format!("delete from \"{name}\" as kept using {PERSON} where {condition}")
            }
            Action::Set(columns) => {
                format!("update \"{name}\" as kept set {columns} from {PERSON} where {condition}")
            }
        };
        let done = sqlx::query(AssertSqlSafe(statement))
            .bind(&person.customers)
            .bind(&person.bookings)
            .bind(&person.emails)
            .execute(&mut *connection)
            .await?;
        changed += done.rows_affected();
    }
    Ok(changed)
}

/// The three lists under one name, so that every statement has the same parameters.
const PERSON: &str =
    "(select $1::uuid[] as customers, $2::uuid[] as bookings, $3::text[] as emails) as person";

/// What becomes of the rows of a table.
#[derive(Debug, PartialEq, Eq)]
enum Action {
    Delete,
    Set(String),
}

/// Whose row it is; none where the table knows no customers.
fn condition(table: &Table) -> Option<String> {
    let tests: Vec<_> = table
        .person
        .iter()
        .filter_map(|(column, holds)| {
            Some(match holds {
                Holds::Customer => format!("kept.\"{column}\" = any(person.customers)"),
                Holds::Booking => format!("kept.\"{column}\" = any(person.bookings)"),
                Holds::Subject => {
                    format!("kept.\"{column}\" = any(person.customers || person.bookings)")
                }
                Holds::Email => format!("lower(kept.\"{column}\") = any(person.emails)"),
                Holds::Account => return None,
            })
        })
        .collect();
    (!tests.is_empty()).then(|| format!("({})", tests.join(" or ")))
}

fn action(table: &Table) -> Option<Action> {
    if table
        .personal
        .values()
        .any(|field| field.erase == Erase::Row)
    {
        return Some(Action::Delete);
    }
    let columns: Vec<_> = table
        .personal
        .iter()
        .filter_map(|(column, field)| {
            let value = match field.erase {
                Erase::Null => "null".to_owned(),
                Erase::Empty => "''".to_owned(),
                Erase::Word => {
                    format!("case when kept.\"{column}\" is null then null else 'erased' end")
                }
                Erase::Id => "'erased:' || kept.id::text".to_owned(),
                Erase::Row | Erase::Time | Erase::Keep => return None,
            };
            Some(format!("\"{column}\" = {value}"))
        })
        .collect();
    (!columns.is_empty()).then(|| Action::Set(columns.join(", ")))
}

async fn bound_scalar(
    connection: &mut PgConnection,
    statement: String,
    person: &Person,
) -> sqlx::Result<String> {
    sqlx::query_scalar(AssertSqlSafe(statement))
        .bind(&person.customers)
        .bind(&person.bookings)
        .bind(&person.emails)
        .fetch_one(connection)
        .await
}

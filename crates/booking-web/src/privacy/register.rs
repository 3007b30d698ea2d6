//! The processing register, read from `privacy/register.toml`: every column of every table,
//! and for those with personal data why, how long, for whom, and how they are erased.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

static REGISTER: LazyLock<Register> = LazyLock::new(|| {
    toml::from_str(include_str!("../../privacy/register.toml"))
        .expect("the register is part of the program and read by its tests")
});

/// The register of this release.
pub(crate) fn register() -> &'static Register {
    &REGISTER
}

/// Everything that is kept.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Register {
    class: BTreeMap<String, Class>,
    table: BTreeMap<String, Table>,
}

/// A kind of personal data, and all that the law wants to know of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(
    dead_code,
    reason = "the register says more than the program acts on; its tests read all of it"
)]
pub(crate) struct Class {
    pub(crate) about: String,
    pub(crate) purpose: String,
    pub(crate) ground: String,
    /// How long it is kept, and from when on.
    pub(crate) days: u16,
    pub(crate) after: String,
    pub(crate) recipients: String,
    pub(crate) country: String,
}

/// A table, with each of its columns in one of two lists.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(
    dead_code,
    reason = "the register says more than the program acts on; its tests read all of it"
)]
pub(crate) struct Table {
    pub(crate) about: String,
    /// By which columns the rows of a person are found.
    #[serde(default)]
    pub(crate) person: BTreeMap<String, Holds>,
    /// Columns without personal data.
    #[serde(default)]
    pub(crate) plain: Vec<String>,
    #[serde(default)]
    pub(crate) personal: BTreeMap<String, Field>,
    /// Columns that a person's copy leaves out, each with the reason.
    #[serde(default)]
    pub(crate) withheld: BTreeMap<String, String>,
}

/// What a column holds by which a person's rows are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Holds {
    Customer,
    Booking,
    /// The id of a customer or of a booking.
    Subject,
    Email,
    Account,
}

/// A column with personal data.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(
    dead_code,
    reason = "the register says more than the program acts on; its tests read all of it"
)]
pub(crate) struct Field {
    pub(crate) class: String,
    pub(crate) erase: Erase,
}

/// What becomes of a value when its person is erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Erase {
    Null,
    Empty,
    Word,
    Id,
    /// The whole row goes.
    Row,
    /// It goes by itself when the time of its class is over.
    Time,
    Keep,
}

impl Register {
    #[cfg(test)]
    pub(crate) fn classes(&self) -> impl Iterator<Item = (&str, &Class)> {
        self.class
            .iter()
            .map(|(name, class)| (name.as_str(), class))
    }

    pub(crate) fn tables(&self) -> impl Iterator<Item = (&str, &Table)> {
        self.table
            .iter()
            .map(|(name, table)| (name.as_str(), table))
    }

    pub(crate) fn class(&self, name: &str) -> Option<&Class> {
        self.class.get(name)
    }
}

#[cfg(test)]
impl Table {
    /// Every column, in no order.
    pub(crate) fn columns(&self) -> impl Iterator<Item = &str> {
        self.plain
            .iter()
            .chain(self.personal.keys())
            .map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use sqlx::Connection as _;
    use testkit::postgres::Database;
    use testkit::services;

    use super::*;
    use crate::database;

    type Columns = BTreeMap<String, BTreeSet<String>>;

    /// Every column of the schema, and those that may be null.
    async fn schema() -> (Columns, BTreeSet<(String, String)>) {
        let world = Database::empty(&services::shared().unwrap().postgres)
            .await
            .unwrap();
        let url = world.url().into();
        database::migrate(&url).await.unwrap();
        let mut connection = database::connect(&url).await.unwrap();
        let rows: Vec<(String, String, bool)> = sqlx::query_as(
            "select table_name::text, column_name::text, is_nullable = 'YES'
             from information_schema.columns
             where table_schema = 'public' and table_name <> '_sqlx_migrations'",
        )
        .fetch_all(&mut connection)
        .await
        .unwrap();
        connection.close().await.unwrap();
        let (mut columns, mut nullable) = (Columns::new(), BTreeSet::new());
        for (table, column, may_be_null) in rows {
            if may_be_null {
                nullable.insert((table.clone(), column.clone()));
            }
            columns.entry(table).or_default().insert(column);
        }
        (columns, nullable)
    }

    /// What of the schema is not in the register and the other way round.
    fn differences(schema: &Columns, register: &Register) -> Vec<String> {
        let mut found = Vec::new();
        let registered: Columns = register
            .tables()
            .map(|(name, table)| {
                (
                    name.to_owned(),
                    table.columns().map(str::to_owned).collect(),
                )
            })
            .collect();
        for (here, there, what) in [
            (
                schema,
                &registered,
                "is in no list of privacy/register.toml",
            ),
            (&registered, schema, "is registered, but not in the schema"),
        ] {
            for (table, columns) in here {
                let known = there.get(table);
                let missing = columns
                    .iter()
                    .filter(|c| known.is_none_or(|k| !k.contains(*c)));
                found.extend(missing.map(|column| format!("{table}.{column} {what}")));
            }
        }
        for (name, table) in register.tables() {
            let both = table
                .plain
                .iter()
                .filter(|c| table.personal.contains_key(*c));
            found.extend(both.map(|column| format!("{name}.{column} is in both lists")));
        }
        found
    }

    #[tokio::test]
    async fn every_column_is_in_the_register_and_nothing_else_is() {
        let (schema, nullable) = schema().await;
        let found = differences(&schema, register());
        assert!(found.is_empty(), "{}", found.join("\n"));
        for (name, table) in register().tables() {
            for (column, field) in &table.personal {
                let key = (name.to_owned(), column.clone());
                assert!(
                    field.erase != Erase::Null || nullable.contains(&key),
                    "{name}.{column} cannot be null"
                );
            }
        }
    }

    #[test]
    fn a_column_that_nobody_registered_is_found_and_one_that_is_gone_too() {
        let mut schema: Columns = register()
            .tables()
            .map(|(name, table)| {
                (
                    name.to_owned(),
                    table.columns().map(str::to_owned).collect(),
                )
            })
            .collect();
        let customer = schema.get_mut("customer").unwrap();
        customer.insert("identity_number".to_owned());
        customer.remove("phone");
        schema
            .entry("diary".to_owned())
            .or_default()
            .insert("text".to_owned());
        assert_eq!(
            differences(&schema, register()),
            [
                "customer.identity_number is in no list of privacy/register.toml",
                "diary.text is in no list of privacy/register.toml",
                "customer.phone is registered, but not in the schema",
            ]
        );
    }

    #[test]
    fn every_entry_says_all_that_the_law_wants_to_know() {
        for (name, class) in register().classes() {
            let words = [
                &class.about,
                &class.purpose,
                &class.ground,
                &class.after,
                &class.recipients,
                &class.country,
            ];
            assert!(words.iter().all(|word| !word.is_empty()), "{name}");
            assert!(class.ground.contains("s11"), "{name}: no ground of s11");
            assert!(class.days > 0, "{name}");
        }
        let mut used = BTreeSet::new();
        for (name, table) in register().tables() {
            assert!(!table.about.is_empty(), "{name}");
            for column in table.person.keys() {
                assert!(table.columns().any(|c| c == column), "{name}.{column}");
            }
            for (column, reason) in &table.withheld {
                assert!(table.columns().any(|c| c == column), "{name}.{column}");
                assert!(
                    !reason.is_empty(),
                    "{name}.{column} is withheld without a reason"
                );
            }
            for (column, field) in &table.personal {
                let class = register().class(&field.class);
                assert!(class.is_some(), "{name}.{column}: no class {}", field.class);
                used.insert(field.class.as_str());
                let acts = !matches!(field.erase, Erase::Keep | Erase::Time);
                assert!(
                    !acts || !table.person.is_empty(),
                    "{name}.{column}: nothing says whose row it is"
                );
            }
        }
        let all: BTreeSet<_> = register().classes().map(|(name, _)| name).collect();
        assert_eq!(used, all, "a class that no column has");
    }
}

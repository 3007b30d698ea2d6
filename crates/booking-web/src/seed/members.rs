//! Who may sign in to the demonstration: an owner, a manager, a front desk and everybody in
//! the calendar, of each business. Their one password is public, so they are marked.

use anyhow::Context as _;
use booking::Role;
use uuid::Uuid;

use super::{Person, Planter, cast};
use crate::account::password;
use crate::store;
use crate::store::account::Account;

/// As the README says.
const PASSWORD: &str = "this is only a demonstration";

impl Planter<'_> {
    /// The hash of the demonstration's password, the same for all: it hides nothing.
    pub(super) fn password(&self) -> anyhow::Result<String> {
        let mut salt = [0; 16];
        self.random.fill(&mut salt);
        password::hash(PASSWORD, &salt)
    }

    /// The business must be in scope.
    pub(super) async fn members(
        &mut self,
        business: Uuid,
        cast: &cast::Business,
        people: &[Person],
        password: &str,
    ) -> anyhow::Result<()> {
        let office = [
            ("Owner", "owner", Role::Owner),
            ("Manager", "manager", Role::Manager),
            ("Front desk", "desk", Role::FrontDesk),
        ];
        for (name, at, role) in office {
            let name = format!("{name} of {}", cast.name);
            self.member(business, cast.slug, (&name, at), (role, None), password)
                .await?;
        }
        for (person, cast_person) in people.iter().zip(cast.staff) {
            let name = cast_person.name;
            let first = name.split(' ').next().context("somebody without a name")?;
            let role = (Role::Staff, Some(person.staff));
            let at = first.to_lowercase();
            self.member(business, cast.slug, (name, &at), role, password)
                .await?;
        }
        Ok(())
    }

    async fn member(
        &mut self,
        business: Uuid,
        slug: &str,
        (name, at): (&str, &str),
        (role, staff): (Role, Option<Uuid>),
        password: &str,
    ) -> anyhow::Result<()> {
        let account = Account {
            id: self.id(),
            email: format!("{at}@{slug}.example"),
            name: name.to_owned(),
            is_confirmed: true,
            is_demonstration: true,
        };
        let (id, now) = (account.id, self.now);
        let connection = &mut *self.connection;
        store::account::scope(connection, id).await?;
        store::account::insert(connection, &account, now).await?;
        store::account::set_password(connection, id, password, now).await?;
        store::membership::insert(connection, business, id, role.as_str(), staff, now).await?;
        Ok(())
    }
}

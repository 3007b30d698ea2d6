//! With whom somebody wants a service: the choice between whoever has time and one member
//! of staff, carried from page to page in the address. Pure.

use uuid::Uuid;

use crate::crew::Who;
use crate::language::Language;

/// The choice, and what was chosen.
pub(crate) struct Whom {
    /// None where there is nothing to choose.
    pub(super) people: Vec<Person>,
    /// The id of the one who was chosen; empty for whoever has time.
    pub(super) chosen: String,
    /// What addresses carry on: `&staff=…`, or nothing.
    pub(super) with: String,
}

/// One that can be chosen.
pub(super) struct Person {
    pub(super) name: String,
    pub(super) address: String,
    pub(super) is_chosen: bool,
}

impl Whom {
    /// Between all who give the service at `address`, which has a query already.
    pub(super) fn of(
        language: Language,
        address: &str,
        everybody: &[(Uuid, String)],
        who: Who,
    ) -> Self {
        let person = |name: &str, of: Who| Person {
            name: name.to_owned(),
            address: format!("{address}{}", with(of)),
            is_chosen: of == who,
        };
        let anyone = person(&language.text("staff-anyone").to_string(), Who::Anyone);
        let people = everybody.iter();
        let people = people.map(|(id, name)| person(name, Who::Only(*id)));
        Self {
            people: if everybody.len() > 1 {
                std::iter::once(anyone).chain(people).collect()
            } else {
                Vec::new()
            },
            chosen: id(who),
            with: with(who),
        }
    }

    /// The one who was chosen, where nothing is to be chosen any more.
    pub(super) fn settled(who: Who) -> Self {
        Self {
            people: Vec::new(),
            chosen: id(who),
            with: with(who),
        }
    }
}

/// As it travels in a form; empty for anyone.
pub(super) fn id(who: Who) -> String {
    who.staff().map(|id| id.to_string()).unwrap_or_default()
}

/// `&staff=…`, or nothing for anyone.
pub(super) fn with(who: Who) -> String {
    match who {
        Who::Anyone => String::new(),
        Who::Only(staff) => format!("&staff={staff}"),
    }
}

/// Whoever is asked for in an address. What cannot be read was not chosen.
pub(super) fn read(staff: &str) -> Who {
    Who::parse(staff).unwrap_or(Who::Anyone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_person_is_no_choice_and_two_are_three() {
        let id = Uuid::from_u128;
        let of = |count: u128, who: Who| {
            let everybody: Vec<_> = (0..count).map(|n| (id(n), format!("Person {n}"))).collect();
            Whom::of(Language::English, "/a/b?day=2027-03-24", &everybody, who)
        };
        assert!(of(1, Who::Anyone).people.is_empty());
        let two = of(2, Who::Only(id(1)));
        let addresses: Vec<_> = two.people.iter().map(|p| p.address.as_str()).collect();
        let address = |n: u128| format!("/a/b?day=2027-03-24&staff={}", id(n));
        assert_eq!(addresses, ["/a/b?day=2027-03-24", &address(0), &address(1)]);
        let chosen: Vec<_> = two.people.iter().map(|p| p.is_chosen).collect();
        assert_eq!(chosen, [false, false, true]);
        assert_eq!(two.with, format!("&staff={}", two.chosen));
        assert_eq!(of(2, Who::Anyone).with, "");
    }
}

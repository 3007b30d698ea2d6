//! Who plays in the demonstration: invented businesses and people.

use jiff::civil::Weekday;

/// Where all of them are.
pub(super) const ZONE: &str = "Africa/Johannesburg";
pub(super) const HORIZON_DAYS: i32 = 120;

pub(super) struct Business {
    pub(super) slug: &'static str,
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) place: &'static str,
    pub(super) address: &'static str,
    pub(super) cancel_limit_minutes: i32,
    /// What calling off costs, where it is not free until the limit.
    pub(super) terms: Option<&'static str>,
    pub(super) staff: &'static [Person],
    pub(super) services: &'static [Service],
    pub(super) pools: &'static [Pool],
    /// Month, day and closing minute of a date on which the whole place closes early.
    pub(super) closes_early: Option<(i8, i8, i16)>,
    /// Month and day of a public holiday on which it is open.
    pub(super) opens_on: Option<(i8, i8)>,
}

/// Rooms or devices.
pub(super) struct Pool {
    pub(super) kind: &'static str,
    pub(super) name: &'static str,
    pub(super) units: &'static [&'static str],
    /// The services that need one, by their slugs, and for which minutes; or all the time.
    pub(super) needed_by: &'static [(&'static str, Option<(i32, i32)>)],
}

pub(super) struct Person {
    pub(super) name: &'static str,
    /// Minutes since midnight on working days, with a break or none, and on Saturday.
    weekdays: &'static [(i16, i16)],
    saturday: &'static [(i16, i16)],
    free: Option<Weekday>,
    /// On the next such day it ends at noon.
    pub(super) half_day: Option<Weekday>,
}

pub(super) struct Service {
    pub(super) slug: &'static str,
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) minutes: i32,
    pub(super) after_minutes: i32,
    pub(super) step_minutes: i32,
    pub(super) notice_minutes: i32,
    pub(super) rand: i64,
    pub(super) seats: i32,
    /// When it takes place, if only then: weekdays and minutes.
    pub(super) planned: &'static [(Weekday, i16)],
    /// Who gives it, by place in the list of staff.
    pub(super) by: &'static [usize],
}

impl Person {
    /// Weekday, opening and closing minute.
    pub(super) fn hours(&self) -> Vec<(Weekday, i16, i16)> {
        let weekdays = [
            Weekday::Monday,
            Weekday::Tuesday,
            Weekday::Wednesday,
            Weekday::Thursday,
            Weekday::Friday,
        ];
        let at_work = weekdays.into_iter().filter(|day| Some(*day) != self.free);
        let on = |day, spans: &'static [(i16, i16)]| {
            spans
                .iter()
                .map(move |(opens, closes)| (day, *opens, *closes))
        };
        at_work
            .flat_map(|day| on(day, self.weekdays))
            .chain(on(Weekday::Saturday, self.saturday))
            .collect()
    }
}

/// Hours and minutes as minutes since midnight.
const fn at(hour: i16, minute: i16) -> i16 {
    hour * 60 + minute
}

/// When the earliest open, and noon.
pub(super) const OPENS: i16 = at(8, 0);
pub(super) const NOON: i16 = at(12, 0);

const LONG: &[(i16, i16)] = &[(at(8, 0), at(18, 0))];
const WITH_LUNCH: &[(i16, i16)] = &[(at(8, 0), at(12, 30)), (at(13, 15), at(17, 30))];
const LATE: &[(i16, i16)] = &[(at(10, 0), at(14, 0)), (at(15, 0), at(20, 0))];
const MORNING: &[(i16, i16)] = &[(at(8, 30), at(13, 0))];

pub(super) const BUSINESSES: &[Business] = &[
    Business {
        slug: "karoo-cuts",
        name: "Karoo Cuts",
        about: "An unhurried barber under the pepper trees of Graaff-Reinet.",
        place: "Church Street",
        address: "12 Church Street, Graaff-Reinet, 6280",
        cancel_limit_minutes: 30,
        terms: None,
        staff: &[
            Person {
                name: "Sipho Dlamini",
                weekdays: LONG,
                saturday: MORNING,
                free: Some(Weekday::Monday),
                half_day: None,
            },
            Person {
                name: "Anneke Botha",
                weekdays: WITH_LUNCH,
                saturday: MORNING,
                free: None,
                half_day: None,
            },
            Person {
                name: "Themba Khumalo",
                weekdays: LATE,
                saturday: &[],
                free: None,
                half_day: None,
            },
        ],
        services: &[
            Service {
                slug: "haircut",
                name: "Haircut",
                about: "Wash, cut and a hot towel.",
                minutes: 30,
                after_minutes: 0,
                step_minutes: 15,
                notice_minutes: 60,
                rand: 220,
                seats: 1,
                planned: &[],
                by: &[0, 1, 2],
            },
            Service {
                slug: "beard-trim",
                name: "Beard trim",
                about: "Shaped with scissors, finished with a razor.",
                minutes: 20,
                after_minutes: 0,
                step_minutes: 10,
                notice_minutes: 60,
                rand: 140,
                seats: 1,
                planned: &[],
                by: &[0, 2],
            },
            Service {
                slug: "cut-and-beard",
                name: "Cut and beard",
                about: "Both, one after the other, with coffee in between.",
                minutes: 50,
                after_minutes: 10,
                step_minutes: 30,
                notice_minutes: 120,
                rand: 330,
                seats: 1,
                planned: &[],
                by: &[0, 1],
            },
        ],
        pools: &[],
        closes_early: None,
        opens_on: None,
    },
    Business {
        slug: "bluff-physio",
        name: "Bluff Physiotherapy",
        about: "Physiotherapists beside the harbour in Durban, for backs, knees and runners.",
        place: "Marine Drive rooms",
        address: "48 Marine Drive, Bluff, Durban, 4052",
        cancel_limit_minutes: 60,
        terms: Some(
            r#"{"limit_minutes": 60, "cap_cents": 40000, "bands": [
                {"notice_minutes": 1440, "percent": 50}, {"notice_minutes": 240, "percent": 100}]}"#,
        ),
        staff: &[
            Person {
                name: "Priya Naidoo",
                weekdays: WITH_LUNCH,
                saturday: &[],
                free: None,
                half_day: None,
            },
            Person {
                name: "Lerato Mokoena",
                weekdays: LONG,
                saturday: MORNING,
                free: Some(Weekday::Wednesday),
                half_day: Some(Weekday::Thursday),
            },
            Person {
                name: "Johan van Wyk",
                weekdays: LATE,
                saturday: &[],
                free: None,
                half_day: None,
            },
        ],
        services: &[
            Service {
                slug: "first-visit",
                name: "First visit",
                about: "We listen, examine, and agree on a plan.",
                minutes: 60,
                after_minutes: 15,
                step_minutes: 30,
                notice_minutes: 240,
                rand: 890,
                seats: 1,
                planned: &[],
                by: &[0, 1],
            },
            Service {
                slug: "follow-up",
                name: "Follow-up",
                about: "For those who have been here before.",
                minutes: 30,
                after_minutes: 5,
                step_minutes: 15,
                notice_minutes: 120,
                rand: 540,
                seats: 1,
                planned: &[],
                by: &[0, 1, 2],
            },
            Service {
                slug: "sports-massage",
                name: "Sports massage",
                about: "Before the race or after it.",
                minutes: 45,
                after_minutes: 15,
                step_minutes: 15,
                notice_minutes: 120,
                rand: 620,
                seats: 1,
                planned: &[],
                by: &[1, 2],
            },
        ],
        pools: &[
            Pool {
                kind: "room",
                name: "Treatment room",
                units: &["Treatment room 1", "Treatment room 2"],
                needed_by: &[
                    ("first-visit", None),
                    ("follow-up", None),
                    ("sports-massage", None),
                ],
            },
            Pool {
                kind: "equipment",
                name: "Ultrasound",
                units: &["Ultrasound device"],
                needed_by: &[("first-visit", Some((20, 40)))],
            },
        ],
        closes_early: Some((12, 24, at(12, 0))),
        opens_on: None,
    },
    Business {
        slug: "the-quiet-room",
        name: "The Quiet Room",
        about: "Yoga and conversation in a loft in Woodstock, Cape Town.",
        place: "The loft",
        address: "3rd floor, 77 Albert Road, Woodstock, Cape Town, 7925",
        cancel_limit_minutes: 30,
        terms: None,
        staff: &[
            Person {
                name: "Zanele Mthembu",
                weekdays: LATE,
                saturday: MORNING,
                free: Some(Weekday::Friday),
                half_day: None,
            },
            Person {
                name: "Michael Adams",
                weekdays: WITH_LUNCH,
                saturday: &[],
                free: None,
                half_day: None,
            },
        ],
        services: &[
            Service {
                slug: "first-conversation",
                name: "First conversation",
                about: "A quarter of an hour to see whether we suit you.",
                minutes: 15,
                after_minutes: 0,
                step_minutes: 15,
                notice_minutes: 60,
                rand: 0,
                seats: 1,
                planned: &[],
                by: &[0, 1],
            },
            Service {
                slug: "private-yoga",
                name: "Private yoga",
                about: "One teacher, one mat, your pace.",
                minutes: 60,
                after_minutes: 15,
                step_minutes: 15,
                notice_minutes: 180,
                rand: 480,
                seats: 1,
                planned: &[],
                by: &[0],
            },
            Service {
                slug: "breathing",
                name: "Breathing lesson",
                about: "Half an hour that you can repeat at home.",
                minutes: 30,
                after_minutes: 0,
                step_minutes: 30,
                notice_minutes: 60,
                rand: 260,
                seats: 1,
                planned: &[],
                by: &[0, 1],
            },
            Service {
                slug: "counselling",
                name: "Counselling",
                about: "A registered counsellor, for one person or two.",
                minutes: 50,
                after_minutes: 10,
                step_minutes: 30,
                notice_minutes: 240,
                rand: 750,
                seats: 1,
                planned: &[],
                by: &[1],
            },
            Service {
                slug: "yoga-class",
                name: "Yoga class",
                about: "Twelve mats, all levels, tea afterwards.",
                minutes: 60,
                after_minutes: 15,
                step_minutes: 60,
                notice_minutes: 60,
                rand: 140,
                seats: 12,
                planned: &[
                    (Weekday::Monday, at(18, 0)),
                    (Weekday::Wednesday, at(18, 0)),
                    (Weekday::Saturday, at(9, 0)),
                ],
                by: &[0],
            },
        ],
        pools: &[Pool {
            kind: "room",
            name: "The loft",
            units: &["The loft"],
            needed_by: &[("yoga-class", None), ("private-yoga", None)],
        }],
        closes_early: None,
        opens_on: Some((12, 16)),
    },
];

pub(super) const CUSTOMERS: &[&str] = &[
    "Ayanda Zulu",
    "Bongani Sithole",
    "Carmen Jacobs",
    "Daniel Fourie",
    "Ezekiel Nkosi",
    "Fatima Patel",
    "Gerhard Steyn",
    "Hlengiwe Cele",
    "Imraan Khan",
    "Jabulani Moyo",
    "Karabo Molefe",
    "Liezl Pretorius",
    "Mandla Ndlovu",
    "Nomsa Mahlangu",
    "Olga Ferreira",
    "Pieter Coetzee",
    "Qaqamba Mbeki",
    "Riaan Venter",
    "Sarah Goldberg",
    "Thabo Maseko",
    "Uviwe Gqola",
    "Vusi Radebe",
    "Wendy Williams",
    "Xolani Dube",
    "Yasmin Davids",
    "Zodwa Shabalala",
];

//! Which rule a date has that is not like its weekday. The nearer rule wins: what was
//! entered for the lane over what was entered for its location, and that over a public
//! holiday. Leave is no rule: it wins over all of them (see `Lane::away`).

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::holiday::south_african_holidays;
use crate::hours::DayRule;

/// Everything that was entered for dates, each list in any order.
#[derive(Debug, Clone, Default)]
pub struct Exceptions {
    /// For the lane itself.
    pub lane: Vec<(Date, DayRule)>,
    /// For the location where it is.
    pub location: Vec<(Date, DayRule)>,
    /// Public holidays that the business keeps.
    pub holidays: BTreeSet<Date>,
}

impl Exceptions {
    /// One rule for each date. Of several from one source, closed wins; else it is open
    /// whenever one of them says so.
    pub fn rules(&self) -> BTreeMap<Date, DayRule> {
        let closed = |date: &Date| (*date, DayRule::Closed);
        let mut rules: BTreeMap<Date, DayRule> = self.holidays.iter().map(closed).collect();
        rules.extend(joined(&self.location));
        rules.extend(joined(&self.lane));
        rules
    }
}

fn joined(entered: &[(Date, DayRule)]) -> BTreeMap<Date, DayRule> {
    let mut rules: BTreeMap<Date, DayRule> = BTreeMap::new();
    for (date, rule) in entered {
        match (rules.get_mut(date), rule) {
            (Some(DayRule::Open(openings)), DayRule::Open(more)) => {
                openings.extend(
                    more.iter()
                        .filter(|m| !openings.contains(m))
                        .copied()
                        .collect::<Vec<_>>(),
                );
            }
            (Some(DayRule::Closed), _) => {}
            (_, rule) => {
                rules.insert(*date, rule.clone());
            }
        }
    }
    rules
}

/// What a business does with public holidays.
#[derive(Debug, Clone, Default)]
pub struct HolidayChoice {
    /// Whether it is closed on the public holidays of South Africa.
    pub keeps: bool,
    /// Single days that it decided about: closed (a day that was declared for one year
    /// only, say), or open in spite of the holiday.
    pub days: BTreeMap<Date, bool>,
}

impl HolidayChoice {
    /// The days from `from` to `to`, both included, on which it is closed.
    pub fn closed(&self, from: Date, to: Date) -> BTreeSet<Date> {
        let years = (from.year()..=to.year()).filter(|_| self.keeps);
        let mut closed: BTreeSet<Date> = years
            .flat_map(south_african_holidays)
            .map(|holiday| holiday.date)
            .collect();
        for (date, is_closed) in &self.days {
            if *is_closed {
                closed.insert(*date);
            } else {
                closed.remove(date);
            }
        }
        closed.retain(|date| (from..=to).contains(date));
        closed
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::hours::{Minute, Opening};

    fn open(times: &[(u16, u16)]) -> DayRule {
        let opening = |(opens, closes): &(u16, u16)| {
            Opening::new(Minute::new(*opens).unwrap(), Minute::new(*closes).unwrap()).unwrap()
        };
        DayRule::Open(times.iter().map(opening).collect())
    }

    #[test]
    fn the_lane_wins_over_its_location_and_that_over_a_holiday() {
        let days = [16, 25, 26].map(|day| date(2026, 12, day));
        let exceptions = Exceptions {
            lane: vec![(days[0], open(&[(540, 600)]))],
            location: vec![(days[0], DayRule::Closed), (days[1], open(&[(600, 660)]))],
            holidays: days.into(),
        };
        let rules = exceptions.rules();
        assert_eq!(rules[&days[0]], open(&[(540, 600)]));
        assert_eq!(rules[&days[1]], open(&[(600, 660)]));
        assert_eq!(rules[&days[2]], DayRule::Closed);
    }

    #[test]
    fn of_several_entries_for_a_date_closed_wins_and_openings_add_up() {
        let day = date(2026, 12, 16);
        let rule = |entered: Vec<DayRule>| {
            let lane = entered.into_iter().map(|rule| (day, rule)).collect();
            let exceptions = Exceptions {
                lane,
                ..Exceptions::default()
            };
            exceptions.rules()[&day].clone()
        };
        let (early, late) = (open(&[(540, 600)]), open(&[(600, 660)]));
        let both = open(&[(540, 600), (600, 660)]);
        assert_eq!(rule(vec![early.clone(), late.clone(), early.clone()]), both);
        let closed = vec![early, DayRule::Closed, late];
        assert_eq!(rule(closed), DayRule::Closed);
    }

    #[test]
    fn a_sunday_holiday_moves_to_monday_and_two_that_meet_are_one() {
        let keeps = HolidayChoice {
            keeps: true,
            ..HolidayChoice::default()
        };
        // The 21st of March 2027 is a Sunday; Christmas 2022 was one, with the Day of
        // Goodwill on its Monday.
        let march = keeps.closed(date(2027, 3, 20), date(2027, 3, 23));
        assert_eq!(march, [date(2027, 3, 21), date(2027, 3, 22)].into());
        let christmas = keeps.closed(date(2022, 12, 24), date(2022, 12, 28));
        assert_eq!(christmas, [date(2022, 12, 25), date(2022, 12, 26)].into());
    }

    #[test]
    fn a_business_adds_a_declared_day_and_opens_on_a_holiday() {
        let (declared, christmas) = (date(2026, 11, 4), date(2026, 12, 25));
        let choice = |keeps| HolidayChoice {
            keeps,
            days: [(declared, true), (christmas, false)].into(),
        };
        let closed = |keeps| choice(keeps).closed(date(2026, 11, 1), date(2026, 12, 31));
        let kept = [declared, date(2026, 12, 16), date(2026, 12, 26)];
        assert_eq!(closed(true), kept.into());
        assert_eq!(closed(false), [declared].into(), "one that keeps none");
    }

    #[test]
    fn holidays_are_those_of_every_year_that_is_asked_about() {
        let keeps = HolidayChoice {
            keeps: true,
            ..HolidayChoice::default()
        };
        let closed = keeps.closed(date(2026, 12, 26), date(2027, 1, 1));
        assert_eq!(closed, [date(2026, 12, 26), date(2027, 1, 1)].into());
    }
}

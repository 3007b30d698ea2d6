//! Who and what a service is given with: people, and the lanes of the pools that it
//! needs. Only which they are; when they are free is known by `availability`.

use jiff::SignedDuration;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::store;
use crate::store::service::{Giver, NeedLane};

/// Who will do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    /// Whoever has time.
    Anyone,
    /// This member of staff.
    Only(Uuid),
}

impl Who {
    /// `anyone`, or the id of a member of staff.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text.trim() {
            "" | "anyone" => Some(Self::Anyone),
            id => id.parse().ok().map(Self::Only),
        }
    }

    /// The one who was asked for, if anybody was.
    pub(crate) fn of(staff: Option<Uuid>) -> Self {
        staff.map_or(Self::Anyone, Self::Only)
    }

    pub(crate) fn staff(self) -> Option<Uuid> {
        match self {
            Self::Anyone => None,
            Self::Only(staff) => Some(staff),
        }
    }
}

/// Everybody who can give a service, and what else it needs.
#[derive(Debug, Clone)]
pub(crate) struct Crew {
    pub(crate) people: Vec<Giver>,
    pub(crate) needs: Vec<Need>,
}

/// So many of these lanes.
#[derive(Debug, Clone)]
pub(crate) struct Need {
    id: Uuid,
    pub(crate) quantity: usize,
    pub(crate) part: Option<booking::Part>,
    pub(crate) units: Vec<Unit>,
}

/// A room or a device.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unit {
    pub(crate) lane: Uuid,
    pub(crate) version: i64,
    pub(crate) location: Uuid,
}

impl Crew {
    /// The crew of a service as far as `who` will do. The business must be in scope.
    pub(crate) async fn read(
        connection: &mut PgConnection,
        service: Uuid,
        who: Who,
    ) -> sqlx::Result<Self> {
        let people = store::service::givers(connection, service).await?;
        // One question less for each booking of what needs nothing but people.
        let needs = match people.first() {
            Some(giver) if !giver.has_needs => Vec::new(),
            _ => needs(store::service::needs(connection, service).await?),
        };
        Ok(Self { people, needs }.only(who))
    }

    /// As far as `who` will do.
    pub(crate) fn only(mut self, who: Who) -> Self {
        if let Who::Only(staff) = who {
            self.people.retain(|giver| giver.staff_id == staff);
        }
        self
    }

    /// Every lane that may be taken.
    pub(crate) fn lanes(&self) -> Vec<Uuid> {
        let people = self.people.iter().map(|giver| giver.lane_id);
        let units = self.needs.iter().flat_map(|need| &need.units);
        people.chain(units.map(|unit| unit.lane)).collect()
    }

    /// Where its lanes are.
    pub(crate) fn locations(&self) -> Vec<Uuid> {
        let people = self.people.iter().map(|giver| giver.location_id);
        let units = self.needs.iter().flat_map(|need| &need.units);
        let mut locations: Vec<Uuid> = people.chain(units.map(|unit| unit.location)).collect();
        locations.sort_unstable();
        locations.dedup();
        locations
    }

    /// Feeds all that free times follow from, as far as it is known here: which lanes, and
    /// in which version.
    pub(crate) fn hash(&self, hasher: &mut blake3::Hasher) {
        let mut lane = |lane: Uuid, version: i64| {
            hasher.update(lane.as_bytes());
            hasher.update(&version.to_be_bytes());
        };
        for giver in &self.people {
            lane(giver.lane_id, giver.lane_version);
            let (day, week) = giver.limits();
            let most = |max: Option<i16>| max.map_or(0, i64::from);
            lane(giver.staff_id, most(day) << 32 | most(week));
        }
        for need in &self.needs {
            lane(need.id, i64::try_from(need.quantity).unwrap_or(i64::MAX));
            if let Some(part) = need.part {
                lane(need.id, part.from.as_mins() << 32 | part.to.as_mins());
            }
            for unit in &need.units {
                lane(unit.lane, unit.version);
            }
        }
    }
}

/// Needs out of rows that come need by need.
fn needs(rows: Vec<NeedLane>) -> Vec<Need> {
    let mut needs: Vec<Need> = Vec::new();
    for row in rows {
        if needs.last().is_none_or(|need| need.id != row.need_id) {
            needs.push(Need {
                id: row.need_id,
                quantity: usize::try_from(row.quantity).unwrap_or(usize::MAX),
                part: part(row.from_minutes, row.to_minutes),
                units: Vec::new(),
            });
        }
        let unit = row.lane_id.zip(row.lane_version);
        let unit = unit.map(|(lane, version)| Unit {
            lane,
            version,
            location: row.location_id,
        });
        if let Some(need) = needs.last_mut() {
            need.units.extend(unit);
        }
    }
    needs
}

fn part(from: Option<i32>, to: Option<i32>) -> Option<booking::Part> {
    let minutes = |m: i32| SignedDuration::from_mins(i64::from(m));
    from.zip(to).map(|(from, to)| booking::Part {
        from: minutes(from),
        to: minutes(to),
        before: SignedDuration::ZERO,
        after: SignedDuration::ZERO,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_needs_and_an_empty_pool_is_a_need_without_a_lane() {
        let row = |need: u128, lane: Option<u128>| NeedLane {
            need_id: Uuid::from_u128(need),
            quantity: 1,
            from_minutes: (need == 2).then_some(10),
            to_minutes: (need == 2).then_some(20),
            location_id: Uuid::nil(),
            lane_id: lane.map(Uuid::from_u128),
            lane_version: lane.map(|_| 1),
        };
        let needs = needs(vec![row(1, Some(7)), row(1, Some(8)), row(2, None)]);
        let units: Vec<usize> = needs.iter().map(|need| need.units.len()).collect();
        assert_eq!(units, [2, 0]);
        assert_eq!(needs[0].part, None);
        let part = needs[1].part.unwrap();
        assert_eq!((part.from.as_mins(), part.to.as_mins()), (10, 20));
    }
}

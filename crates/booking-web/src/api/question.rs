//! What questions about free times share: with whom, and in which zone times are written.
//! Every parameter that needs another value is named at once.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Deserialize;

use crate::crew::Who;
use crate::desk::Offer;
use crate::error::{Fault, FieldProblem};

#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Question {
    /// The id of one member of staff, or `anyone`.
    #[param(example = "anyone")]
    staff: Option<String>,
    /// A zone by its name, such as `Europe/London`; that of the business if there is none.
    #[param(example = "Africa/Johannesburg")]
    tz: Option<String>,
}

/// A zone with its name.
pub(crate) struct Zone {
    pub(crate) name: String,
    pub(crate) zone: TimeZone,
}

impl Question {
    pub(crate) fn read(&self, offer: &Offer, problems: &mut Problems) -> (Who, Zone) {
        let who = match self.staff.as_deref().map(Who::parse) {
            None => Who::Anyone,
            Some(who) => who.unwrap_or_else(|| {
                problems.add("staff", "must be the id of somebody, or anyone".to_owned());
                Who::Anyone
            }),
        };
        let name = self.tz.as_deref().unwrap_or(&offer.business.zone_id);
        let zone = TimeZone::get(name).unwrap_or_else(|_| {
            problems.add("tz", "must be a zone such as Europe/London".to_owned());
            offer.business.zone.clone()
        });
        let name = name.to_owned();
        (who, Zone { name, zone })
    }
}

/// Parameters that need another value.
#[derive(Debug, Default)]
pub(crate) struct Problems(Vec<FieldProblem>);

impl Problems {
    pub(crate) fn add(&mut self, field: &'static str, detail: String) {
        self.0.push(FieldProblem { field, detail });
    }

    /// Refuses where there are some.
    pub(crate) fn none(self) -> Result<(), Fault> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(Fault::Fields(self.0))
        }
    }

    pub(crate) fn date(&mut self, field: &'static str, text: Option<&str>) -> Option<Date> {
        let date = text?.parse();
        if date.is_err() {
            self.add(field, "must be a date such as 2027-03-24".to_owned());
        }
        date.ok()
    }

    /// A number from 1 to `most`.
    pub(crate) fn number(
        &mut self,
        field: &'static str,
        text: Option<&str>,
        default: i64,
        most: i64,
    ) -> i64 {
        match text.map(str::parse) {
            None => default,
            Some(Ok(number)) if (1..=most).contains(&number) => number,
            Some(_) => {
                self.add(field, format!("must be a number from 1 to {most}"));
                default
            }
        }
    }
}

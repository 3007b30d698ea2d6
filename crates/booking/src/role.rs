//! Who may do what at a business: a role is a set of rights, and this table is the only
//! place that says which. Whoever adds a right decides here about every role.

/// What a member is at a business.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Everything, the members and the keys too.
    Owner,
    /// Everything that keeps the business going.
    Manager,
    /// A calendar of their own.
    Staff,
    /// Everybody's calendar and the customers, and no settings.
    FrontDesk,
}

/// What can be allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Right {
    /// To see and change the bookings and the time off of oneself.
    KeepOwnCalendar,
    /// To see and change the bookings and the time off of everybody.
    KeepAllCalendars,
    /// To look customers up, and to correct and merge them.
    KeepCustomers,
    /// To change services, prices, opening hours, holidays, rooms and staff.
    ChangeOffer,
    /// To change what the business is called, its policies, its words and messages.
    ChangeSettings,
    /// To see numbers, and to take data out.
    SeeReports,
    /// To see what was changed, when and by whom.
    SeeAudit,
    /// To erase what is known of a customer.
    EraseCustomers,
    /// To make and revoke keys and webhooks, through which programs act.
    ManageKeys,
    /// To invite and remove members, and to change their roles.
    ManageMembers,
}

impl Role {
    /// All there are.
    pub const ALL: [Self; 4] = [Self::Owner, Self::Manager, Self::Staff, Self::FrontDesk];

    /// Whether the role includes the right.
    pub fn may(self, right: Right) -> bool {
        use Right as R;
        match self {
            Self::Owner => true,
            Self::Manager => !matches!(right, R::EraseCustomers | R::ManageKeys | R::ManageMembers),
            Self::Staff => right == R::KeepOwnCalendar,
            Self::FrontDesk => {
                matches!(
                    right,
                    R::KeepOwnCalendar | R::KeepAllCalendars | R::KeepCustomers
                )
            }
        }
    }

    /// Its name in the database and for programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Manager => "manager",
            Self::Staff => "staff",
            Self::FrontDesk => "front_desk",
        }
    }

    /// The role of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }
}

impl Right {
    /// All there are.
    pub const ALL: [Self; 10] = [
        Self::KeepOwnCalendar,
        Self::KeepAllCalendars,
        Self::KeepCustomers,
        Self::ChangeOffer,
        Self::ChangeSettings,
        Self::SeeReports,
        Self::SeeAudit,
        Self::EraseCustomers,
        Self::ManageKeys,
        Self::ManageMembers,
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_has_exactly_the_rights_of_the_table() {
        // Owner, manager, staff, front desk.
        let table = [
            (Right::KeepOwnCalendar, "OMSF"),
            (Right::KeepAllCalendars, "OM F"),
            (Right::KeepCustomers, "OM F"),
            (Right::ChangeOffer, "OM  "),
            (Right::ChangeSettings, "OM  "),
            (Right::SeeReports, "OM  "),
            (Right::SeeAudit, "OM  "),
            (Right::EraseCustomers, "O   "),
            (Right::ManageKeys, "O   "),
            (Right::ManageMembers, "O   "),
        ];
        assert_eq!(table.map(|(right, _)| right), Right::ALL);
        for (right, who) in table {
            let may: String = Role::ALL
                .iter()
                .zip("OMSF".chars())
                .map(|(role, letter)| if role.may(right) { letter } else { ' ' })
                .collect();
            assert_eq!(may, who, "{right:?}");
        }
    }

    #[test]
    fn a_role_is_found_again_by_its_name() {
        for role in Role::ALL {
            assert_eq!(Role::parse(role.as_str()), Some(role));
        }
        assert_eq!(Role::parse("admin"), None);
    }
}

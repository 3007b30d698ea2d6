//! Why a time cannot be booked. A refusal is an answer, not an error.

/// Why not; of several people, what keeps off the one who could almost. In this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusal {
    /// Its start is past, or nearer than the notice that the service asks for.
    TooSoon,
    /// Its day is beyond the last one that can be booked.
    TooFar,
    /// It does not lie in the opening hours.
    Closed,
    /// Whoever gives it is away.
    Away,
    /// It lies in the hours, but is not one of the times that are offered.
    OffGrid,
    /// Somebody has it.
    Taken,
    /// A room or a device that it needs is not free.
    NoRoom,
    /// The class has no seat left.
    Full,
    /// As many have booked that day, or that week, as may.
    DayFull,
}

impl Refusal {
    /// One word for programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::TooSoon => "too-soon",
            Self::TooFar => "too-far",
            Self::Closed => "closed",
            Self::Away => "away",
            Self::OffGrid => "off-grid",
            Self::Taken => "taken",
            Self::NoRoom => "room-taken",
            Self::Full => "full",
            Self::DayFull => "day-full",
        }
    }
}

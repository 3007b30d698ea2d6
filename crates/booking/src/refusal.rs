//! Why a time cannot be booked. A refusal is an answer, not an error.

/// Why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Its start is past, or nearer than the notice that the service asks for.
    TooSoon,
    /// Its day is beyond the last one that can be booked.
    TooFar,
    /// It does not lie in the opening hours.
    Closed,
    /// It lies in the hours, but is not one of the times that are offered.
    OffGrid,
    /// Somebody has it.
    Taken,
}

impl Refusal {
    /// One word for programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::TooSoon => "too-soon",
            Self::TooFar => "too-far",
            Self::Closed => "closed",
            Self::OffGrid => "off-grid",
            Self::Taken => "taken",
        }
    }
}

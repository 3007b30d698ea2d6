//! What goes by itself when its time is over: each class of the register after its days, or
//! after those that the business chose. Doing it twice does no harm.

use std::collections::BTreeMap;

use chassis::Random;
use jiff::{SignedDuration, Timestamp};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::erasure::{self, Because, Erased};
use super::register::register;
use crate::store;
use crate::store::{retention as kept, unconfirmed};

/// A request that nobody confirmed is forgotten so long after it lapsed.
const LAPSED_FOR: SignedDuration = SignedDuration::from_hours(24 * 30);

/// Sign-ins, links and counts open nothing when their time is over; they go a day later.
const OVER_FOR: SignedDuration = SignedDuration::from_hours(24);

/// How much of each class went.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Gone(pub(crate) BTreeMap<&'static str, u64>);

impl Gone {
    fn add(&mut self, class: &'static str, rows: u64) {
        *self.0.entry(class).or_default() += rows;
    }

    pub(crate) fn total(&self) -> u64 {
        self.0.values().sum()
    }
}

/// What goes row by row, in the order in which it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Notes,
    Messages,
    Holders,
    Lapsed,
    Requests,
    Holds,
    Access,
    Proofs,
    Incidents,
    Invitations,
}

impl Kind {
    const ALL: [Self; 10] = [
        Self::Notes,
        Self::Messages,
        Self::Holders,
        Self::Lapsed,
        Self::Requests,
        Self::Holds,
        Self::Access,
        Self::Proofs,
        Self::Incidents,
        Self::Invitations,
    ];

    /// Of which class of the register it is.
    fn class(self) -> &'static str {
        match self {
            Self::Notes => "note",
            Self::Messages => "message",
            Self::Holders => "technical",
            Self::Lapsed | Self::Requests => "request",
            Self::Holds => "hold",
            Self::Access => "access",
            Self::Proofs => "proof",
            Self::Incidents => "incident",
            Self::Invitations => "account",
        }
    }

    /// Lets go of some of it at the business in scope.
    async fn some(self, connection: &mut PgConnection, times: &Times) -> sqlx::Result<u64> {
        let before = times.before(self.class());
        match self {
            Self::Notes => kept::notes(connection, before).await,
            Self::Messages => kept::messages(connection, before).await,
            Self::Holders => kept::holders(connection, before).await,
            Self::Lapsed => kept::lapse(connection, times.now).await,
            Self::Requests => {
                let lapsed = times.now.saturating_sub(LAPSED_FOR);
                let lapsed = lapsed.unwrap_or(Timestamp::MIN);
                kept::requests(connection, before, lapsed).await
            }
            Self::Holds => kept::lifted(connection, before).await,
            Self::Access => kept::access(connection, before).await,
            Self::Proofs => kept::proofs(connection, before).await,
            Self::Incidents => kept::incidents(connection, before).await,
            Self::Invitations => kept::invitations(connection, before).await,
        }
    }
}

/// Lets go of everything whose time is over, of every business. One that cannot be done is
/// logged and does not keep the others from theirs.
pub(crate) async fn retain(pool: &PgPool, random: &Random, now: Timestamp) -> sqlx::Result<Gone> {
    let mut gone = Gone::default();
    for business in erasure::businesses(pool).await? {
        match at_business(pool, random, business, now, &mut gone).await {
            Ok(()) => {}
            Err(error) if store::is_away(&error) => return Err(error),
            Err(error) => {
                tracing::error!(%business, %error, "what is over stays at a business");
            }
        }
    }
    let times = Times {
        choices: Vec::new(),
        now,
    };
    unconfirmed(pool, &times, &mut gone).await?;
    let over = now.saturating_sub(OVER_FOR).unwrap_or(Timestamp::MIN);
    loop {
        let mut transaction = store::begin_unscoped(pool).await?;
        kept::says(&mut transaction).await?;
        let ended = kept::ended(&mut transaction, over).await?;
        let old = kept::security(&mut transaction, times.before("security")).await?;
        transaction.commit().await?;
        gone.add("security", ended + old);
        if ended + old == 0 {
            return Ok(gone);
        }
    }
}

/// Forgets who signed up and never showed that the address is theirs, so long after the link
/// in the mail ended. A business that was listed or booked stays with its owner.
async fn unconfirmed(pool: &PgPool, times: &Times, gone: &mut Gone) -> sqlx::Result<()> {
    let before = times.before("account");
    let mut transaction = store::begin_unscoped(pool).await?;
    kept::says(&mut transaction).await?;
    let accounts = unconfirmed::ended(&mut transaction, before).await?;
    transaction.rollback().await?;
    for account in accounts {
        let mut transaction = store::begin_unscoped(pool).await?;
        let connection = &mut *transaction;
        store::account::scope(connection, account).await?;
        if !unconfirmed::lock(connection, account).await? {
            continue;
        }
        let places = store::membership::places(connection, account).await?;
        let mut is_used = false;
        for place in &places {
            store::scope(connection, place.business).await?;
            is_used |= unconfirmed::is_used(connection, place.business).await?;
        }
        if is_used {
            continue;
        }
        for place in &places {
            store::scope(connection, place.business).await?;
            unconfirmed::forget_business(connection, place.business).await?;
        }
        unconfirmed::forget(connection, account).await?;
        transaction.commit().await?;
        gone.add("account", 1);
    }
    Ok(())
}

async fn at_business(
    pool: &PgPool,
    random: &Random,
    business: Uuid,
    now: Timestamp,
    gone: &mut Gone,
) -> sqlx::Result<()> {
    let mut transaction = store::begin(pool, business).await?;
    let times = Times {
        choices: kept::choices(&mut transaction).await?,
        now,
    };
    transaction.rollback().await?;
    customers(pool, random, business, &times, gone).await?;
    for kind in Kind::ALL {
        loop {
            let mut transaction = store::begin(pool, business).await?;
            kept::says(&mut transaction).await?;
            let some = kind.some(&mut transaction, &times).await?;
            transaction.commit().await?;
            gone.add(kind.class(), some);
            if some == 0 {
                break;
            }
        }
    }
    Ok(())
}

/// Erases who was not there for long, some in each transaction. Whoever cannot be erased yet
/// is passed over.
async fn customers(
    pool: &PgPool,
    random: &Random,
    business: Uuid,
    times: &Times,
    gone: &mut Gone,
) -> sqlx::Result<()> {
    let before = times.before("contact");
    let mut behind = Uuid::nil();
    loop {
        let mut transaction = store::begin(pool, business).await?;
        let over = kept::customers(&mut transaction, before, behind).await?;
        let Some(last) = over.last().copied() else {
            return Ok(());
        };
        let mut erased = 0;
        for customer in over {
            let (who, because) = ((business, customer), Because::TimeIsOver { before });
            let done = erasure::erase(&mut transaction, random, who, because, times.now).await?;
            erased += u64::from(done == Erased::Now);
        }
        transaction.commit().await?;
        gone.add("contact", erased);
        behind = last;
    }
}

/// Until when each class is kept at a business.
struct Times {
    choices: Vec<(String, i32)>,
    now: Timestamp,
}

impl Times {
    /// What is older than this is over.
    fn before(&self, class: &str) -> Timestamp {
        let choice = self.choices.iter().find(|(name, _)| name == class);
        let registered = || {
            register()
                .class(class)
                .map_or(i64::MAX, |c| i64::from(c.days))
        };
        let days = choice.map_or_else(registered, |(_, days)| i64::from(*days));
        let span = SignedDuration::from_hours(days.saturating_mul(24));
        self.now.saturating_sub(span).unwrap_or(Timestamp::MIN)
    }
}

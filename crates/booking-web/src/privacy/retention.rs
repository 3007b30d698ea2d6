//! What goes by itself when its time is over: each class of the register after its days, or
//! after those that the business chose. Doing it twice does no harm.

use std::collections::BTreeMap;

use chassis::Random;
use jiff::{SignedDuration, Timestamp};
use sqlx::PgPool;
use uuid::Uuid;

use super::erasure::{self, Because, Erased};
use super::register::register;
use crate::store;
use crate::store::retention as kept;

/// A request that nobody confirmed is forgotten so long after it lapsed.
const LAPSED_FOR: SignedDuration = SignedDuration::from_hours(24 * 30);

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

/// Lets go of everything whose time is over, of every business.
pub(crate) async fn retain(pool: &PgPool, random: &Random, now: Timestamp) -> sqlx::Result<Gone> {
    let mut gone = Gone::default();
    for business in erasure::businesses(pool).await? {
        let mut transaction = store::begin(pool, business).await?;
        let times = Times {
            choices: kept::choices(&mut transaction).await?,
            now,
        };
        transaction.rollback().await?;
        customers(pool, random, business, &times, &mut gone).await?;
        let mut transaction = store::begin(pool, business).await?;
        let connection = &mut *transaction;
        kept::says(connection).await?;
        gone.add("note", kept::notes(connection, times.before("note")).await?);
        let technical = kept::holders(connection, times.before("technical")).await?;
        gone.add("technical", technical);
        kept::lapse(connection, now).await?;
        let lapsed = now.saturating_sub(LAPSED_FOR).unwrap_or(Timestamp::MIN);
        let requests = kept::requests(connection, times.before("request"), lapsed).await?;
        gone.add("request", requests);
        gone.add(
            "hold",
            kept::lifted(connection, times.before("hold")).await?,
        );
        gone.add(
            "access",
            kept::access(connection, times.before("access")).await?,
        );
        gone.add(
            "proof",
            kept::proofs(connection, times.before("proof")).await?,
        );
        let incidents = kept::incidents(connection, times.before("incident")).await?;
        gone.add("incident", incidents);
        let invitations = kept::invitations(connection, times.before("account")).await?;
        gone.add("account", invitations);
        transaction.commit().await?;
    }
    let times = Times {
        choices: Vec::new(),
        now,
    };
    let mut transaction = pool.begin().await?;
    kept::says(&mut transaction).await?;
    let security = kept::security(&mut transaction, times.before("security")).await?;
    gone.add("security", security);
    transaction.commit().await?;
    Ok(gone)
}

/// Erases who was not there for long, each in a transaction of their own.
async fn customers(
    pool: &PgPool,
    random: &Random,
    business: Uuid,
    times: &Times,
    gone: &mut Gone,
) -> sqlx::Result<()> {
    loop {
        let mut transaction = store::begin(pool, business).await?;
        let over = kept::customers(&mut transaction, times.before("contact")).await?;
        let mut erased = 0;
        for customer in over {
            let (who, because) = ((business, customer), Because::TimeIsOver);
            let done = erasure::erase(&mut transaction, random, who, because, times.now).await?;
            erased += u64::from(done == Erased::Now);
        }
        transaction.commit().await?;
        gone.add("contact", erased);
        if erased == 0 {
            return Ok(());
        }
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

//! The program `booking`: serve the application, send
//! its messages, bring its schema up to date, or
//! fill it with a demonstration. Exit codes: 0 done, 1 failed, 2 wrong usage or
//! environment.

use std::process::ExitCode;

use chassis::Env;
use chassis::telemetry::TelemetryError;
use clap::{Parser, Subcommand};

use booking_web::{ConfigError, Task};

/// Appointment booking: pages and API.
#[derive(Debug, Parser)]
#[command(
    name = "booking",
    version,
    about,
    arg_required_else_help = true,
    after_help = "Examples:\n  \
        DATABASE_URL=postgres://localhost/booking booking migrate\n  \
        DATABASE_URL=postgres://localhost/booking booking seed\n  \
        DATABASE_URL=postgres://localhost/booking PORT=3000 booking serve\n  \
        DATABASE_URL=postgres://localhost/booking SMTP_URL=smtp://localhost \
        MAIL_FROM=bookings@example.co.za PUBLIC_URL=https://example.co.za booking worker\n\n\
        Environment:\n  \
        DATABASE_URL          where PostgreSQL answers (required)\n  \
        PORT                  port on 127.0.0.1 for visitors (3000; 0 lets the system choose)\n  \
        INTERNAL_PORT         port on 127.0.0.1 for /metrics (not served when unset)\n  \
        REDIS_URL             where Redis answers (availability is computed each time when unset)\n  \
        RELEASE               the release id to report (development)\n  \
        FORM_KEY              secret behind forms and booking links, 32 characters or more\n  \
                              (derived from DATABASE_URL when unset)\n  \
        FORM_KEY_OLD          the one before, while code apps that were set up under it are used\n  \
        PUBLIC_URL            where visitors reach the application, as https://…; passkeys belong\n  \
                              to it (without HTTPS http://localhost and the port when unset)\n  \
        KEY_REQUESTS_PER_MINUTE  requests that a key of the API may make in a minute (600)\n  \
        SECURE_COOKIES        true when visitors come over HTTPS (false)\n  \
        DATABASE_CONNECTIONS  most connections to PostgreSQL (16)\n  \
        DRAIN_SECONDS         time for what is in flight after SIGTERM (25; worker 45)\n  \
        WEBHOOK_PRIVATE_ADDRESSES  true lets webhooks lead to private addresses, by HTTP too (false)\n  \
        LOG                   filter of log lines, such as info,sqlx=warn (info)\n\n\
        Environment of the worker, besides:\n  \
        PUBLIC_URL            where visitors reach the application, for links in mail (required)\n  \
        SMTP_URL              where mail is sent (required): smtps://user:password@host, or\n  \
                              smtp://user:password@host:587?tls=required for STARTTLS, or\n  \
                              file:///folder to put it there instead\n  \
        MAIL_FROM             the address that mail is sent from (required)\n  \
        SMS_URL               where the vendor of text messages answers (none are sent when unset)\n  \
        SMS_TOKEN             what that vendor knows us by (required with SMS_URL)\n  \
        WORKER_SLOTS          messages that may be under way at once (32)\n\n\
        Exit codes: 0 done, 1 failed, 2 wrong usage or environment"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Answer visitors until SIGTERM or SIGINT, then finish what is in flight
    Serve,
    /// Send mail, reminders and whatever else is due, until SIGTERM or SIGINT
    Worker,
    /// Apply the schema changes that are missing; safe to run again, and beside a running release
    Migrate,
    /// Fill an empty database with a demonstration: three businesses and a month of bookings
    Seed,
    /// The record of what happened
    #[command(subcommand)]
    Audit(AuditCommand),
    /// What the law asks for about data of people
    #[command(subcommand)]
    Privacy(PrivacyCommand),
    /// Give back the times that were held for long enough and not confirmed
    Sweep,
    /// After the rules of a zone have changed, name the visits whose time on the wall is at another
    /// instant now; fails where one of them cannot move
    Rezone {
        /// Move them, too; without this nothing is changed
        #[arg(long)]
        apply: bool,
    },
}

#[derive(Debug, Subcommand)]
enum AuditCommand {
    /// Follow the chain of every business and name the first broken entry; fails where there is one
    Verify,
    /// Append to the chains what was written since the last time; the worker does it every minute
    Seal,
}

#[derive(Debug, Subcommand)]
enum PrivacyCommand {
    /// Print the list of who was erased, as hashes; keep it apart from the backups
    Erasures,
    /// Erase again, after an older backup was restored, whoever is in the list on standard input
    Reapply,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let env = Env::process();
    let task = match arguments.command {
        Command::Serve => Task::Serve,
        Command::Worker => Task::Work,
        Command::Migrate => Task::Migrate,
        Command::Seed => Task::Seed,
        Command::Audit(AuditCommand::Verify) => Task::VerifyAudit,
        Command::Audit(AuditCommand::Seal) => Task::SealAudit,
        Command::Privacy(PrivacyCommand::Erasures) => Task::ListErasures,
        Command::Privacy(PrivacyCommand::Reapply) => Task::Reapply,
        Command::Sweep => Task::Sweep,
        Command::Rezone { apply: false } => Task::LookAtZones,
        Command::Rezone { apply: true } => Task::Rezone,
    };
    match booking_web::run(task, &env) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let is_usage = error.is::<ConfigError>() || error.is::<TelemetryError>();
            report(&error);
            if is_usage {
                ExitCode::from(2)
            } else {
                ExitCode::FAILURE
            }
        }
    }
}

#[expect(
    clippy::print_stderr,
    reason = "the person at the terminal reads this, also when logging could not start"
)]
fn report(error: &anyhow::Error) {
    eprintln!("booking: {error:#}");
}

//! Starts PostgreSQL and Redis, prints how tests find them, and holds them until its
//! input ends. For the test that kills it, and for a person who wants both by hand.

use std::io::Read as _;

use testkit::services::Services;

fn main() -> anyhow::Result<()> {
    let services = Services::start()?;
    for (name, value) in services.variables() {
        println!("{name}={value}");
    }
    let mut rest = Vec::new();
    std::io::stdin().read_to_end(&mut rest)?;
    Ok(())
}

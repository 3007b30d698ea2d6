//! Accounts of this machine, read from `/etc/passwd`. Never changes one.

use std::fs;
use std::io;
use std::path::Path;

/// One account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// Its user id.
    pub uid: u32,
    /// Its group id.
    pub gid: u32,
}

impl Account {
    /// The account called `name`, where there is one.
    pub fn named(name: &str) -> io::Result<Option<Self>> {
        Ok(all()?.into_iter().find(|a| a.name == name))
    }

    /// The first of `names` that exists.
    pub fn first_of(names: &[&str]) -> io::Result<Option<Self>> {
        let accounts = all()?;
        Ok(names
            .iter()
            .find_map(|n| accounts.iter().find(|a| a.name == *n).cloned()))
    }

    /// The name of the account `uid`; its number where it has no name.
    pub fn name_of(uid: u32) -> String {
        let accounts = all().unwrap_or_default();
        accounts
            .into_iter()
            .find(|a| a.uid == uid)
            .map_or_else(|| uid.to_string(), |a| a.name)
    }
}

/// Whether this process runs as root.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// The account that something drops to when this process is root; none when it is not.
pub fn unprivileged(names: &[&str]) -> io::Result<Option<Account>> {
    if !is_root() {
        return Ok(None);
    }
    match Account::first_of(names)? {
        Some(account) => Ok(Some(account)),
        None => Err(io::Error::other(format!(
            "none of the accounts {} exists",
            names.join(", ")
        ))),
    }
}

/// Gives a file or folder to `account`; does nothing where there is none.
pub fn give(path: &Path, account: Option<&Account>) -> io::Result<()> {
    match account {
        Some(account) => std::os::unix::fs::chown(path, Some(account.uid), Some(account.gid)),
        None => Ok(()),
    }
}

fn all() -> io::Result<Vec<Account>> {
    Ok(parse(&fs::read_to_string("/etc/passwd")?))
}

fn parse(text: &str) -> Vec<Account> {
    text.lines()
        .filter_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next()?.to_owned();
            let uid = fields.nth(1)?.parse().ok()?;
            let gid = fields.next()?.parse().ok()?;
            Some(Account { name, uid, gid })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_read_and_odd_lines_skipped() {
        let accounts =
            parse("root:x:0:0:root:/root:/bin/sh\n+\nnobody:x:65534:65533::/:/bin/false\n");
        assert_eq!(accounts.len(), 2);
        assert_eq!(
            accounts[1],
            Account {
                name: "nobody".into(),
                uid: 65534,
                gid: 65533
            }
        );
    }
}

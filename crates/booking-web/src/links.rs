//! Addresses that are secrets: of a booking, and for who wants no more reminders. They
//! follow from a key that all instances share, so none has to be kept.

use data_encoding::BASE32_NOPAD;
use uuid::Uuid;

/// Which messages somebody does not want.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reminders {
    Email,
    Sms,
}

impl Reminders {
    /// Its name in the database.
    pub(crate) fn channel(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Sms => "sms",
        }
    }
}

/// Whom an address to unsubscribe is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Subscriber {
    pub(crate) business: Uuid,
    pub(crate) customer: Uuid,
    pub(crate) reminders: Reminders,
}

/// Makes secret addresses and reads them again.
#[derive(Clone)]
pub(crate) struct Links {
    booking_key: [u8; 32],
    unsubscribe_key: [u8; 32],
}

const MAC_BYTES: usize = 16;

impl Links {
    pub(crate) fn derive(material: &str) -> Self {
        let key = |purpose| blake3::derive_key(purpose, material.as_bytes());
        Self {
            booking_key: key("booking 2026 booking links"),
            unsubscribe_key: key("booking 2026 unsubscribe links"),
        }
    }

    /// What turns the id of a booking into its secret address.
    pub(crate) fn booking_key(&self) -> [u8; 32] {
        self.booking_key
    }

    /// The secret address of a booking: 128 bits that only the key can tell.
    pub(crate) fn booking(&self, booking: Uuid) -> String {
        token(&self.booking_key, booking)
    }

    /// Names whom it is for, and proves that it was given by us.
    pub(crate) fn unsubscribe(&self, subscriber: Subscriber) -> String {
        let mut bytes = Vec::with_capacity(33 + MAC_BYTES);
        bytes.push(match subscriber.reminders {
            Reminders::Email => 1,
            Reminders::Sms => 2,
        });
        bytes.extend(subscriber.business.as_bytes());
        bytes.extend(subscriber.customer.as_bytes());
        let mac = blake3::keyed_hash(&self.unsubscribe_key, &bytes);
        bytes.extend(mac.as_bytes().iter().take(MAC_BYTES));
        BASE32_NOPAD.encode(&bytes).to_ascii_lowercase()
    }

    /// Whom an address is for; none where it is not ours.
    pub(crate) fn subscriber(&self, token: &str) -> Option<Subscriber> {
        let bytes = BASE32_NOPAD
            .decode(token.to_ascii_uppercase().as_bytes())
            .ok()?;
        let (named, mac) = bytes.split_at_checked(33)?;
        let mac: [u8; MAC_BYTES] = mac.try_into().ok()?;
        let mut padded = [0; 32];
        let mut expected = [0; 32];
        let whole = blake3::keyed_hash(&self.unsubscribe_key, named);
        padded.iter_mut().zip(mac).for_each(|(to, from)| *to = from);
        expected
            .iter_mut()
            .zip(whole.as_bytes().iter().take(MAC_BYTES))
            .for_each(|(to, from)| *to = *from);
        // Compares in constant time.
        if blake3::Hash::from_bytes(padded) != blake3::Hash::from_bytes(expected) {
            return None;
        }
        let (kind, ids) = named.split_first()?;
        let (business, customer) = ids.split_at_checked(16)?;
        Some(Subscriber {
            business: Uuid::from_slice(business).ok()?,
            customer: Uuid::from_slice(customer).ok()?,
            reminders: match kind {
                1 => Reminders::Email,
                2 => Reminders::Sms,
                _ => return None,
            },
        })
    }
}

/// The secret address of a booking under `key`.
pub(crate) fn token(key: &[u8; 32], booking: Uuid) -> String {
    let hash = blake3::keyed_hash(key, booking.as_bytes());
    let (secret, _) = hash.as_bytes().split_at(16);
    BASE32_NOPAD.encode(secret).to_ascii_lowercase()
}

/// What is kept of an address that wants no reminders of a business: the same whatever key
/// the instances share, and another one for each business.
pub(crate) fn suppressed(business: Uuid, reminders: Reminders, address: &str) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_derive_key("booking 2026 suppressed addresses");
    hasher.update(business.as_bytes());
    hasher.update(reminders.channel().as_bytes());
    hasher.update(&[0]);
    hasher.update(address.trim().to_lowercase().as_bytes());
    *hasher.finalize().as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subscriber() -> Subscriber {
        Subscriber {
            business: Uuid::from_u128(7),
            customer: Uuid::from_u128(8),
            reminders: Reminders::Sms,
        }
    }

    #[test]
    fn an_address_to_unsubscribe_is_read_back_and_no_other_is() {
        let links = Links::derive("material");
        let token = links.unsubscribe(subscriber());
        assert_eq!(links.subscriber(&token), Some(subscriber()));
        assert_eq!(Links::derive("other").subscriber(&token), None);
        for place in 0..token.len() {
            let mut other: Vec<char> = token.chars().collect();
            other[place] = if other[place] == 'a' { 'b' } else { 'a' };
            let other: String = other.into_iter().collect();
            assert_eq!(links.subscriber(&other), None, "{other}");
        }
        for broken in ["", "a", "not base 32!", token.split_at(token.len() - 2).0] {
            assert_eq!(links.subscriber(broken), None, "{broken}");
        }
    }

    #[test]
    fn an_address_is_known_again_however_it_is_written_and_at_its_business_only() {
        let one = suppressed(
            Uuid::from_u128(1),
            Reminders::Email,
            "Thandi@Example.co.za ",
        );
        let again = suppressed(Uuid::from_u128(1), Reminders::Email, "thandi@example.co.za");
        let other = suppressed(Uuid::from_u128(2), Reminders::Email, "thandi@example.co.za");
        assert_eq!(one, again);
        assert_ne!(one, other);
    }
}

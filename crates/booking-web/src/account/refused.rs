//! Passwords that are long enough and guessed first all the same: the commonest ones, one
//! piece said again and again, a walk along the keyboard, somebody's own name. Pure.

/// The commonest of twelve characters or more, and the words that most of them are made
/// of: a word with nothing but digits and signs around it is refused as well.
const COMMON: &[&str] = &[
    "accessgranted",
    "administrator",
    "afrikaans",
    "allblacks",
    "appointment",
    "appointmentbooking",
    "babygirl",
    "basketball",
    "beautiful",
    "bloemfontein",
    "bookingbooking",
    "butterfly",
    "capetown",
    "changeme",
    "changemenow",
    "cheesecake",
    "chocolate",
    "christmas",
    "computer",
    "correcthorsebatterystaple",
    "cricketcricket",
    "defaultpassword",
    "durban",
    "elephant",
    "football",
    "forgotpassword",
    "freedom",
    "godisgood",
    "godislove",
    "goodmorning",
    "hakunamatata",
    "halloween",
    "harrypotter",
    "helloworld",
    "heslo",
    "iamtheboss",
    "icecream",
    "iloveyou",
    "iloveyousomuch",
    "ilovemyself",
    "ilovejesus",
    "jesuschrist",
    "jesusislord",
    "johannesburg",
    "kaiserchiefs",
    "kaizerchiefs",
    "letmein",
    "letmeinnow",
    "letmeinplease",
    "liverpool",
    "liverpoolfc",
    "manchester",
    "manchesterunited",
    "masterpassword",
    "michaeljordan",
    "microsoft",
    "motdepasse",
    "mypassword",
    "mynameis",
    "nelsonmandela",
    "newpassword",
    "nopassword",
    "notapassword",
    "orlandopirates",
    "passphrase",
    "password",
    "passwordone",
    "passw0rd",
    "p@ssw0rd",
    "p@ssword",
    "pa$$word",
    "pa55word",
    "pokemon",
    "pretoria",
    "princess",
    "protea",
    "qwertyuiop",
    "qwerty",
    "secretpassword",
    "southafrica",
    "spiderman",
    "springboks",
    "starwars",
    "strawberry",
    "summer",
    "sunflower",
    "sunshine",
    "superman",
    "supersecret",
    "temporary",
    "testtest",
    "thisisapassword",
    "trustno1",
    "unknown",
    "wachtwoord",
    "watermelon",
    "welcome",
    "welcometo",
    "whatever",
    "winter",
    "wagwoord",
    "yourpassword",
    "zaq12wsxcde3",
    "1q2w3e4r5t6y",
    "1qaz2wsx3edc",
    "q1w2e3r4t5y6",
    "qazwsxedcrfv",
    "asdfghjkl",
];

/// Along these a finger walks without thinking.
const WALKS: &[&str] = &[
    "01234567890123456789",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "1q2w3e4r5t6y7u8i9o0p",
];

/// A piece of at most so many letters, said again and again, is as short as it is.
const PIECE_CHARS_MAX: usize = 6;

/// Whether somebody who guesses would try this early. `names` are those of the person.
pub(super) fn is_guessable(password: &str, names: &[&str]) -> bool {
    let password = password.to_lowercase();
    let bare: String = password.chars().filter(|c| !c.is_whitespace()).collect();
    is_repeated(&bare) || is_walk(&bare) || is_common(&bare) || is_name(&bare, names)
}

fn is_repeated(text: &str) -> bool {
    let chars: Vec<char> = text.chars().collect();
    (1..=PIECE_CHARS_MAX.min(chars.len())).any(|size| {
        chars
            .iter()
            .zip(chars.iter().skip(size))
            .all(|(a, b)| a == b)
    })
}

fn is_walk(text: &str) -> bool {
    let reversed: String = text.chars().rev().collect();
    WALKS
        .iter()
        .any(|walk| walk.contains(text) || walk.contains(&reversed))
}

fn is_common(text: &str) -> bool {
    let word = text.trim_matches(|c: char| !c.is_alphabetic());
    COMMON
        .iter()
        .any(|common| *common == text || *common == word)
}

/// What is known of a person, with nothing but digits and signs around it.
fn is_name(text: &str, names: &[&str]) -> bool {
    let letters = |text: &str| -> String {
        text.to_lowercase()
            .chars()
            .filter(|c| c.is_alphabetic())
            .collect()
    };
    let text = letters(text);
    names.iter().any(|name| {
        let name = letters(name);
        name.chars().count() >= 3 && text == name
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_tried_first_is_refused() {
        for guessed in [
            "Password1234",
            "password 2027!",
            "SouthAfrica2027",
            "abababababab",
            "hello1hello1hello1",
            "123456789012",
            "210987654321",
            "qwertyuiopas",
            "1qaz2wsx3edc",
            "KaizerChiefs!!",
            "Thandi.Nkosi99",
            "karoo-cuts-2027",
        ] {
            let names = ["Thandi Nkosi", "Karoo Cuts", "thandi@karoo-cuts.example"];
            assert!(is_guessable(guessed, &names), "{guessed}");
        }
    }

    #[test]
    fn a_sentence_is_taken_whatever_it_is_made_of() {
        for taken in [
            "my sister sings on sundays",
            "die kat sit op die dak",
            "abcdefghijklm!?",
            "nkosi and two goats",
        ] {
            assert!(!is_guessable(taken, &["Thandi Nkosi"]), "{taken}");
        }
    }
}

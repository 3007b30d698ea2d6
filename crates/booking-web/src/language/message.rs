//! A message by its key, with its arguments, in no language yet: what pure code gives to
//! whoever knows the reader. Keys stand in the source as they are, so that a test can
//! see that each exists and that none is forgotten.

use super::{Language, Text};

/// What is to be said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    pub(super) key: &'static str,
    pub(super) arguments: Vec<(&'static str, Value)>,
}

/// What is put into a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Text(String),
    /// Also chooses between one and many.
    Number(i64),
}

/// The message of that key.
pub(crate) fn message(key: &'static str) -> Message {
    Message {
        key,
        arguments: Vec::new(),
    }
}

impl Message {
    /// Puts `value` where the message names it.
    pub(crate) fn with(mut self, name: &'static str, value: impl Argument) -> Self {
        self.arguments.push((name, value.value()));
        self
    }

    pub(crate) fn text(self, language: Language) -> Text {
        Text {
            language,
            message: self,
        }
    }
}

/// What can be put into a message.
pub(crate) trait Argument {
    fn value(&self) -> Value;
}

impl<T: Argument + ?Sized> Argument for &T {
    fn value(&self) -> Value {
        T::value(self)
    }
}

impl Argument for str {
    fn value(&self) -> Value {
        Value::Text(self.to_owned())
    }
}

impl Argument for String {
    fn value(&self) -> Value {
        Value::Text(self.clone())
    }
}

impl Argument for Text {
    fn value(&self) -> Value {
        Value::Text(self.to_string())
    }
}

macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl Argument for $number {
            fn value(&self) -> Value {
                Value::Number(i64::from(*self))
            }
        }
    )*};
}

numbers!(i8, i16, i32, i64, u8, u16, u32);

impl Argument for usize {
    fn value(&self) -> Value {
        Value::Number(i64::try_from(*self).unwrap_or(i64::MAX))
    }
}

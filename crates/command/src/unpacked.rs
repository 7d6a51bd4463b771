//! A value that was made from the payload of a RESTORE before the command has any lock.
//!
//! Making a collection of a million elements takes long. Whoever runs the command may have it done by another thread first, and
//! hands it over in the command's [`crate::context::Env`]; a handler that finds none makes the value itself.

use std::sync::{Arc, Mutex, PoisonError};

use value::Value;

/// The place for one value: shared between who makes it and who runs the command.
#[derive(Clone, Debug, Default)]
pub struct Unpacked(Arc<Mutex<State>>);

#[derive(Debug, Default)]
enum State {
    /// It is being made.
    #[default]
    Working,
    /// It has been made, and perhaps taken; nothing was made of a payload that is damaged or holds a string.
    Ready(Option<Value>),
}

impl Unpacked {
    /// It has been made, or could not be.
    pub fn finish(&self, value: Option<Value>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = State::Ready(value);
    }

    /// Whether there is nothing to wait for any more.
    pub fn is_ready(&self) -> bool {
        matches!(*self.0.lock().unwrap_or_else(PoisonError::into_inner), State::Ready(_))
    }

    /// The value, once.
    pub fn take(&self) -> Option<Value> {
        match &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            State::Ready(value) => value.take(),
            State::Working => None,
        }
    }
}

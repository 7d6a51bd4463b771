//! Strings.

use command::binding::{Binding, keys};

mod get;

pub(crate) const TABLE: &[Binding] = &[keys("get", get::get)];

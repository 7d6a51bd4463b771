//! Commands on keys of any type.

use command::binding::{Binding, keys};

mod dump;
mod restore;
pub(crate) mod scan;

pub(crate) const TABLE: &[Binding] =
    &[keys("dump", dump::dump), keys("restore", restore::restore), keys("restore-asking", restore::restore)];

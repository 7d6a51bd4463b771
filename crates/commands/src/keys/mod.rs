//! Commands on keys of any type.

use command::binding::Binding;

pub(crate) mod scan;

pub(crate) const TABLE: &[Binding] = &[];

use command::binding::Binding;

pub(crate) const TABLE: &[Binding] = &[];

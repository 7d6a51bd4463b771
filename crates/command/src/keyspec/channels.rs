//! Which arguments are channels, for the ACL's channel rules.

use crate::row::bits;

bits! {
    /// What a command does with a channel.
    ChannelFlags(u8) {
        SUBSCRIBE = 0, "subscribe";
        UNSUBSCRIBE = 1, "unsubscribe";
        PUBLISH = 2, "publish";
        /// The arguments are patterns of channels.
        PATTERN = 3, "pattern";
    }
}

/// Which arguments are channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channels {
    None,
    /// The first argument.
    First(ChannelFlags),
    /// All arguments.
    All(ChannelFlags),
}

impl Channels {
    pub const NONE: Channels = Channels::None;

    /// The indexes of the channels among `argc` arguments, and what is done with them.
    pub fn among(self, argc: usize) -> (std::ops::Range<usize>, ChannelFlags) {
        match self {
            Channels::None => (0..0, ChannelFlags::NONE),
            Channels::First(flags) => (1..argc.clamp(1, 2), flags),
            Channels::All(flags) => (1..argc.max(1), flags),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_the_first_or_all_arguments() {
        assert_eq!(Channels::All(ChannelFlags::SUBSCRIBE).among(3), (1..3, ChannelFlags::SUBSCRIBE));
        assert_eq!(Channels::First(ChannelFlags::PUBLISH).among(3), (1..2, ChannelFlags::PUBLISH));
        assert_eq!(Channels::All(ChannelFlags::PUBLISH).among(0).0, 1..1);
        assert!(Channels::NONE.among(3).0.is_empty());
    }
}

//! What can go wrong with a connection. The texts are those that users of the peers' tools know.

use std::{fmt, io};

use resp::value::DecodeError;

/// Why a connection could not be made or used.
#[derive(Debug)]
pub enum Error {
    /// The host name has no address, or the connection was refused or timed out.
    Connect(io::Error),
    /// Reading or writing failed.
    Io(io::Error),
    /// No byte came, or could be sent, within the time set in the options.
    TimedOut,
    /// The server closed the connection in good order.
    Closed,
    /// What came is no reply.
    Protocol(DecodeError),
}

impl Error {
    /// Whether the connection was lost, as opposed to never made or out of step.
    pub fn is_lost(&self) -> bool {
        match self {
            Error::Closed => true,
            Error::Io(error) => {
                matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe)
            }
            _ => false,
        }
    }

    /// Sorts an error of the operating system, hit while reading or writing.
    pub(crate) fn from_io(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Error::TimedOut,
            _ => Error::Io(error),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Connect(error) | Error::Io(error) => f.write_str(&os_text(error)),
            Error::TimedOut => f.write_str("Resource temporarily unavailable"),
            Error::Closed => f.write_str("Server closed the connection"),
            Error::Protocol(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Connect(error) | Error::Io(error) => Some(error),
            Error::Protocol(error) => Some(error),
            Error::TimedOut | Error::Closed => None,
        }
    }
}

/// The operating system's own words: without the error number, and without the standard library's
/// remark that it was a host name that failed.
pub fn os_text(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.strip_prefix("failed to lookup address information: ").unwrap_or(&text);
    match text.rfind(" (os error ") {
        Some(end) => text[..end].to_owned(),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_the_ones_users_know() {
        let refused = io::Error::from_raw_os_error(111);
        assert_eq!(Error::Connect(refused).to_string(), "Connection refused");
        assert_eq!(Error::Closed.to_string(), "Server closed the connection");
        let name = io::Error::other("failed to lookup address information: Name or service not known");
        assert_eq!(Error::Connect(name).to_string(), "Name or service not known");
        let bytes = Error::Protocol(DecodeError::UnknownType(b'H'));
        assert_eq!(bytes.to_string(), "Protocol error, got \"H\" as reply type byte");
    }
}

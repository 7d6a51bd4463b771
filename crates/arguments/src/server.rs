//! Where the server is, and who asks: the flags that all tools share.

use std::path::PathBuf;

use client::Address;

use crate::flag::{Action, Flag, path, refusal};
use crate::number::leading_int;
use crate::uri;
use Action::{Missing, Switch, Value};

const NO_TLS: &str = "TLS is not built into this release";
const INVALID_PORT: &str = "Invalid server port.";

/// A server, and as whom to speak to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    pub host: String,
    pub port: u16,
    /// Instead of host and port.
    pub socket: Option<PathBuf>,
    /// Connect with Multipath TCP, where the system has it.
    pub multipath: bool,
    pub user: Option<Vec<u8>>,
    pub password: Option<Vec<u8>>,
    pub db: i64,
}

impl Default for Server {
    fn default() -> Self {
        Server {
            host: "127.0.0.1".to_owned(),
            port: 6379,
            socket: None,
            multipath: false,
            user: None,
            password: None,
            db: 0,
        }
    }
}

impl Server {
    pub fn address(&self) -> Address {
        match &self.socket {
            Some(path) => Address::unix(path),
            None => Address::tcp(&self.host, self.port),
        }
    }

    /// The words of AUTH, if there is a password.
    pub fn authentication(&self) -> Option<Vec<Vec<u8>>> {
        let password = self.password.clone()?;
        Some([b"AUTH".to_vec()].into_iter().chain(self.user.clone()).chain([password]).collect())
    }

    /// The flags. `{scheme}` in their help stands for the scheme of connection strings.
    pub const fn flags<D: AsMut<Server>>() -> [Flag<D>; 7] {
        [
            Flag::new(
                &["-h"],
                Some("<host>"),
                "Host name or address of the server (127.0.0.1).",
                Value(|draft, value| {
                    draft.as_mut().host = String::from_utf8_lossy(value).into_owned();
                    Ok(())
                }),
            ),
            Flag::new(
                &["-p"],
                Some("<port>"),
                "Port of the server (6379).",
                Value(|draft, value| {
                    let number = leading_int(value);
                    let is_number = number != 0 || value == b"0";
                    draft.as_mut().port = port(number).filter(|_| is_number).ok_or(INVALID_PORT)?;
                    Ok(())
                }),
            ),
            Flag::new(
                &["-s"],
                Some("<path>"),
                "Connect to a Unix socket instead.",
                Value(|draft, value| {
                    draft.as_mut().socket = Some(path(value));
                    Ok(())
                }),
            ),
            Flag::new(
                &["-a", "--pass"],
                Some("<password>"),
                "Password of the server or, with --user, of that user.",
                Value(|draft, value| {
                    draft.as_mut().password = Some(value.to_vec());
                    Ok(())
                }),
            ),
            Flag::new(
                &["--user"],
                Some("<name>"),
                "Authenticate as this ACL user; needs a password.",
                Value(|draft, value| {
                    draft.as_mut().user = Some(value.to_vec());
                    Ok(())
                }),
            ),
            Flag::new(
                &["-u"],
                Some("<uri>"),
                "All of the above at once: {scheme}://user:password@host:port/db, where only the scheme is required.",
                Value(|draft, value| draft.as_mut().take_uri(value)),
            ),
            Flag::new(
                &["--mptcp"],
                None,
                "Connect with Multipath TCP (Linux).",
                Switch(|draft| draft.as_mut().multipath = true),
            ),
        ]
    }

    /// What a connection string says takes the place of what was said before it.
    fn take_uri(&mut self, value: &[u8]) -> Result<(), String> {
        let uri = uri::parse(value)?;
        if uri.tls {
            let scheme = value.split(|byte| *byte == b':').next().unwrap_or_default();
            return Err(refusal(&format!("{}://", String::from_utf8_lossy(scheme)), NO_TLS));
        }
        if let Some(number) = uri.port {
            self.port = port(number).ok_or(INVALID_PORT)?;
        }
        self.host = uri.host.unwrap_or_else(|| std::mem::take(&mut self.host));
        self.user = uri.user.or(self.user.take());
        self.password = uri.password.or(self.password.take());
        self.db = uri.db.unwrap_or(self.db);
        Ok(())
    }
}

fn port(number: i64) -> Option<u16> {
    u16::try_from(number).ok()
}

/// The flags of TLS, which are known and refused.
pub const fn tls<D>() -> [Flag<D>; 3] {
    [
        Flag::new(&["--tls"], None, "", Missing(NO_TLS)),
        Flag::new(
            &["--sni", "--cacert", "--cacertdir", "--cert", "--key", "--tls-ciphers", "--tls-ciphersuites"],
            Some("<value>"),
            "",
            Missing(NO_TLS),
        ),
        Flag::new(&["--insecure"], None, "", Missing(NO_TLS)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Ended, Table};
    use std::ffi::OsString;

    #[derive(Default)]
    struct Draft(Server);

    impl AsMut<Server> for Draft {
        fn as_mut(&mut self) -> &mut Server {
            &mut self.0
        }
    }

    const SERVER: &[Flag<Draft>] = &Server::flags();
    const TLS: &[Flag<Draft>] = &tls();
    const TABLE: Table<Draft> = Table {
        parts: &[SERVER, TLS],
        unknown: |word| format!("what is {}", word.escape_ascii()),
        ends_with_dashes: false,
        claim: |_, _| 0,
    };

    fn read(line: &str) -> Result<Server, String> {
        let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        let mut draft = Draft::default();
        let ended = TABLE.read(&mut draft, &words)?;
        assert_eq!(ended, Ended::Command(words.len()));
        Ok(draft.0)
    }

    #[test]
    fn a_server_is_named_in_parts_or_by_a_string() {
        let expect = Server {
            host: "there".to_owned(),
            port: 7000,
            user: Some(b"me".to_vec()),
            password: Some(b"s t".to_vec()),
            db: 5,
            ..Server::default()
        };
        assert_eq!(read("-u valkey://me:s%20t@there:7000/5"), Ok(expect.clone()));
        assert_eq!(read("-h there -p 7000 --user me -u redis://:s%20t@/5"), Ok(expect.clone()));
        assert_eq!(read("-u redis://me:x@/5 -a y -h there -p 7000 -u redis://s%20t@"), Ok(expect.clone()));
        assert_eq!(expect.address(), Address::tcp("there", 7000));
        assert_eq!(expect.authentication(), Some(vec![b"AUTH".to_vec(), b"me".to_vec(), b"s t".to_vec()]));
        let local = read("-s /run/sock --mptcp").unwrap();
        assert_eq!((local.address(), local.authentication()), (Address::unix("/run/sock"), None));
    }

    #[test]
    fn what_cannot_be_a_server_is_refused() {
        for (line, expect) in [
            ("-p x", "Invalid server port."),
            ("-p 70000", "Invalid server port."),
            ("-p -1", "Invalid server port."),
            ("-u redis://h:70000", "Invalid server port."),
            ("-u ftp://x", "Invalid URI scheme"),
            ("-u valkeys://me:secret@h", "valkeys:// cannot be used: TLS is not built into this release."),
            ("--tls", "--tls cannot be used: TLS is not built into this release."),
            ("--cert file", "--cert cannot be used: TLS is not built into this release."),
            ("--sni", "what is --sni"),
        ] {
            assert_eq!(read(line), Err(expect.to_owned()), "{line}");
        }
    }
}

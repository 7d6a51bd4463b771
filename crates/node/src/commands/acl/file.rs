//! ACL LOAD and SAVE, and the users with which a server starts.

use ::acl::{Declared, Misdeclared, Users, Vocabulary};
use command::registry::Registry;
use config::directives::security::PubsubDefault;
use config::{Config, Line, LineError, Reason};
use resp::{error, log_text};

use crate::commands::{Call, Done};
use crate::server::LogLevel;

pub(super) fn load(call: &mut Call<'_, '_>) -> Done {
    let control = call.core.control();
    let path = &control.config.security.aclfile;
    if path.is_empty() {
        return Err(error::acl::NO_ACL_FILE);
    }
    let words = super::words(call.core);
    let text =
        call.core.server.host.read_file(path).map_err(|why| error::acl::load_failed(&cannot_open(path, &why)))?;
    let users = control.users.load(&text, path, words).map_err(|errors| error::acl::load_failed(&errors))?;
    super::replace(call, users);
    call.client.out.ok();
    Ok(())
}

pub(super) fn save(call: &mut Call<'_, '_>) -> Done {
    let control = call.core.control();
    let path = &control.config.security.aclfile;
    if path.is_empty() {
        return Err(error::acl::NO_ACL_FILE);
    }
    let host = &call.core.server.host;
    let lines = ::acl::lines(&control.users);
    let written = host.replace_file(path, &mut |write| lines.iter().all(|line| write(line) && write(b"\n")));
    if let Err(why) = written {
        host.log(LogLevel::Warning, &log_text::acl::save_failed(&why));
        return Err(error::acl::SAVE_FAILED);
    }
    call.client.out.ok();
    Ok(())
}

fn cannot_open(path: &[u8], why: &str) -> Vec<u8> {
    [b"Error loading ACLs, opening file '", path, b"': ", why.as_bytes()].concat()
}

/// Reads the `user` lines of a configuration file.
pub fn declared(lines: &[Line], config: &Config, registry: &Registry) -> Result<Vec<Declared>, LineError> {
    let words = vocabulary(config, registry);
    let mut all = Vec::new();
    for line in lines {
        let user = Declared::parse(line.words.get(1..).unwrap_or_default(), &all, words)
            .map_err(|(word, why)| line.refuse(Reason::new(text(&error::acl::in_declaration(&word, why.text())))))?;
        all.push(user);
    }
    Ok(all)
}

/// The users with which a server starts: those of its configuration file, or those of the ACL file, whose text `read`
/// gives. The error is for the log; before it `log` hears what else there is to say.
pub fn at_start(
    config: &Config,
    declared: &[Declared],
    registry: &Registry,
    read: impl FnOnce(&[u8]) -> Result<Vec<u8>, String>,
    log: &mut dyn FnMut(LogLevel, &str),
) -> Result<Users, String> {
    let words = vocabulary(config, registry);
    let security = &config.security;
    if !security.aclfile.is_empty() && !declared.is_empty() {
        return Err(log_text::acl::FILE_AND_LINES.to_owned());
    }
    let users = Users::with_password(security.requirepass.as_deref().unwrap_or_default());
    let users = users.declare(declared, words).map_err(|wrong| {
        log(
            LogLevel::Warning,
            &match wrong {
                Misdeclared::Name => log_text::acl::SPACES.to_owned(),
                Misdeclared::Rule { rule, user, why } => {
                    log_text::acl::bad_rule(&text(&rule), &text(&user), why.text())
                }
            },
        );
        log_text::acl::CRITICAL.to_owned()
    })?;
    for user in declared {
        if users.named(&user.name).is_some_and(|user| !user.on) {
            log(LogLevel::Notice, &log_text::acl::disabled(&text(&user.name)));
        }
    }
    if security.aclfile.is_empty() {
        return Ok(users);
    }
    let path = &security.aclfile;
    let loaded = match read(path) {
        Ok(text) => users.load(&text, path, words),
        Err(why) => Err(cannot_open(path, &why)),
    };
    loaded.map_err(|errors| log_text::acl::aborting(&text(&errors)))
}

fn vocabulary<'a>(config: &Config, registry: &'a Registry) -> Vocabulary<'a> {
    let all_channels = config.security.acl_pubsub_default == PubsubDefault::AllChannels;
    Vocabulary { registry, all_channels }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

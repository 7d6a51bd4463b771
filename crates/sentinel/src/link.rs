//! Links: the two connections to a server, or the one to a Sentinel, and what they tell about its being alive.
//!
//! ```text
//!   Down ──Connect──► Opening ──Connected──► Greeting ──AUTH accepted, or none needed──► Ready
//!    ▲                   │                      │  tries the former password on WRONGPASS    │
//!    └───── Broken ──────┴──────────────────────┴────────────────────────────────────────────┘
//! ```
//!
//! A link is *disconnected* while one of its connections is not ready. Sentinels that are known in several groups share
//! one link, so that five Sentinels with a hundred groups have five connections, not five hundred.
//!
//! Replies come in the order of commands, so each connection keeps a queue of what it waits for. A command is never
//! sent before the connection is ready; the original writes into the socket's buffer at once, and a wrong password
//! there lets the whole pipeline fail.
//!
//! What a broken connection tells: *refused* and *reset* come from a machine that lives and a process that does not.
//! From the first of them on, with every attempt since ending alike, the process is [dead](crate::down).

use crate::event::{Action, Broken, ConnId, ConnKind, Level, Outbox};
use crate::instance::{Credentials, InstanceId, Kind, Ms};
use crate::machine::Sentinel;
use crate::text::text;
use resp::Value;
use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LinkId(pub u64);

/// What a reply will be the answer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    Auth,
    Subscribe,
    Ping,
    Info,
    IsDown,
    /// A command of a hand-over by FAILOVER; an error means that it will not happen.
    HandOver,
    /// Nobody cares: effects are seen in the next INFO.
    Order,
}

#[derive(Debug)]
struct Pending {
    what: Asked,
    who: InstanceId,
}

#[derive(Debug, Default)]
enum Stage {
    #[default]
    Down,
    Opening,
    Greeting {
        /// How many passwords have been refused.
        refused: usize,
    },
    Ready,
}

/// One connection.
#[derive(Debug, Default)]
pub(crate) struct Wire {
    stage: Stage,
    conn: Option<ConnId>,
    /// Since when it was tried or stands.
    since: Ms,
    pending: VecDeque<Pending>,
}

impl Wire {
    pub fn is_ready(&self) -> bool {
        matches!(self.stage, Stage::Ready)
    }

    fn is_down(&self) -> bool {
        matches!(self.stage, Stage::Down)
    }

    /// The connection of now, if there is one.
    pub fn conn(&self) -> Option<ConnId> {
        self.conn
    }

    fn drop(&mut self) -> Option<ConnId> {
        self.stage = Stage::Down;
        self.pending.clear();
        self.conn.take()
    }
}

#[derive(Debug)]
pub(crate) struct Link {
    /// Instances that use it.
    pub users: usize,
    pub commands: Wire,
    pub pubsub: Wire,
    has_pubsub: bool,
    /// A name is being looked up for it, on behalf of this instance.
    resolving: Option<InstanceId>,
    pub local: Option<IpAddr>,
    pub last_reconnect: Option<Ms>,
    pub pubsub_activity: Ms,
    /// When the first ping was sent that has not been answered.
    pub unanswered_ping: Option<Ms>,
    pub last_ping: Option<Ms>,
    /// The last acceptable answer to a ping.
    pub last_avail: Ms,
    /// The last answer of any kind.
    pub last_pong: Ms,
    /// The first and the last of the refusals since it was last seen alive.
    pub refused: Option<(Ms, Ms)>,
    /// It closed the connection, and one attempt is due at once to see whether it still listens.
    look_again: bool,
    /// The last error about our password.
    pub auth_error: Option<Vec<u8>>,
    prefers_former: bool,
}

impl Link {
    fn new(kind: Kind, now: Ms) -> Self {
        Link {
            users: 1,
            commands: Wire::default(),
            pubsub: Wire::default(),
            has_pubsub: kind != Kind::Sentinel,
            resolving: None,
            local: None,
            last_reconnect: None,
            pubsub_activity: now,
            // As if a ping had been sent: a server that can never be reached has to time out too.
            unanswered_ping: Some(now),
            last_ping: None,
            last_avail: now,
            last_pong: now,
            refused: None,
            look_again: false,
            auth_error: None,
            prefers_former: false,
        }
    }

    pub fn disconnected(&self) -> bool {
        !self.commands.is_ready() || self.has_pubsub && !self.pubsub.is_ready()
    }

    pub fn pending(&self) -> usize {
        self.commands.pending.len()
    }

    /// How long it has stood.
    pub fn age(&self, kind: ConnKind, now: Ms) -> Option<Ms> {
        let wire = match kind {
            ConnKind::Commands => &self.commands,
            ConnKind::PubSub => &self.pubsub,
        };
        (!wire.is_down()).then(|| now - wire.since)
    }

    fn wire(&mut self, kind: ConnKind) -> &mut Wire {
        match kind {
            ConnKind::Commands => &mut self.commands,
            ConnKind::PubSub => &mut self.pubsub,
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Links {
    links: BTreeMap<LinkId, Link>,
    conns: BTreeMap<ConnId, (LinkId, ConnKind, InstanceId)>,
}

/// How often a server that may be dead is tried again.
const LOOK_AGAIN: Ms = 100;

/// How long a connection may take to be made. A kernel tries for minutes, ever more seldom, and would learn late that a
/// network is whole again.
const OPENING: Ms = 5_000;

impl Sentinel {
    pub(crate) fn new_link(&mut self, kind: Kind) -> LinkId {
        let id = LinkId(self.fresh_id());
        self.links.links.insert(id, Link::new(kind, self.now));
        id
    }

    pub(crate) fn link(&self, id: InstanceId) -> &Link {
        &self.links.links[&self.instance(id).link]
    }

    pub(crate) fn link_mut(&mut self, id: InstanceId) -> &mut Link {
        let link = self.instance(id).link;
        self.links.links.get_mut(&link).expect("a link lives as long as its users")
    }

    /// Uses the link of `other`, which is the same Sentinel in another group.
    pub(crate) fn share_link(&mut self, id: InstanceId, other: InstanceId, out: &mut Outbox) {
        let link = self.instance(other).link;
        if self.instance(id).link != link {
            self.release_link(id, out);
            self.instance_mut(id).link = link;
            self.link_mut(id).users += 1;
        }
    }

    /// The instance is about to go, or to use another link.
    pub(crate) fn release_link(&mut self, id: InstanceId, out: &mut Outbox) {
        let link = self.link_mut(id);
        link.users -= 1;
        if link.users == 0 {
            self.close(id, ConnKind::Commands, out);
            self.close(id, ConnKind::PubSub, out);
            let link = self.instance(id).link;
            self.links.links.remove(&link);
        }
    }

    pub(crate) fn close(&mut self, id: InstanceId, kind: ConnKind, out: &mut Outbox) {
        if let Some(conn) = self.link_mut(id).wire(kind).drop() {
            self.links.conns.remove(&conn);
            out.push(Action::Close { conn });
        }
    }

    pub(crate) fn close_both(&mut self, id: InstanceId, out: &mut Outbox) {
        self.close(id, ConnKind::Commands, out);
        self.close(id, ConnKind::PubSub, out);
    }

    // --- connecting

    /// Opens what is missing, once per ping period.
    pub(crate) fn reconnect(&mut self, id: InstanceId, out: &mut Outbox) {
        let (now, grace) = (self.now, self.grace(id));
        for kind in [ConnKind::Commands, ConnKind::PubSub] {
            let wire = self.link_mut(id).wire(kind);
            if matches!(wire.stage, Stage::Opening) && now - wire.since > OPENING {
                self.close(id, kind, out);
            }
        }
        let (ping_period, resolve) = (self.periods.ping, self.names.resolve);
        let instance = self.instance(id);
        let addr = instance.addr.clone();
        let link = self.link_mut(id);
        let missing = link.commands.is_down() || link.has_pubsub && link.pubsub.is_down();
        if !missing || addr.port == 0 {
            return;
        }
        // Whether a refusal stays one is seen by trying often, for as long as it could matter.
        let suspect = link.refused.is_some_and(|(first, _)| now - first < 2 * grace);
        let period = if link.look_again || suspect { LOOK_AGAIN } else { ping_period };
        if link.last_reconnect.is_some_and(|last| now - last < period) {
            return;
        }
        link.last_reconnect = Some(now);
        link.look_again = false;
        if resolve && addr.is_named() && link.commands.is_down() {
            link.resolving = Some(id);
            out.push(Action::Resolve { name: addr.host });
        } else {
            self.open(id, out);
        }
    }

    pub(crate) fn resolved(&mut self, name: &[u8], ip: Option<IpAddr>, out: &mut Outbox) {
        match ip {
            Some(ip) => self.names.learn(name, ip),
            None => self.log(Level::Warning, text!("Failed to resolve hostname '", name, "'"), out),
        }
        for instance in self.instances.values_mut().filter(|i| i.addr.host.eq_ignore_ascii_case(name)) {
            instance.addr.ip = ip.or(instance.addr.ip);
        }
        let waiting = |link: &mut Link, instances: &BTreeMap<_, crate::instance::Instance>| {
            let id = link.resolving?;
            let same = instances.get(&id).is_none_or(|i| i.addr.host.eq_ignore_ascii_case(name));
            same.then(|| link.resolving.take()).flatten()
        };
        let ids: Vec<InstanceId> =
            self.links.links.values_mut().filter_map(|link| waiting(link, &self.instances)).collect();
        for id in ids {
            if self.instances.contains_key(&id) {
                self.open(id, out);
            }
        }
    }

    /// Opens the connections that are down, if the address is known.
    fn open(&mut self, id: InstanceId, out: &mut Outbox) {
        let Some(ip) = self.instance(id).addr.ip else { return };
        let port = self.instance(id).addr.port;
        for kind in [ConnKind::Commands, ConnKind::PubSub] {
            let link = self.link_mut(id);
            if !link.wire(kind).is_down() || kind == ConnKind::PubSub && !link.has_pubsub {
                continue;
            }
            let conn = ConnId(self.fresh_id());
            let now = self.now;
            let wire = self.link_mut(id).wire(kind);
            wire.stage = Stage::Opening;
            wire.conn = Some(conn);
            wire.since = now;
            let link = self.instance(id).link;
            self.links.conns.insert(conn, (link, kind, id));
            out.push(Action::Connect { conn, ip, port, kind });
        }
    }

    pub(crate) fn connected(&mut self, conn: ConnId, local: Option<IpAddr>, out: &mut Outbox) {
        let Some((id, kind)) = self.end_of(conn) else { return };
        let now = self.now;
        let link = self.link_mut(id);
        if !matches!(link.wire(kind).stage, Stage::Opening) {
            return;
        }
        if kind == ConnKind::Commands {
            link.refused = None;
            link.local = local;
            // Unanswered from now on, even if our password has to be looked at first.
            link.unanswered_ping.get_or_insert(now);
        }
        let wire = link.wire(kind);
        wire.since = now;
        wire.stage = Stage::Greeting { refused: 0 };
        self.authenticate(id, kind, 0, out);
    }

    /// Sends the next password to try, or goes on without.
    fn authenticate(&mut self, id: InstanceId, kind: ConnKind, refused: usize, out: &mut Outbox) {
        let auth = self.credentials(id);
        let mut passwords: Vec<Vec<u8>> = auth.password.into_iter().chain(auth.former).collect();
        if self.link(id).prefers_former {
            passwords.reverse();
        }
        let Some(password) = passwords.into_iter().nth(refused) else {
            return self.introduce(id, kind, out);
        };
        self.link_mut(id).wire(kind).stage = Stage::Greeting { refused };
        let mut args = vec![self.renamed(id, "AUTH")];
        args.extend(auth.user);
        args.push(password);
        self.transmit(id, kind, args, Asked::Auth, out);
    }

    fn credentials(&self, id: InstanceId) -> Credentials {
        if !self.instance(id).is_sentinel() {
            return self.group_of(id).auth.clone();
        }
        if self.auth.password.is_some() {
            return self.auth.clone();
        }
        // Sentinels of one deployment may share one password for both directions.
        let shared = Some(self.own.requirepass.clone()).filter(|password| !password.is_empty());
        Credentials { user: None, password: shared, former: None }
    }

    fn auth_answered(&mut self, id: InstanceId, kind: ConnKind, value: &Value, out: &mut Outbox) {
        let Stage::Greeting { refused } = self.link_mut(id).wire(kind).stage else { return };
        let Some(error) = value.as_error() else {
            if refused > 0 {
                let link = self.link_mut(id);
                link.prefers_former = !link.prefers_former;
            }
            return self.introduce(id, kind, out);
        };
        if is_password_error(error) && refused + 1 < self.credentials(id).len() {
            return self.authenticate(id, kind, refused + 1, out);
        }
        if is_password_error(error) {
            self.auth_failed(id, error, out);
        }
        // A server that knows no passwords answers with an error as well, and serves us.
        self.introduce(id, kind, out);
    }

    /// Reports a refused password once; the instance is alive.
    pub(crate) fn auth_failed(&mut self, id: InstanceId, error: &[u8], out: &mut Outbox) {
        if self.link(id).auth_error.is_none() {
            self.link_mut(id).auth_error = Some(error.to_vec());
            self.notify(Level::Warning, "+auth-error", id, text!(" #", error), out);
        }
    }

    pub(crate) fn auth_succeeded(&mut self, id: InstanceId, out: &mut Outbox) {
        if self.link_mut(id).auth_error.take().is_some() {
            self.notify(Level::Warning, "-auth-error", id, "", out);
        }
    }

    /// The connection is ready: says who we are, and begins.
    fn introduce(&mut self, id: InstanceId, kind: ConnKind, out: &mut Outbox) {
        self.link_mut(id).wire(kind).stage = Stage::Ready;
        let purpose = match kind {
            ConnKind::Commands => "cmd",
            ConnKind::PubSub => "pubsub",
        };
        let name = text!("sentinel-", self.myid[..8], "-", purpose);
        let args = vec![self.renamed(id, "CLIENT"), b"SETNAME".to_vec(), name];
        self.transmit(id, kind, args, Asked::Order, out);
        match kind {
            ConnKind::Commands => {
                self.send_ping(id, out);
                if !self.instance(id).is_sentinel() {
                    self.send_info(id, out);
                }
            }
            ConnKind::PubSub => {
                self.link_mut(id).pubsub_activity = self.now;
                let args = vec![self.renamed(id, "SUBSCRIBE"), crate::HELLO_CHANNEL.to_vec()];
                self.transmit(id, kind, args, Asked::Subscribe, out);
            }
        }
    }

    // --- talking

    /// Sends a command on a ready commands connection; false, and nothing done, without one.
    pub(crate) fn send(&mut self, id: InstanceId, args: Vec<Vec<u8>>, what: Asked, out: &mut Outbox) -> bool {
        let ready = self.link(id).commands.is_ready();
        if ready {
            self.transmit(id, ConnKind::Commands, args, what, out);
        }
        ready
    }

    fn transmit(&mut self, id: InstanceId, kind: ConnKind, args: Vec<Vec<u8>>, what: Asked, out: &mut Outbox) {
        let wire = self.link_mut(id).wire(kind);
        if let Some(conn) = wire.conn {
            wire.pending.push_back(Pending { what, who: id });
            out.push(Action::Send { conn, args });
        }
    }

    /// A command under the name that the group's servers know it by.
    pub(crate) fn renamed(&self, id: InstanceId, command: &str) -> Vec<u8> {
        if self.instance(id).is_sentinel() {
            return command.as_bytes().to_vec();
        }
        self.group_of(id).renamed(command)
    }

    pub(crate) fn replied(&mut self, conn: ConnId, value: Value, out: &mut Outbox) {
        let Some((id, kind)) = self.end_of(conn) else { return };
        if kind == ConnKind::PubSub && value.as_array().is_some() {
            return self.pushed(id, &value, out);
        }
        let Some(Pending { what, who }) = self.link_mut(id).wire(kind).pending.pop_front() else { return };
        // Whoever asked may be gone, while the link serves the same Sentinel in another group.
        let asker = self.instances.contains_key(&who).then_some(who);
        match (what, asker) {
            (Asked::Auth, _) => self.auth_answered(id, kind, &value, out),
            (Asked::Ping, _) => self.ping_answered(id, &value, out),
            (Asked::Info, Some(who)) => self.info_answered(who, &value, out),
            (Asked::IsDown, Some(who)) => self.is_down_answered(who, &value, out),
            (Asked::HandOver, Some(who)) => self.hand_over_answered(who, &value, out),
            // The connection is of no use; it is tried again later.
            (Asked::Subscribe, _) if value.as_error().is_some() => self.close(id, ConnKind::PubSub, out),
            _ => {}
        }
    }

    fn pushed(&mut self, id: InstanceId, value: &Value, out: &mut Outbox) {
        self.link_mut(id).pubsub_activity = self.now;
        let items = value.as_array().unwrap_or_default();
        let [what, _, payload] = items else { return };
        if let (Some(b"message"), Some(payload)) = (what.as_bytes(), payload.as_bytes()) {
            self.hear_hello(payload, Some(id), out);
        }
    }

    pub(crate) fn broken(&mut self, conn: ConnId, why: Broken, out: &mut Outbox) {
        let Some((id, kind)) = self.end_of(conn) else { return };
        self.links.conns.remove(&conn);
        let now = self.now;
        let link = self.link_mut(id);
        let wire = link.wire(kind);
        // One that is closed as soon as it is made comes from a server that has no room, and needs no hurry.
        let had_served = wire.is_ready() && now - wire.since > LOOK_AGAIN;
        wire.drop();
        if kind == ConnKind::Commands {
            match why {
                Broken::Refused | Broken::Reset => {
                    let first = link.refused.map_or(now, |(first, _)| first);
                    link.refused = Some((first, now));
                }
                Broken::Timeout | Broken::Other => link.refused = None,
                Broken::Closed => {}
            }
            link.look_again |= had_served;
            // Silence is counted from here, not from the last answer: until now it may have lived.
            link.unanswered_ping.get_or_insert(now);
        }
        let name = match kind {
            ConnKind::Commands => "-cmd-link-reconnection",
            ConnKind::PubSub => "-pubsub-link-reconnection",
        };
        self.notify(Level::Debug, name, id, text!(" #", why_text(why)), out);
    }

    /// An instance at the other end of a connection, and what the connection is for.
    fn end_of(&self, conn: ConnId) -> Option<(InstanceId, ConnKind)> {
        let (link, kind, opener) = *self.links.conns.get(&conn)?;
        if self.instances.get(&opener).is_some_and(|i| i.link == link) {
            return Some((opener, kind));
        }
        let other = self.instances.values().find(|i| i.link == link)?;
        Some((other.id, kind))
    }
}

/// Errors that say that we are not who we should be, and nothing about the server's health.
pub(crate) fn is_password_error(error: &[u8]) -> bool {
    let code = error.split(|byte| *byte == b' ').next().unwrap_or_default();
    matches!(code, b"NOAUTH" | b"WRONGPASS")
}

fn why_text(why: Broken) -> &'static str {
    match why {
        Broken::Refused => "Connection refused",
        Broken::Reset => "Connection reset by peer",
        Broken::Closed => "Server closed the connection",
        Broken::Timeout => "Connection timed out",
        Broken::Other => "Connection lost",
    }
}

//! Keys that were set aside: their slots went to another node by gossip alone.
//!
//! ```text
//!   slot lost by hearsay ─► Aside ─┬─ the slot is ours again ─► back into the keyspace, as RESTORE in the journal
//!                                  ├─ its owner has all of them ─► dropped
//!                                  ├─ cluster-set-aside-ttl is over, CLUSTER ASIDE DROP ─► dropped
//!                                  └─ a snapshot is saved ─► <cluster-config-file>.aside, first
//! ```
//!
//! They are in no snapshot of the data, because they are not served. So that a crash does not lose them there is a file of
//! their own: an ordinary snapshot file, whose auxiliary field `cluster-set-aside` says whose slots they are and since when.
//! A peer can load it as its `dump.rdb`; it skips the field.
//!
//! Invariants
//! 1. Before a snapshot or a base of the append-only file takes its place, the file holds what was set aside before it was
//!    begun. Until then the older snapshot has those keys, or the append-only file does.
//! 2. Keys that have been put back stay in the file until they are on the disk elsewhere: in the append-only file, or in a
//!    snapshot. At a start keys of the data come first: what the file holds of a slot that has keys is dropped.
//! 3. Nobody's word deletes: the owner is asked key by key (EXISTS), and only when it has all of a slot the slot is dropped.
//!
//! Costs: nothing while there is nothing aside. Redis deletes such keys at once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use ::cluster::{NodeId, Slot, View};
use keyspace::{Db, DbIndex, Expiry, UnixMillis};
use parking_lot::Mutex;
use persistence::records::Records;
use rdb::Version;
use rdb::decode::{Decoder, Options};
use rdb::encode::{Checksum, Form};
use rdb::{Acceptance, Content, Event};
use resp::encode;
use resp::log_text;
use structures::number;

use crate::control::Control;
use crate::execute::Core;
use crate::migrate::{Order, Sent};
use crate::replication::apart::Apart;
use crate::server::{LogLevel, Server};

/// The field of the file that says whose the slots are.
const FIELD: &[u8] = b"cluster-set-aside";
/// How often the owner of a slot is asked, in ms.
const ASK_EVERY_MS: i64 = 10_000;
/// How long the owner may take.
const PATIENCE: Duration = Duration::from_secs(1);
/// About how many keys are asked for at once.
const ASKED_KEYS: usize = 1000;
/// A slot with more keys than this is kept until its time is over: asking would cost more than keeping.
const MOST_ASKED: usize = 100_000;

/// What is aside of one slot.
struct Held {
    dbs: BTreeMap<u16, Db>,
    since: UnixMillis,
    /// Who has claimed the slot.
    owner: Option<NodeId>,
    asked: i64,
}

/// What is told of one slot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Told {
    pub slot: Slot,
    pub keys: usize,
    pub since: UnixMillis,
    pub owner: Option<NodeId>,
}

#[derive(Default)]
struct Table {
    slots: BTreeMap<u16, Held>,
    /// The file does not say what is here.
    is_stale: bool,
    /// Keys were put back that are only in the file yet: it may be written when the journal is durable up to here, or with a
    /// snapshot.
    put_back: Option<u64>,
    /// The owner of some slots is being asked.
    asking: bool,
}

/// See the head of this file.
#[derive(Default)]
pub struct Aside {
    table: Mutex<Table>,
    /// Which slots their owner has, and that somebody has answered.
    answers: Arc<Mutex<Option<BTreeSet<u16>>>>,
}

impl Aside {
    /// How many keys there are.
    pub fn keys(&self) -> usize {
        self.table.lock().slots.values().map(Held::keys).sum()
    }

    /// How many slots have some.
    pub fn slots(&self) -> usize {
        self.table.lock().slots.len()
    }

    /// Whether a slot has some.
    pub fn has(&self, slot: Slot) -> bool {
        self.table.lock().slots.contains_key(&slot.number())
    }

    /// All slots, in order.
    pub fn told(&self) -> Vec<Told> {
        let table = self.table.lock();
        let told = |(slot, held): (&u16, &Held)| {
            Some(Told { slot: Slot::new(*slot)?, keys: held.keys(), since: held.since, owner: held.owner })
        };
        table.slots.iter().filter_map(told).collect()
    }

    /// Sets keys aside; answers what was there before of the same slot and database.
    pub(super) fn put(&self, slot: Slot, db: DbIndex, keys: Db, now: UnixMillis, owner: Option<NodeId>) -> Option<Db> {
        let mut table = self.table.lock();
        table.is_stale = true;
        let held = table.slots.entry(slot.number()).or_insert_with(|| Held::new(now));
        held.owner = owner.or(held.owner);
        held.dbs.insert(db.0, keys)
    }

    /// Takes out the slots that are wanted.
    pub(super) fn take(&self, wanted: impl Fn(Slot) -> bool) -> Vec<(Slot, DbIndex, Db)> {
        let mut table = self.table.lock();
        let slots: Vec<Slot> = table.slots.keys().copied().filter_map(Slot::new).filter(|slot| wanted(*slot)).collect();
        let mut taken = Vec::new();
        for slot in slots {
            table.is_stale = true;
            let held = table.slots.remove(&slot.number());
            taken.extend(held.into_iter().flat_map(|held| held.dbs).map(|(db, keys)| (slot, DbIndex(db), keys)));
        }
        taken
    }

    /// The same for slots that are put back: from now on the file is not to be written without them, one that is being
    /// written included, until it is known how far they are in the journal.
    pub(super) fn take_back(&self, wanted: impl Fn(Slot) -> bool) -> Vec<(Slot, DbIndex, Db)> {
        let mut table = self.table.lock();
        if table.slots.keys().copied().filter_map(Slot::new).any(&wanted) {
            table.put_back = Some(u64::MAX);
        }
        drop(table);
        self.take(wanted)
    }

    /// Keys that were aside are in the journal up to here.
    pub(super) fn note_put_back(&self, offset: u64) {
        self.table.lock().put_back = Some(offset);
    }

    /// Drops slots for good; answers how many keys that were.
    pub fn drop_slots(&self, server: &Server, wanted: impl Fn(Slot) -> bool) -> usize {
        let gone: Vec<Db> = self.take(wanted).into_iter().map(|(_, _, keys)| keys).collect();
        let keys = gone.iter().map(Db::len).sum();
        server.host.free_dbs(gone);
        keys
    }

    /// Writes the file if it does not say what is here. To be called before a snapshot takes its place (`with_snapshot`), and
    /// at other times only to forget what is no longer here.
    pub fn write(&self, server: &Server, control: &Control, with_snapshot: bool) -> Result<(), String> {
        let slots: Vec<u16> = {
            let mut table = self.table.lock();
            if with_snapshot {
                table.put_back = None;
            }
            if !table.is_stale || table.put_back.is_some() {
                return Ok(());
            }
            table.is_stale = false;
            table.slots.keys().copied().collect()
        };
        let form = Form { version: Version::COMMON, compress: control.config.snapshot.rdbcompression };
        let mut written = Ok(());
        let result = server.host.replace_file(&file_name(control), &mut |out| {
            let mut sum = Checksum::new(control.config.snapshot.rdbchecksum);
            let mut put = |bytes: &[u8]| {
                sum.update(bytes);
                out(bytes)
            };
            let mut bytes = Vec::new();
            form.header(&mut bytes);
            form.aux(&mut bytes, b"redis-ver", crate::commands::COMPATIBLE_VERSION.as_bytes());
            form.aux(&mut bytes, FIELD, &self.field());
            for db in 0..control.env.databases {
                let mut selected = false;
                for slot in &slots {
                    // Nobody waits for longer than one slot takes.
                    let table = self.table.lock();
                    let Some(keys) = table.slots.get(slot).and_then(|held| held.dbs.get(&db)) else { continue };
                    if !std::mem::replace(&mut selected, true) {
                        Form::select_db(&mut bytes, u64::from(db));
                    }
                    for view in keys.views() {
                        let expire = view.expire().map(|at| at.0);
                        let record = Records::Rdb(form).record(&mut bytes, view.key(), expire, view.payload());
                        written = written.and(record);
                    }
                    drop(table);
                    if !put(&bytes) {
                        return false;
                    }
                    bytes.clear();
                }
            }
            Form::eof(&mut bytes);
            // Were some put back meanwhile, they may be missing: the file that has them stays.
            put(&bytes) && out(&sum.finish()) && written.is_ok() && self.table.lock().put_back.is_none()
        });
        if result.is_err() {
            self.table.lock().is_stale = true;
        }
        result
    }

    /// `slot:since:owner` of every slot.
    fn field(&self) -> Vec<u8> {
        let told = self.told().into_iter().map(|told| {
            let owner = told.owner.map_or_else(|| "-".to_owned(), |owner| owner.to_string());
            format!("{}:{}:{owner}", told.slot, told.since.0)
        });
        told.collect::<Vec<_>>().join(",").into_bytes()
    }

    /// Takes in what a file holds. What is here already is newer.
    fn read(&self, control: &Control, map: keyspace::ShardMap, now: UnixMillis, file: &[u8]) -> Result<(), String> {
        let databases = control.env.databases;
        let mut decoder = Decoder::new(Options {
            limits: control.env.limits,
            acceptance: Acceptance::Relaxed,
            checksum: control.config.snapshot.rdbchecksum,
            skip: false,
        });
        decoder.feed(file);
        decoder.finish();
        let mut apart = Apart::new(map, usize::from(databases));
        let (mut db, mut told) = (DbIndex(0), BTreeMap::new());
        loop {
            match decoder.next().map_err(|e| log_text::snapshot::damaged(e.offset, &e.damage.to_string()))? {
                None => break,
                Some(Event::SelectDb(n)) => {
                    db = DbIndex(u16::try_from(n).ok().filter(|n| *n < databases).ok_or_else(|| {
                        log_text::snapshot::damaged(0, &log_text::snapshot::databases(usize::from(databases)))
                    })?);
                }
                Some(Event::Aux { name, value }) if name == FIELD => told = parse_field(value),
                Some(Event::Key(record)) => {
                    let mut space = apart.space(db, now);
                    let key = space.key(record.key);
                    let expiry = record.expire.map_or(Expiry::None, |at| Expiry::At(UnixMillis(at)));
                    match record.content {
                        Content::Int(n) => space.set_int(&key, n, expiry),
                        Content::Bytes(bytes) => space.set_string(&key, bytes, expiry),
                        Content::Value(value) => space.insert_value(&key, value, expiry),
                        Content::Empty | Content::Skipped(_) => {}
                    }
                }
                Some(_) => {}
            }
        }
        let mut table = self.table.lock();
        for (slot, db, keys) in apart.take_slots() {
            let (since, owner) = told.get(&slot).copied().unwrap_or((now, None));
            let held = table.slots.entry(slot).or_insert_with(|| Held { owner, ..Held::new(since) });
            held.dbs.entry(db.0).or_insert(keys);
        }
        Ok(())
    }

    /// Which slots their owner is to be asked for now, all of one owner, and their keys in one database.
    fn question(&self, now: UnixMillis, view: &View) -> Option<Question> {
        let mut table = self.table.lock();
        if table.asking {
            return None;
        }
        let mut question: Option<Question> = None;
        for (slot, held) in &mut table.slots {
            let Some(slot) = Slot::new(*slot) else { continue };
            let owner = view.owner(slot).filter(|owner| *owner != view.my_index());
            let (Some(owner), [(db, keys)]) = (owner, &held.dbs.iter().collect::<Vec<_>>()[..]) else { continue };
            if now.0 - held.asked < ASK_EVERY_MS || keys.len() > MOST_ASKED {
                continue;
            }
            let node = view.node(owner);
            if node.failed {
                continue;
            }
            let asked = question.get_or_insert_with(|| Question {
                owner: node.id,
                host: node.ip.clone(),
                port: node.port,
                db: **db,
                slots: Vec::new(),
                names: Vec::new(),
            });
            if asked.owner != node.id || asked.db != **db {
                continue;
            }
            held.asked = now.0;
            asked.slots.push((slot.number(), keys.len()));
            asked.names.extend(keys.views().map(|view| view.key().into()));
            if asked.names.len() >= ASKED_KEYS {
                break;
            }
        }
        let question = question.filter(|question| !question.slots.is_empty());
        table.asking = question.is_some();
        question
    }
}

/// What an owner is asked.
struct Question {
    owner: NodeId,
    host: Vec<u8>,
    port: u16,
    db: u16,
    /// Slots, and how many of the keys are of each.
    slots: Vec<(u16, usize)>,
    names: Vec<Box<[u8]>>,
}

impl Held {
    fn new(since: UnixMillis) -> Self {
        Held { dbs: BTreeMap::new(), since, owner: None, asked: 0 }
    }

    fn keys(&self) -> usize {
        self.dbs.values().map(Db::len).sum()
    }
}

/// The file beside the node's own.
fn file_name(control: &Control) -> Vec<u8> {
    [&control.config.cluster.config_file[..], b".aside"].concat()
}

/// What [`Aside::field`] has written; what makes no sense is left out.
fn parse_field(text: &[u8]) -> BTreeMap<u16, (UnixMillis, Option<NodeId>)> {
    let one = |part: &[u8]| {
        let mut parts = part.split(|byte| *byte == b':');
        let slot = u16::try_from(number::parse_u64(parts.next()?)?).ok()?;
        let since = number::parse_i64(parts.next()?)?;
        let owner = NodeId::parse(parts.next()?);
        (usize::from(slot) < Slot::COUNT).then_some((slot, (UnixMillis(since), owner)))
    };
    text.split(|byte| *byte == b',').filter_map(one).collect()
}

/// Reads what was set aside in an earlier life. The data are loaded, and the lease has the world.
pub(super) fn load(core: &mut Core<'_>) {
    let server = core.server;
    let control = core.control();
    let Some(node) = &server.cluster else { return };
    let read = server.host.find_file(&file_name(&control)).and_then(|file| match file {
        Some(file) => node.aside.read(&control, server.engine.map, server.engine.now(), &file),
        None => Ok(()),
    });
    if let Err(why) = read {
        server.host.log(LogLevel::Warning, &log_text::cluster_node::aside_unreadable(&why));
    }
    let (slots, keys) = (node.aside.slots(), node.aside.keys());
    if keys > 0 {
        server.host.log(LogLevel::Notice, &log_text::cluster_node::still_aside(slots, keys));
    }
}

/// What is due by the clock: the end of those whose time is over, what owners have answered, the file. On the control thread.
pub fn tick(core: &mut Core<'_>) {
    let server = core.server;
    let Some(node) = &server.cluster else { return };
    let (slots, is_stale, put_back) = {
        let table = node.aside.table.lock();
        (table.slots.len(), table.is_stale, table.put_back)
    };
    if slots == 0 && !is_stale {
        return;
    }
    let control = core.control();
    let now = server.engine.now();
    let ttl = i64::try_from(control.config.cluster.set_aside_ttl).unwrap_or(i64::MAX).saturating_mul(1000);
    if ttl > 0 {
        let old: BTreeSet<u16> = {
            let table = node.aside.table.lock();
            table.slots.iter().filter(|(_, held)| now.0 - held.since.0 >= ttl).map(|(slot, _)| *slot).collect()
        };
        note_dropped(server, node.aside.drop_slots(server, |slot| old.contains(&slot.number())), old.len(), "time");
    }
    let answer = node.aside.answers.lock().take();
    if let Some(known) = answer {
        node.aside.table.lock().asking = false;
        let keys = node.aside.drop_slots(server, |slot| known.contains(&slot.number()));
        note_dropped(server, keys, known.len(), "owner");
    }
    if let Some(view) = control.cluster.as_ref().filter(|view| view.is_ok())
        && let Some(question) = node.aside.question(now, view)
    {
        ask(server, &control, &node.aside, question);
    }
    let durable = || match server.aof_on.load(std::sync::atomic::Ordering::Acquire) {
        true => put_back.is_some_and(|offset| server.host.durable_offset().is_some_and(|end| end >= offset)),
        false => false,
    };
    if put_back.is_some() && durable() {
        let mut table = node.aside.table.lock();
        // Others may have been put back since.
        table.put_back = table.put_back.filter(|offset| Some(*offset) != put_back);
    }
    let may_write = { node.aside.table.lock().put_back.is_none() };
    if is_stale && may_write {
        server.host.write_aside();
    }
}

fn note_dropped(server: &Server, keys: usize, slots: usize, why: &str) {
    if keys > 0 {
        server.host.log(LogLevel::Notice, &log_text::cluster_node::aside_dropped(slots, keys, why == "owner"));
    }
}

/// Asks an owner whether it has the keys of some slots.
fn ask(server: &Server, control: &Control, aside: &Aside, question: Question) {
    let Question { host, port, db, slots, names, .. } = question;
    let mut requests = Vec::new();
    names.iter().for_each(|name| encode::command(&mut requests, &[b"EXISTS", &name[..]]));
    let replication = &control.config.replication;
    let mut auth = Vec::new();
    match (&replication.primaryuser, &replication.primaryauth) {
        (Some(user), Some(password)) => encode::command(&mut auth, &[b"AUTH", &user[..], password]),
        (None, Some(password)) => encode::command(&mut auth, &[b"AUTH", &password[..]]),
        _ => {}
    }
    let order = Order {
        host,
        port: port.to_string().into_bytes(),
        timeout: PATIENCE,
        auth,
        db: i64::from(db),
        requests,
        keys: names.len(),
    };
    let answers = aside.answers.clone();
    let done = move |sent: Sent| {
        let mut at = 0;
        let known = slots.iter().filter(|(_, keys)| {
            let all = sent.acknowledged.get(at..at + keys);
            at += keys;
            all.is_some_and(|all| all.iter().all(|has| *has))
        });
        *answers.lock() = Some(known.map(|(slot, _)| *slot).collect());
    };
    server.host.migrate_later(order, Box::new(done));
}

#[cfg(test)]
mod tests {
    use keyspace::ShardMap;

    use super::*;

    #[test]
    fn what_is_said_of_slots_is_understood_and_nonsense_is_left_out() {
        let owner = NodeId::parse(b"07c37dfeb235213a872192d90877d0cd55635b91").expect("a name");
        let aside = Aside::default();
        let db = || Db::new(ShardMap::by_slot(1));
        for (slot, since, owner) in [(7, 1000, Some(owner)), (9, 2000, None)] {
            aside.put(Slot::new(slot).expect("a slot"), DbIndex(0), db(), UnixMillis(since), owner);
        }
        let field = [aside.field(), b",x:1:-,99999:1:-,5:y:-,6:1".to_vec()].concat();
        let told = parse_field(&field);
        assert_eq!(told.len(), 2);
        assert_eq!((told[&7], told[&9]), ((UnixMillis(1000), Some(owner)), (UnixMillis(2000), None)));
        assert_eq!(aside.take(|slot| slot.number() == 7).len(), 1);
        assert_eq!(aside.told().iter().map(|told| told.slot.number()).collect::<Vec<_>>(), [9]);
    }
}

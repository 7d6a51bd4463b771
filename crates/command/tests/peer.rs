//! The tables against a real server: what `COMMAND` and `COMMAND DOCS` say, and which keys
//! `COMMAND GETKEYSANDFLAGS` finds in all kinds of requests.
//!
//! `RUBELLITE_PEERS` names a folder with `bin/valkey-server`; without it these tests say so and pass.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use command::row::{Arg, ArgKind};
use command::{Lookup, Mode, Registry, Row};
use resp::{Decoder, OwnedArgs, Value, encode};

struct Peer {
    child: Child,
    stream: UnixStream,
    decoder: Decoder,
    unread: Vec<u8>,
    _folder: tempfile::TempDir,
}

impl Peer {
    fn start() -> Option<Peer> {
        Peer::start_as(Mode::Server)
    }

    fn start_as(mode: Mode) -> Option<Peer> {
        let Some(peers) = std::env::var_os("RUBELLITE_PEERS").map(PathBuf::from) else {
            println!("RUBELLITE_PEERS is not set: nothing compared");
            return None;
        };
        let folder = tempfile::tempdir().expect("a folder");
        let socket = folder.path().join("peer.sock");
        let mut text = format!("port 0\nunixsocket {}\n", socket.display());
        let (word, says) = match mode {
            Mode::Server => (None, "eady to accept connections"),
            Mode::Sentinel => (Some("--sentinel"), "Sentinel ID is"),
        };
        if mode == Mode::Server {
            text += "save \"\"\n";
        }
        std::fs::write(folder.path().join("peer.conf"), text).expect("a file");
        let mut child = Command::new(peers.join("bin/valkey-server"))
            .arg("peer.conf")
            .args(word)
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a peer");
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        let ready = stdout.lines().map_while(Result::ok).any(|line| line.contains(says));
        assert!(ready, "the peer did not start");
        let stream = UnixStream::connect(&socket).expect("a connection");
        Some(Peer { child, stream, decoder: Decoder::default(), unread: Vec::new(), _folder: folder })
    }

    fn send(&mut self, request: &[impl AsRef<[u8]>]) {
        let mut bytes = Vec::new();
        encode::command(&mut bytes, request);
        self.stream.write_all(&bytes).expect("written");
    }

    fn receive(&mut self) -> Value {
        loop {
            let (used, value) = self.decoder.decode(&self.unread).expect("a reply");
            self.unread.drain(..used);
            if let Some(value) = value {
                return value;
            }
            let mut chunk = [0; 65536];
            let n = self.stream.read(&mut chunk).expect("read");
            assert!(n > 0, "the peer went away");
            self.unread.extend_from_slice(&chunk[..n]);
        }
    }

    fn ask(&mut self, request: &[&str]) -> Value {
        self.send(request);
        self.receive()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // A peer that is gone already needs no end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn text(value: &Value) -> String {
    String::from_utf8_lossy(value.as_bytes().unwrap_or_else(|| panic!("no text: {value:?}"))).into_owned()
}

fn texts(value: &Value) -> BTreeSet<String> {
    items(value).iter().map(text).collect()
}

fn items(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("no array: {value:?}"))
}

/// The value of a key in RESP2's flat form of a map.
fn field<'a>(map: &'a Value, name: &str) -> Option<&'a Value> {
    items(map).chunks(2).find(|pair| pair[0].as_bytes() == Some(name.as_bytes())).map(|pair| &pair[1])
}

/// What COMMAND says of a row, as one line of text.
fn info_line(row: &Row) -> String {
    let flags: BTreeSet<_> = row.flags.names().collect();
    let acl: BTreeSet<_> = row.acl().names().map(|name| format!("@{name}")).collect();
    let tips: Vec<_> = row.tips.to_vec();
    let specs: Vec<_> = row
        .key_specs
        .iter()
        .map(|spec| {
            let flags: BTreeSet<_> = spec.flags.names().collect();
            format!("{flags:?} {:?} {:?}", spec.begin, spec.find)
        })
        .collect();
    format!(
        "{} {} {flags:?} {},{},{} {acl:?} {tips:?} {specs:?}",
        row.fullname, row.arity, row.legacy.first, row.legacy.last, row.legacy.step
    )
}

/// The same from the peer's reply.
fn peer_line(info: &Value) -> String {
    let fields = items(info);
    let int = |i: usize| fields[i].as_int().expect("a number");
    let tips: Vec<_> = items(&fields[7]).iter().map(text).collect();
    let specs: Vec<_> = items(&fields[8]).iter().map(peer_spec).collect();
    format!(
        "{} {} {:?} {},{},{} {:?} {tips:?} {specs:?}",
        text(&fields[0]),
        int(1),
        texts(&fields[2]),
        int(3),
        int(4),
        int(5),
        texts(&fields[6]),
    )
}

fn peer_spec(spec: &Value) -> String {
    let part = |name: &str| {
        let part = field(spec, name).expect("a part");
        let numbers = field(part, "spec").expect("numbers").clone();
        (text(field(part, "type").expect("a type")), numbers)
    };
    let (begin, b) = part("begin_search");
    let (find, f) = part("find_keys");
    let int = |map: &Value, name: &str| field(map, name).and_then(Value::as_int).expect("a number");
    let begin = match begin.as_str() {
        "index" => format!("Index({})", int(&b, "index")),
        "keyword" => {
            format!(
                "Keyword {{ word: {:?}, from: {} }}",
                text(field(&b, "keyword").expect("a word")),
                int(&b, "startfrom")
            )
        }
        _ => "Unknown".to_owned(),
    };
    let find = match find.as_str() {
        "range" => {
            format!(
                "Range {{ last: {}, step: {}, limit: {} }}",
                int(&f, "lastkey"),
                int(&f, "keystep"),
                int(&f, "limit")
            )
        }
        "keynum" => format!(
            "Keynum {{ count: {}, first: {}, step: {} }}",
            int(&f, "keynumidx"),
            int(&f, "firstkey"),
            int(&f, "keystep")
        ),
        _ => "Unknown".to_owned(),
    };
    format!("{:?} {begin} {find}", texts(field(spec, "flags").expect("flags")))
}

fn collect(infos: &Value, lines: &mut BTreeSet<String>) {
    for info in items(infos) {
        lines.insert(peer_line(info));
        collect(&items(info)[9], lines);
    }
}

fn compare_rows(mode: Mode) {
    let Some(mut peer) = Peer::start_as(mode) else { return };
    let mut theirs = BTreeSet::new();
    collect(&peer.ask(&["COMMAND"]), &mut theirs);
    let ours: BTreeSet<String> = Registry::new(mode).iter().map(|(_, row)| info_line(row)).collect();
    let differences: Vec<_> = ours.symmetric_difference(&theirs).collect();
    assert!(differences.is_empty(), "{differences:#?}");
}

#[test]
fn rows_say_what_the_peer_says() {
    compare_rows(Mode::Server);
}

#[test]
fn rows_of_a_sentinel_say_what_the_peers_sentinel_says() {
    compare_rows(Mode::Sentinel);
}

fn grammar(args: &[Arg]) -> String {
    let shown = args.iter().map(|arg| {
        let mut line = format!("{}:{}", arg.name, arg.kind.name());
        if !matches!(arg.kind, ArgKind::OneOf | ArgKind::Block) {
            line += &format!(" '{}'", arg.display.unwrap_or(arg.name));
        }
        line += &format!(" {:?} {:?} {:?} {:?}", arg.key_spec, arg.token, arg.since, arg.deprecated_since);
        line += &format!(" {:?}", arg.flags.names().collect::<BTreeSet<_>>());
        line + &format!(" [{}]", grammar(arg.args))
    });
    shown.collect::<Vec<_>>().join("; ")
}

fn peer_grammar(args: &Value) -> String {
    let shown = items(args).iter().map(|arg| {
        let optional = |name: &str| field(arg, name).map(text);
        let mut line =
            format!("{}:{}", text(field(arg, "name").expect("a name")), text(field(arg, "type").expect("a type")));
        if let Some(display) = optional("display_text") {
            line += &format!(" '{display}'");
        }
        let spec = field(arg, "key_spec_index").and_then(Value::as_int);
        line +=
            &format!(" {spec:?} {:?} {:?} {:?}", optional("token"), optional("since"), optional("deprecated_since"));
        line += &format!(" {:?}", field(arg, "flags").map(texts).unwrap_or_default());
        line + &format!(" [{}]", field(arg, "arguments").map(peer_grammar).unwrap_or_default())
    });
    shown.collect::<Vec<_>>().join("; ")
}

fn collect_docs(registry: &Registry, docs: &Value, ours: &mut BTreeSet<String>, theirs: &mut BTreeSet<String>) {
    for pair in items(docs).chunks(2) {
        let (name, doc) = (text(&pair[0]), &pair[1]);
        if WITH_WORDS_OF_OUR_OWN.contains(&name.as_str()) {
            continue;
        }
        let id = registry.by_fullname(name.as_bytes()).unwrap_or_else(|| panic!("no row for {name}"));
        let row = registry.row(id);
        let versions: Vec<_> = row.history.iter().map(|(version, _)| version.to_string()).collect();
        ours.insert(format!(
            "{name} {} {} {:?} {:?} {:?} {:?} ({})",
            row.since,
            row.group.name(),
            row.doc_flags.names().collect::<BTreeSet<_>>(),
            row.deprecated_since,
            row.replaced_by,
            versions,
            grammar(row.args)
        ));
        let optional = |name: &str| field(doc, name).map(text);
        let changes = field(doc, "history").map(items).unwrap_or_default();
        let history: Vec<_> = changes.iter().map(|change| text(&items(change)[0])).collect();
        theirs.insert(format!(
            "{name} {} {} {:?} {:?} {:?} {:?} ({})",
            optional("since").unwrap_or_default(),
            optional("group").unwrap_or_default(),
            field(doc, "doc_flags").map(texts).unwrap_or_default(),
            optional("deprecated_since"),
            optional("replaced_by"),
            history,
            field(doc, "arguments").map(peer_grammar).unwrap_or_default()
        ));
        if let Some(subcommands) = field(doc, "subcommands") {
            collect_docs(registry, subcommands, ours, theirs);
        }
    }
}

/// What takes more words than with the peers.
const WITH_WORDS_OF_OUR_OWN: &[&str] = &["sentinel|failover"];

fn compare_grammars(mode: Mode) {
    let Some(mut peer) = Peer::start_as(mode) else { return };
    let (mut ours, mut theirs) = (BTreeSet::new(), BTreeSet::new());
    collect_docs(&Registry::new(mode), &peer.ask(&["COMMAND", "DOCS"]), &mut ours, &mut theirs);
    let differences: Vec<_> = ours.symmetric_difference(&theirs).collect();
    assert!(differences.is_empty(), "{differences:#?}");
}

#[test]
fn grammars_say_what_the_peer_says() {
    compare_grammars(Mode::Server);
}

#[test]
fn grammars_of_a_sentinel_say_what_the_peers_sentinel_says() {
    compare_grammars(Mode::Sentinel);
}

/// A small deterministic generator; the same requests in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % n
    }
}

#[test]
fn keys_are_found_where_the_peer_finds_them() {
    const WORDS: &[&str] = &[
        "0",
        "1",
        "2",
        "3",
        "9",
        "-1",
        "x",
        "k",
        "store",
        "STOREDIST",
        "keys",
        "streams",
        "STREAMS",
        "get",
        "set",
        "incrby",
        "by",
        "limit",
        "auth",
        "auth2",
        "copy",
        "overflow",
        "group",
        "count",
        "weights",
        "",
    ];
    let Some(mut peer) = Peer::start() else { return };
    let registry = Registry::new(Mode::Server);
    let mut dice = Dice(42);
    let mut requests = Vec::new();
    for (_, row) in registry.iter().filter(|(_, row)| row.has_keys()) {
        for _ in 0..200 {
            let mut request: Vec<&str> = row.fullname.split('|').collect();
            let least = usize::from(row.arity.unsigned_abs());
            let len = if row.arity > 0 { least } else { least + dice.below(9) };
            while request.len() < len {
                request.push(WORDS[dice.below(WORDS.len())]);
            }
            requests.push(request);
        }
    }
    let mut with_keys = 0;
    for batch in requests.chunks(500) {
        for request in batch {
            peer.send(&[&["COMMAND", "GETKEYSANDFLAGS"], &request[..]].concat());
        }
        for request in batch {
            let owned = OwnedArgs::from_slices(request);
            let Lookup::Found(id) = registry.lookup(&owned.as_args()) else { panic!("{request:?}") };
            let keys = registry.row(id).keys_of(&owned.as_args()).unwrap_or_default();
            let ours: Vec<_> = keys
                .iter()
                .map(|key| (request[key.index as usize].to_owned(), key.flags.names().map(str::to_owned).collect()))
                .collect();
            let reply = peer.receive();
            let theirs: Vec<(String, BTreeSet<String>)> = match reply.as_error() {
                Some(_) => Vec::new(),
                None => items(&reply).iter().map(|key| (text(&items(key)[0]), texts(&items(key)[1]))).collect(),
            };
            // Where its specs fail the peer asks an older finder, which tells no flags and makes guesses
            // at requests that are refused later anyway.
            if theirs.iter().any(|(_, flags)| flags.is_empty()) {
                assert_eq!(ours, [], "{request:?}");
                continue;
            }
            with_keys += usize::from(!theirs.is_empty());
            assert_eq!(ours, theirs, "{request:?}");
        }
    }
    assert!(with_keys > requests.len() / 2, "only {with_keys} of {} requests had keys", requests.len());
}

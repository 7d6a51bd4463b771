//! The INFO of a server, as far as a Sentinel reads it.
//!
//! The text comes from another program: every number is checked, unknown lines are skipped, and nothing panics.

use crate::instance::Role;

/// What an INFO says. Fields that it does not have are empty.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Report {
    pub runid: Option<Vec<u8>>,
    pub role: Role,
    /// `slaveN` lines: host and port.
    pub replicas: Vec<(Vec<u8>, i64)>,
    pub primary_link_down_ms: i64,
    pub primary_host: Option<Vec<u8>>,
    pub primary_port: Option<i64>,
    pub primary_link_up: Option<bool>,
    pub priority: Option<i64>,
    pub offset: Option<u64>,
    /// Where the stream ends that it has, as a primary would continue it.
    pub end: Option<u64>,
    pub announced: Option<bool>,
    /// Whether a FAILOVER is running; `None` from servers that do not know the command.
    pub hands_over: Option<bool>,
    /// `master_replid` and `master_replid2`, without that of zeros.
    pub history: Vec<Vec<u8>>,
}

/// How many `slaveN` lines are believed.
const MOST_REPLICAS: usize = 1024;

impl Report {
    pub fn parse(text: &[u8]) -> Report {
        let mut report = Report {
            runid: None,
            role: Role::Unknown,
            replicas: Vec::new(),
            primary_link_down_ms: 0,
            primary_host: None,
            primary_port: None,
            primary_link_up: None,
            priority: None,
            offset: None,
            end: None,
            announced: None,
            hands_over: None,
            history: Vec::new(),
        };
        for line in text.split(|byte| *byte == b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
            report.field(&line[..colon], &line[colon + 1..]);
        }
        report
    }

    fn field(&mut self, name: &[u8], value: &[u8]) {
        let replica = self.role == Role::Replica;
        match name {
            b"run_id" if value.len() >= 40 => self.runid = Some(value[..40].to_vec()),
            b"role" if value.starts_with(b"master") => self.role = Role::Primary,
            b"role" if value.starts_with(b"slave") => self.role = Role::Replica,
            b"master_link_down_since_seconds" => {
                self.primary_link_down_ms = number(value).unwrap_or(0).max(0).saturating_mul(1000);
            }
            b"master_host" if replica => self.primary_host = Some(value.to_vec()),
            b"master_port" if replica => self.primary_port = number(value),
            b"master_link_status" if replica => self.primary_link_up = Some(value.eq_ignore_ascii_case(b"up")),
            b"slave_priority" if replica => self.priority = number(value),
            b"slave_repl_offset" if replica => self.offset = number(value).and_then(|n| u64::try_from(n).ok()),
            b"master_repl_offset" => self.end = number(value).and_then(|n| u64::try_from(n).ok()),
            b"replica_announced" if replica => self.announced = number(value).map(|n| n != 0),
            b"master_failover_state" => self.hands_over = Some(value != b"no-failover"),
            b"master_replid" | b"master_replid2" if value.len() == 40 && value.iter().any(|byte| *byte != b'0') => {
                self.history.push(value.to_vec());
            }
            _ if name.strip_prefix(b"slave").is_some_and(|n| n.first().is_some_and(u8::is_ascii_digit)) => {
                self.replicas.extend(replica_line(value).filter(|_| self.replicas.len() < MOST_REPLICAS));
            }
            _ => {}
        }
    }
}

/// `ip=…,port=…,…`, or `<ip>,<port>,…` of old.
fn replica_line(value: &[u8]) -> Option<(Vec<u8>, i64)> {
    let mut fields = value.split(|byte| *byte == b',');
    if !value.starts_with(b"ip=") {
        let (host, port) = (fields.next()?, fields.next()?);
        return Some((host.to_vec(), number(port)?));
    }
    let find = |name: &[u8]| value.split(|byte| *byte == b',').find_map(|field| field.strip_prefix(name));
    Some((find(b"ip=")?.to_vec(), number(find(b"port=")?)?))
}

fn number(text: &[u8]) -> Option<i64> {
    resp::integer::parse(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_primary_and_its_replicas() {
        let report = Report::parse(
            b"# Server\r\nrun_id:0123456789012345678901234567890123456789\r\n# Replication\r\nrole:master\r\n\
              slave0:ip=10.0.0.1,port=6380,state=online,offset=14,lag=0\r\nslave1:10.0.0.2,6381,online\r\n\
              slave2:nonsense\r\nmaster_failover_state:no-failover\r\nmaster_repl_offset:77\r\n\
              master_replid:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n\
              master_replid2:0000000000000000000000000000000000000000\r\n",
        );
        assert_eq!(report.role, Role::Primary);
        assert_eq!(report.replicas, [(b"10.0.0.1".to_vec(), 6380), (b"10.0.0.2".to_vec(), 6381)]);
        assert_eq!((report.hands_over, report.end), (Some(false), Some(77)));
        assert_eq!(report.history, [vec![b'a'; 40]]);
        assert_eq!(report.runid.map(|id| id.len()), Some(40));
    }

    #[test]
    fn reads_a_replica() {
        let report = Report::parse(
            b"role:slave\r\nmaster_host:10.0.0.9\r\nmaster_port:6379\r\nmaster_link_status:down\r\n\
              master_link_down_since_seconds:7\r\nslave_repl_offset:99\r\nslave_priority:10\r\nreplica_announced:0\r\n",
        );
        assert_eq!(report.primary_host.as_deref(), Some(&b"10.0.0.9"[..]));
        assert_eq!((report.primary_port, report.primary_link_up), (Some(6379), Some(false)));
        assert_eq!((report.primary_link_down_ms, report.offset), (7000, Some(99)));
        assert_eq!((report.priority, report.announced), (Some(10), Some(false)));
    }

    proptest::proptest! {
        #[test]
        fn no_info_panics(text in "((role|slave0|master_port|run_id|slave_repl_offset|x):[a-z0-9=,:]{0,50}\r?\n?){0,9}") {
            let _ = Report::parse(text.as_bytes());
        }
    }

    #[test]
    fn nonsense_is_skipped() {
        let report =
            Report::parse(b":\nslave:\nslave0:\nslave1:ip=,port=x\nrole:\nmaster_port:9\nrun_id:short\n\xff:\xff");
        assert_eq!(report.role, Role::Unknown);
        assert!(report.replicas.is_empty() && report.primary_port.is_none() && report.runid.is_none());
    }
}

//! The counters of `CLUSTER INFO`: messages and bytes by type, links closed for their buffers.

use crate::codec::Kind;

#[derive(Clone, Default, Debug)]
pub(crate) struct Stats {
    pub sent: [u64; Kind::ALL.len()],
    pub received: [u64; Kind::ALL.len()],
    pub bytes_sent: u64,
    pub bytes_received: u64,
    pub pubsub_bytes_sent: u64,
    pub pubsub_bytes_received: u64,
    pub module_bytes_sent: u64,
    pub module_bytes_received: u64,
    pub buffer_limit_exceeded: u64,
}

impl Stats {
    pub fn sent(&mut self, kind: Kind, bytes: u64) {
        self.sent[kind as usize] += 1;
        self.bytes_sent += bytes;
        match kind {
            Kind::Publish | Kind::PublishShard => self.pubsub_bytes_sent += bytes,
            Kind::Module => self.module_bytes_sent += bytes,
            _ => {}
        }
    }

    pub fn received(&mut self, kind: Kind, bytes: u64) {
        self.received[kind as usize] += 1;
        self.bytes_received += bytes;
        match kind {
            Kind::Publish | Kind::PublishShard => self.pubsub_bytes_received += bytes,
            Kind::Module => self.module_bytes_received += bytes,
            _ => {}
        }
    }
}

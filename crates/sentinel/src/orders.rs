//! The orders that servers get, each as one transaction, so that a server obeys whole or not at all.
//!
//! ```text
//!   REPLICAOF            [FAILOVER ABORT] · SLAVEOF … · CONFIG REWRITE · CLIENT KILL TYPE normal, pubsub
//!   FAILOVER             CLIENT PAUSE … WRITE · FAILOVER TO … TIMEOUT …
//!   after a hand-over    [SLAVEOF …] · CONFIG REWRITE · CLIENT KILL TYPE normal, pubsub · CLIENT UNPAUSE
//!   given up             FAILOVER ABORT · CLIENT UNPAUSE
//! ```
//!
//! Clients are killed so that they ask again who the primary is. Replies are not looked at: what an order did is seen in
//! the next INFO. The exception is FAILOVER, where an error means that waiting is in vain.

use crate::address::Addr;
use crate::event::Outbox;
use crate::instance::{HandOver, InstanceId, Ms};
use crate::link::Asked;
use crate::machine::Sentinel;
use crate::text::text;

impl Sentinel {
    /// Makes a server a replica of `primary`, or a primary without one. False, and nothing sent, without a connection.
    pub(crate) fn send_replicaof(&mut self, id: InstanceId, primary: Option<&Addr>, out: &mut Outbox) -> bool {
        let (host, port) = match primary {
            Some(addr) => (self.names.shown(addr), text!(addr.port)),
            None => (b"NO".to_vec(), b"ONE".to_vec()),
        };
        let mut orders = Vec::new();
        if self.instance(id).hand_over == HandOver::Running {
            orders.push(vec![self.renamed(id, "FAILOVER"), b"ABORT".to_vec()]);
        }
        orders.push(vec![self.renamed(id, "SLAVEOF"), host, port]);
        orders.push(self.rewrite(id));
        orders.extend(self.kill(id));
        self.send_transaction(id, orders, Asked::Order, out)
    }

    /// Makes a primary hand over to `target` within `span`.
    pub(crate) fn send_failover(&mut self, id: InstanceId, target: &Addr, span: Ms, out: &mut Outbox) -> bool {
        let span = text!(span);
        let pause = vec![self.renamed(id, "CLIENT"), b"PAUSE".to_vec(), span.clone(), b"WRITE".to_vec()];
        let to = vec![
            self.renamed(id, "FAILOVER"),
            b"TO".to_vec(),
            self.names.shown(target),
            text!(target.port),
            b"TIMEOUT".to_vec(),
            span,
        ];
        self.send_transaction(id, vec![pause, to], Asked::HandOver, out)
    }

    /// After a hand-over: clients go and ask, those that come back may write. The former primary is told whom it follows,
    /// should it have missed that it has handed over: two must not take writes.
    pub(crate) fn send_clients_away(&mut self, id: InstanceId, primary: Option<&Addr>, out: &mut Outbox) {
        let follow = primary.map(|addr| vec![self.renamed(id, "SLAVEOF"), self.names.shown(addr), text!(addr.port)]);
        let mut orders: Vec<Vec<Vec<u8>>> = follow.into_iter().collect();
        orders.push(self.rewrite(id));
        orders.extend(self.kill(id));
        orders.push(self.unpause(id));
        self.send_transaction(id, orders, Asked::Order, out);
    }

    /// Ends a hand-over that is under way; with `unpause`, clients may write again. False without a connection.
    pub(crate) fn send_abort(&mut self, id: InstanceId, unpause: bool, out: &mut Outbox) -> bool {
        let mut orders = vec![vec![self.renamed(id, "FAILOVER"), b"ABORT".to_vec()]];
        orders.extend(unpause.then(|| self.unpause(id)));
        self.send_transaction(id, orders, Asked::Order, out)
    }

    /// Clients may write again.
    pub(crate) fn send_unpause(&mut self, id: InstanceId, out: &mut Outbox) {
        let unpause = self.unpause(id);
        self.send(id, unpause, Asked::Order, out);
    }

    fn unpause(&self, id: InstanceId) -> Vec<Vec<u8>> {
        vec![self.renamed(id, "CLIENT"), b"UNPAUSE".to_vec()]
    }

    fn rewrite(&self, id: InstanceId) -> Vec<Vec<u8>> {
        vec![self.renamed(id, "CONFIG"), b"REWRITE".to_vec()]
    }

    fn kill(&self, id: InstanceId) -> impl Iterator<Item = Vec<Vec<u8>>> {
        let client = self.renamed(id, "CLIENT");
        ["normal", "pubsub"]
            .map(|kind| vec![client.clone(), b"KILL".to_vec(), b"TYPE".to_vec(), kind.as_bytes().to_vec()])
            .into_iter()
    }

    fn send_transaction(&mut self, id: InstanceId, orders: Vec<Vec<Vec<u8>>>, what: Asked, out: &mut Outbox) -> bool {
        if !self.link(id).commands.is_ready() {
            return false;
        }
        let (multi, exec) = (vec![self.renamed(id, "MULTI")], vec![self.renamed(id, "EXEC")]);
        for args in [multi].into_iter().chain(orders).chain([exec]) {
            self.send(id, args, what, out);
        }
        true
    }
}

//! Epochs: whose word is newer.
//!
//! ```text
//!   current epoch   the cluster's clock: the largest that this node has heard; an election moves it on
//!   config epoch    of one primary's claim to its slots; a larger one wins
//!   last vote       the epoch of the last election in which this node voted: at most one vote per epoch
//! ```
//!
//! Two primaries must not hold one config epoch, or neither claim would win. An election gives a new one by agreement.
//! A migration takes one without asking ([`Cluster::bump`]), which may collide with another's; then the node with the
//! smaller name takes the next, until all differ.

use crate::cluster::Cluster;
use crate::id::Epoch;
use crate::node::Key;
use crate::turn::Turn;

/// The epochs that are this node's own; config epochs stand with the nodes.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Epochs {
    pub current: Epoch,
    pub last_vote: Epoch,
}

impl Cluster {
    /// The largest epoch that this node knows of.
    pub(crate) fn largest_epoch(&self) -> Epoch {
        self.nodes.iter().map(|(_, node)| node.config_epoch).fold(self.epochs.current, Epoch::max)
    }

    /// Takes a new config epoch without asking anybody, unless this node's is already the largest; tells whether it did.
    pub(crate) fn bump(&mut self, t: &mut Turn<'_>) -> bool {
        let (mine, largest) = (self.nodes.myself().config_epoch, self.largest_epoch());
        if mine != Epoch(0) && mine == largest {
            return false;
        }
        self.take_next_epoch();
        t.notice(|| format!("New configEpoch set to {}", self.nodes.myself().config_epoch));
        true
    }

    /// Another primary speaks with this one's config epoch: the one with the smaller name moves on.
    pub(crate) fn resolve_collision(&mut self, t: &mut Turn<'_>, other: Key) {
        let (me, node) = (self.nodes.myself(), &self.nodes[other]);
        if node.config_epoch != me.config_epoch || !node.is_primary() || !me.is_primary() || node.id <= me.id {
            return;
        }
        self.take_next_epoch();
        t.notice(|| {
            let epoch = self.nodes.myself().config_epoch;
            format!("configEpoch collision with node {}. configEpoch set to {epoch}", self.called(other))
        });
    }

    fn take_next_epoch(&mut self) {
        self.epochs.current = self.epochs.current.next();
        self.nodes.myself_mut().config_epoch = self.epochs.current;
        self.todo.save_surely();
        self.todo.broadcast = true;
    }
}

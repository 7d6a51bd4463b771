//! `--cluster check` and `--cluster fix`: what is wrong, and, when it shall be fixed, what is done about it.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use cluster_admin::{SLOTS, Slot, check};

use super::cluster::Cluster;
use super::{FAILED, Manager};
use crate::failure::Failure;

/// How often the nodes are asked whether they agree.
const POLL: Duration = Duration::from_millis(100);

/// After how many seconds, and this part of one for each node, it is said who cannot be reached.
const PATIENCE_S: f32 = 20.0;
const PATIENCE_FOR_EACH_S: f32 = 0.15;

/// The first dot comes after this time; the peers sleep for a second before they look.
const UNTIL_DOT_S: f32 = 2.0;

pub fn run(manager: &Manager, fixes: bool) -> Result<(), Failure> {
    let (host, port) = manager.place(&manager.request.words)?;
    let mut cluster = Cluster::load(manager, &host, port, false)?;
    cluster.show_info()?;
    let is_good = if fixes { cluster.fix()? } else { cluster.check(false)? };
    if is_good { Ok(()) } else { Err(FAILED) }
}

impl Cluster<'_> {
    /// Tells what is wrong; whether nothing is. `quiet` leaves out the table of nodes.
    pub fn check(&mut self, quiet: bool) -> Result<bool, Failure> {
        let mut is_good = self.check_agreement(quiet)?;
        is_good &= self.check_open_slots()?.is_empty();
        is_good &= self.check_coverage()?;
        if self.manager.request.search_owners {
            is_good &= self.check_owners()?;
        }
        Ok(is_good)
    }

    pub fn check_agreement(&mut self, quiet: bool) -> Result<bool, Failure> {
        let Some(first) = self.picture.nodes.first() else { return Ok(false) };
        self.manager.info(&format!(">>> Performing Cluster Check (using node {})\n", first.address()))?;
        if !quiet {
            self.show_nodes()?;
        }
        if self.is_consistent() {
            self.manager.good("[OK] All nodes agree about slots configuration.\n")?;
            return Ok(true);
        }
        self.wrong("[ERR] Nodes don't agree about configuration!")?;
        Ok(false)
    }

    /// The open slots.
    pub fn check_open_slots(&mut self) -> Result<Vec<Slot>, Failure> {
        self.manager.info(">>> Check for open slots...\n")?;
        for node in self.picture.nodes.clone() {
            for (opened, state) in [(&node.migrating, "migrating"), (&node.importing, "importing")] {
                if !opened.is_empty() {
                    let slots = list(opened.iter().map(|(slot, _)| *slot));
                    self.wrong(&format!("[WARNING] Node {} has slots in {state} state {slots}.", node.address()))?;
                }
            }
        }
        let open: Vec<Slot> = check::open_slots(&self.picture).into_keys().collect();
        if !open.is_empty() {
            let slots = list(open.iter().copied());
            self.manager.error(&format!("[WARNING] The following slots are open: {slots}.\n"))?;
        }
        Ok(open)
    }

    pub fn check_coverage(&mut self) -> Result<bool, Failure> {
        self.manager.info(">>> Check slots coverage...\n")?;
        if self.picture.covered().len() == SLOTS {
            self.manager.good(&format!("[OK] All {SLOTS} slots covered.\n"))?;
            return Ok(true);
        }
        self.wrong(&format!("[ERR] Not all {SLOTS} slots are covered by nodes.\n"))?;
        Ok(false)
    }

    /// Slots that several nodes claim or hold keys of; whether there are none.
    fn check_owners(&mut self) -> Result<bool, Failure> {
        self.manager.info(">>> Check for multiple slot owners...\n")?;
        self.count_keys(&Slot::all().collect::<Vec<_>>())?;
        let mut is_good = true;
        for slot in Slot::all() {
            is_good &= !self.tell_contested(slot)?;
        }
        if is_good {
            self.manager.good("[OK] No multiple owners found.\n")?;
        }
        Ok(is_good)
    }

    /// Tells who has the slot when several have; whether so.
    pub fn tell_contested(&mut self, slot: Slot) -> Result<bool, Failure> {
        let Some(owners) = check::contested(&self.picture, slot) else { return Ok(false) };
        self.manager.error(&format!("[WARNING] Slot {slot} has {} owners:\n", owners.len()))?;
        for owner in owners {
            self.manager.error(&format!("    {}\n", self.address(&owner)))?;
        }
        Ok(true)
    }

    /// Counts an error and tells it.
    pub fn wrong(&mut self, text: &str) -> Result<(), Failure> {
        self.errors += 1;
        self.manager.error(&format!("{text}\n"))
    }

    /// Whether all nodes say the same about who has which slots.
    pub fn is_consistent(&mut self) -> bool {
        let ids = self.ids();
        if ids.len() < 2 {
            return true;
        }
        let beliefs: Vec<Option<String>> =
            ids.iter().map(|id| self.nodes_text(id).ok().and_then(|text| check::signature(&text))).collect();
        beliefs.iter().all(|belief| belief.is_some() && *belief == beliefs[0])
    }

    /// Waits until all nodes agree, with a dot for each second; now and then tells who cannot be reached.
    pub fn wait_for_agreement(&mut self) -> Result<(), Failure> {
        self.manager.print("Waiting for the cluster to join\n")?;
        let patience = PATIENCE_S + PATIENCE_FOR_EACH_S * self.picture.nodes.len() as f32;
        let (mut began, mut dots) = (Instant::now(), 0);
        while !self.is_consistent() {
            thread::sleep(POLL);
            let waited = began.elapsed().as_secs_f32();
            if waited >= dots as f32 + UNTIL_DOT_S {
                self.manager.print(".")?;
                dots += 1;
            }
            if waited > patience {
                self.tell_unreachable()?;
                (began, dots) = (Instant::now(), 0);
            }
        }
        self.manager.print("\n")
    }

    /// The nodes that others cannot reach, and which those are.
    fn tell_unreachable(&mut self) -> Result<(), Failure> {
        let mut unreachable: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for id in self.ids() {
            let from = self.address(&id);
            for address in self.nodes_text(&id).map(|text| check::disconnected(&text)).unwrap_or_default() {
                unreachable.entry(address).or_default().push(from.clone());
            }
        }
        if unreachable.is_empty() {
            return Ok(());
        }
        self.manager.print("\n")?;
        self.manager.error(&format!("Warning: {} node(s) may be unreachable\n", unreachable.len()))?;
        for (address, from) in unreachable {
            let place = address.split(',').next().unwrap_or_default();
            let bus = place.rsplit_once('@').and_then(|(place, bus)| Some((place.rsplit_once(':')?.0, bus)));
            match bus {
                Some((host, bus)) => {
                    self.manager.error(&format!(" - The port {bus} of node {host} may be unreachable from:\n"))?
                }
                None => self.manager.error(&format!(" - Node {address} may be unreachable from:\n"))?,
            }
            for from in from {
                self.manager.error(&format!("   {from}\n"))?;
            }
            self.manager.error(
                "Cluster bus ports must be reachable by every node.\n\
                 Remember that cluster bus ports are different from standard instance ports.\n",
            )?;
        }
        Ok(())
    }
}

/// Slots with commas between.
fn list(slots: impl Iterator<Item = Slot>) -> String {
    slots.map(|slot| slot.to_string()).collect::<Vec<_>>().join(",")
}

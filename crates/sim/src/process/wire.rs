//! What leaves a simulated server other than by its clients' connections: a snapshot on its way into a file, and the link to
//! its primary.

use node::replication::follower::Line;
use persistence::snapshot::Consumer;

use crate::net::{CALLER, ConnId};
use crate::world::Universe;

/// A snapshot on its way.
pub(super) struct File {
    pub bytes: Vec<u8>,
    pub given_up: bool,
}

impl Consumer for File {
    fn take(&mut self, bytes: &[u8]) -> bool {
        self.bytes.extend_from_slice(bytes);
        !self.given_up
    }

    fn passed(&mut self, _: u64) -> bool {
        !self.given_up
    }
}

/// The link's connection.
pub(super) struct Wire<'u> {
    pub u: &'u mut Universe,
    pub conn: ConnId,
    /// The snapshot that the primary sends.
    pub file: &'u mut Vec<u8>,
}

impl Line for Wire<'_> {
    fn send(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.u.send(self.conn, CALLER, bytes.to_vec());
        Ok(())
    }

    fn create_file(&mut self, _: &[u8]) -> Result<(), String> {
        self.file.clear();
        Ok(())
    }

    fn write_file(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.file.extend_from_slice(bytes);
        Ok(())
    }

    fn finish_file(&mut self) -> Result<(), String> {
        Ok(())
    }

    fn read_file(&mut self, offset: u64, into: &mut [u8]) -> Result<usize, String> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(self.file.len());
        let n = into.len().min(self.file.len() - start);
        into[..n].copy_from_slice(&self.file[start..start + n]);
        Ok(n)
    }

    fn remove_file(&mut self) {
        self.file.clear();
    }

    fn pause(&mut self, _: u64) {}
}

//! What the files of an append-only log are called.

/// The names that follow from `appendfilename`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    stem: Vec<u8>,
}

impl Names {
    /// Names that begin with `appendfilename`, as `appendonly.aof`.
    pub fn new(stem: &[u8]) -> Self {
        Self { stem: stem.to_vec() }
    }

    /// `appendonly.aof`: also what the whole log was called before Redis 7.
    pub fn stem(&self) -> &[u8] {
        &self.stem
    }

    /// `appendonly.aof.3.base.rdb`, or `.aof` for one of commands.
    pub fn base(&self, seq: u64, snapshot: bool) -> Vec<u8> {
        self.with(b"", format!(".{seq}.base.{}", if snapshot { "rdb" } else { "aof" }).as_bytes())
    }

    /// `appendonly.aof.3.incr.aof`
    pub fn increment(&self, seq: u64) -> Vec<u8> {
        self.with(b"", format!(".{seq}.incr.aof").as_bytes())
    }

    /// `appendonly.aof.manifest`
    pub fn manifest(&self) -> Vec<u8> {
        self.with(b"", b".manifest")
    }

    /// `temp-appendonly.aof.manifest`: what the manifest is written as before it is renamed.
    pub fn temporary_manifest(&self) -> Vec<u8> {
        self.with(b"temp-", b".manifest")
    }

    /// `temp-appendonly.aof.incr`: an increment while its base is not complete.
    pub fn temporary_increment(&self) -> Vec<u8> {
        self.with(b"temp-", b".incr")
    }

    fn with(&self, before: &[u8], behind: &[u8]) -> Vec<u8> {
        [before, &self.stem, behind].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_peer() {
        let names = Names::new(b"appendonly.aof");
        assert_eq!(names.base(1, true), b"appendonly.aof.1.base.rdb");
        assert_eq!(names.base(12, false), b"appendonly.aof.12.base.aof");
        assert_eq!(names.increment(3), b"appendonly.aof.3.incr.aof");
        assert_eq!(names.manifest(), b"appendonly.aof.manifest");
        assert_eq!(names.temporary_manifest(), b"temp-appendonly.aof.manifest");
        assert_eq!(names.temporary_increment(), b"temp-appendonly.aof.incr");
    }
}

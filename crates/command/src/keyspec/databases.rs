//! Which arguments name databases, for the ACL's database rules.

use resp::{Args, integer};
use smallvec::SmallVec;

/// Which arguments name databases, for the ACL's database rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Databases {
    None,
    Select,
    Swapdb,
    Move,
    Copy,
}

impl Databases {
    /// The databases that the arguments name besides the selected one; nothing when they are not all
    /// numbers below `count`, for then the command refuses them.
    pub fn among(self, args: &Args<'_>, count: u32) -> SmallVec<[u32; 2]> {
        let number = |i: usize| {
            let n = integer::parse(args.get(i)?)?;
            u32::try_from(n).ok().filter(|&n| n < count)
        };
        let all = |indexes: &[usize]| indexes.iter().map(|&i| number(i)).collect::<Option<SmallVec<[u32; 2]>>>();
        let found = match self {
            Databases::None => None,
            Databases::Select => all(&[1]),
            Databases::Swapdb => all(&[1, 2]),
            Databases::Move => all(&[2]),
            Databases::Copy => copy_databases(args, number),
        };
        found.unwrap_or_default()
    }
}

/// `COPY` takes its last `DB`, but a rule must allow every one that is named.
fn copy_databases(args: &Args<'_>, number: impl Fn(usize) -> Option<u32>) -> Option<SmallVec<[u32; 2]>> {
    let mut found = SmallVec::new();
    let mut i = 3;
    while let Some(option) = args.get(i) {
        if option.eq_ignore_ascii_case(b"replace") {
            i += 1;
        } else if option.eq_ignore_ascii_case(b"db") {
            found.push(number(i + 1)?);
            i += 2;
        } else {
            return None;
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use resp::OwnedArgs;

    #[test]
    fn databases_are_found_in_every_place() {
        let check = |request: &str, which: Databases, expected: &[u32]| {
            let owned = OwnedArgs::from_slices(&request.split(' ').collect::<Vec<_>>());
            assert_eq!(which.among(&owned.as_args(), 16).as_slice(), expected, "{request}");
        };
        check("select 3", Databases::Select, &[3]);
        check("select 16", Databases::Select, &[]);
        check("swapdb 1 2", Databases::Swapdb, &[1, 2]);
        check("swapdb 1 x", Databases::Swapdb, &[]);
        check("move k 5", Databases::Move, &[5]);
        check("copy a b", Databases::Copy, &[]);
        check("copy a b db 1 replace db 2", Databases::Copy, &[1, 2]);
        check("copy a b db 1 nonsense", Databases::Copy, &[]);
        check("copy a b db", Databases::Copy, &[]);
    }
}

//! Lists.

use crate::keyspec::{KeyFlags as K, KeySpec};
use crate::row::arg::{double, integer, key, oneof, string, word};
use crate::row::{Categories as C, Flags as F, Group, Row};

pub static ROWS: &[Row] = &[
    Row::new("blmove", Group::List, "6.2.0", 6)
        .summary("Move an element between the ends of two lists, waiting for one if need be")
        .complexity("O(1)")
        .flags(&[F::WRITE, F::DENYOOM, F::BLOCKING])
        .categories(&[C::LIST])
        .keys(&[KeySpec::at(1).flags(&[K::RW, K::ACCESS, K::DELETE]), KeySpec::at(2).flags(&[K::RW, K::INSERT])])
        .args(&[
            key("source", 0),
            key("destination", 1),
            oneof("wherefrom", &[word("left", "LEFT"), word("right", "RIGHT")]),
            oneof("whereto", &[word("left", "LEFT"), word("right", "RIGHT")]),
            double("timeout"),
        ]),
    Row::new("blmpop", Group::List, "7.0.0", -5)
        .summary("Take elements from the first list that has any, waiting if none has")
        .complexity("O(N+M), N = provided keys, M = elements returned.")
        .flags(&[F::WRITE, F::BLOCKING])
        .categories(&[C::LIST])
        .keys(&[KeySpec::at(2).keynum(0, 1, 1).flags(&[K::RW, K::ACCESS, K::DELETE])])
        .args(&[
            double("timeout"),
            integer("numkeys"),
            key("key", 0).multiple(),
            oneof("where", &[word("left", "LEFT"), word("right", "RIGHT")]),
            integer("count").token("COUNT").optional(),
        ]),
    Row::new("blpop", Group::List, "2.0.0", -3)
        .summary("Take the first element of the first list that has any, waiting if none has")
        .complexity("O(N), N = provided keys.")
        .flags(&[F::WRITE, F::BLOCKING])
        .categories(&[C::LIST])
        .keys(&[KeySpec::at(1).range(-2, 1, 0).flags(&[K::RW, K::ACCESS, K::DELETE])])
        .args(&[key("key", 0).multiple(), double("timeout")])
        .history(&[("6.0.0", "`timeout` may have a fraction.")]),
    Row::new("brpop", Group::List, "2.0.0", -3)
        .summary("Take the last element of the first list that has any, waiting if none has")
        .complexity("O(N), N = provided keys.")
        .flags(&[F::WRITE, F::BLOCKING])
        .categories(&[C::LIST])
        .keys(&[KeySpec::at(1).range(-2, 1, 0).flags(&[K::RW, K::ACCESS, K::DELETE])])
        .args(&[key("key", 0).multiple(), double("timeout")])
        .history(&[("6.0.0", "`timeout` may have a fraction.")]),
    Row::new("brpoplpush", Group::List, "2.2.0", 4)
        .summary("Move the last element of a list to the front of another, waiting for one if need be")
        .complexity("O(1)")
        .flags(&[F::WRITE, F::DENYOOM, F::BLOCKING])
        .categories(&[C::LIST])
        .keys(&[KeySpec::at(1).flags(&[K::RW, K::ACCESS, K::DELETE]), KeySpec::at(2).flags(&[K::RW, K::INSERT])])
        .args(&[key("source", 0), key("destination", 1), double("timeout")])
        .history(&[("6.0.0", "`timeout` may have a fraction.")]),
    Row::new("lindex", Group::List, "1.0.0", 3)
        .summary("Read the element at an index")
        .complexity("O(N), N = elements passed on the way to the index; O(1) at both ends.")
        .flags(&[F::READONLY])
        .categories(&[C::LIST])
        .keys(&[KeySpec::at(1).flags(&[K::RO, K::ACCESS])])
        .args(&[key("key", 0), integer("index")]),
    Row::new("linsert", Group::List, "2.2.0", 5)
        .summary("Insert an element next to another")
        .complexity("O(N), N = elements passed before the pivot, counted from the front.")
        .flags(&[F::WRITE, F::DENYOOM])
        .categories(&[C::LIST])
        .keys(&[KeySpec::at(1).flags(&[K::RW, K::INSERT])])
        .args(&[
            key("key", 0),
            oneof("where", &[word("before", "BEFORE"), word("after", "AFTER")]),
            string("pivot"),
            string("element"),
        ]),
    Row::new("llen", Group::List, "1.0.0", 2)
        .summary("Count the elements of a list")
        .complexity("O(1)")
        .flags(&[F::READONLY, F::FAST])
        .categories(&[C::LIST])
        .keys(&[KeySpec::at(1).flags(&[K::RO])])
        .args(&[key("key", 0)]),
    Row::new("lmove", Group::List, "6.2.0", 5)
        .summary("Move an element between the ends of two lists")
        .complexity("O(1)")
        .flags(&[F::WRITE, F::DENYOOM])
        .categories(&[C::LIST])
        .keys(&[KeySpec::at(1).flags(&[K::RW, K::ACCESS, K::DELETE]), KeySpec::at(2).flags(&[K::RW, K::INSERT])])
        .args(&[
            key("source", 0),
            key("destination", 1),
            oneof("wherefrom", &[word("left", "LEFT"), word("right", "RIGHT")]),
            oneof("whereto", &[word("left", "LEFT"), word("right", "RIGHT")]),
        ]),
    Row::new("lmpop", Group::List, "7.0.0", -4)
        .summary("Take elements from the first list that has any")
        .complexity("O(N+M), N = provided keys, M = elements returned.")
        .flags(&[F::WRITE])
        .categories(&[C::LIST])
        .keys(&[KeySpec::at(1).keynum(0, 1, 1).flags(&[K::RW, K::ACCESS, K::DELETE])])
        .args(&[
            integer("numkeys"),
            key("key", 0).multiple(),
            oneof("where", &[word("left", "LEFT"), word("right", "RIGHT")]),
            integer("count").token("COUNT").optional(),
        ]),
    Row::new("lpop", Group::List, "1.0.0", -2)
        .summary("Take elements from the front of a list")
        .complexity("O(N), N = elements returned.")
        .flags(&[F::WRITE, F::FAST])
        .categories(&[C::LIST])
        .keys(&[KeySpec::at(1).flags(&[K::RW, K::ACCESS, K::DELETE])])
        .args(&[key("key", 0), integer("count").optional().since("6.2.0")])
        .history(&[("6.2.0", "New: `count` argument.")]),
    Row::new("lpos", Group::List, "6.0.6", -3)
        .summary("Find at which indexes an element stands")
        .complexity("O(N), N = elements of the list; less near the ends or with MAXLEN.")
        .flags(&[F::READONLY])
        .categories(&[C::LIST])
        .keys(&[KeySpec::at(1).flags(&[K::RO, K::ACCESS])])
        .args(&[
            key("key", 0),
            string("element"),
            integer("rank").token("RANK").optional(),
            integer("num-matches").token("COUNT").optional(),
            integer("len").token("MAXLEN").optional(),
        ]),
    Row::new("lpush", Group::List, "1.0.0", -3)
        .summary("Put elements in front of a list")
        .complexity("O(N), N = elements added.")
        .flags(&[F::WRITE, F::DENYOOM, F::FAST])
        .categories(&[C::LIST])
        .keys(&[KeySpec::at(1).flags(&[K::RW, K::INSERT])])
        .args(&[key("key", 0), string("element").multiple()])
        .history(&[("2.4.0", "Takes several elements.")]),
    Row::new("lpushx", Group::List, "2.2.0", -3)
        .summary("Put elements in front of a list that exists")
        .complexity("O(N), N = elements added.")
        .flags(&[F::WRITE, F::DENYOOM, F::FAST])
        .categories(&[C::LIST])
        .keys(&[KeySpec::at(1).flags(&[K::RW, K::INSERT])])
        .args(&[key("key", 0), string("element").multiple()])
        .history(&[("4.0.0", "Takes several elements.")]),
    Row::new("lrange", Group::List, "1.0.0", 4)
        .summary("Read a range of a list")
        .complexity("O(S+N), S = distance of the range from the nearer end, N = elements of the range.")
        .flags(&[F::READONLY])
        .categories(&[C::LIST])
        .keys(&[KeySpec::at(1).flags(&[K::RO, K::ACCESS])])
        .args(&[key("key", 0), integer("start"), integer("stop")]),
    Row::new("lrem", Group::List, "1.0.0", 4)
        .summary("Remove elements equal to a value")
        .complexity("O(N+M), N = length of the list, M = elements removed.")
        .flags(&[F::WRITE])
        .categories(&[C::LIST])
        .keys(&[KeySpec::at(1).flags(&[K::RW, K::DELETE])])
        .args(&[key("key", 0), integer("count"), string("element")]),
    Row::new("lset", Group::List, "1.0.0", 4)
        .summary("Replace the element at an index")
        .complexity("O(N), N = elements of the list; O(1) at both ends.")
        .flags(&[F::WRITE, F::DENYOOM])
        .categories(&[C::LIST])
        .keys(&[KeySpec::at(1).flags(&[K::RW, K::UPDATE])])
        .args(&[key("key", 0), integer("index"), string("element")]),
    Row::new("ltrim", Group::List, "1.0.0", 4)
        .summary("Keep only a range of a list")
        .complexity("O(N), N = elements to be removed by the operation.")
        .flags(&[F::WRITE])
        .categories(&[C::LIST])
        .keys(&[KeySpec::at(1).flags(&[K::RW, K::DELETE])])
        .args(&[key("key", 0), integer("start"), integer("stop")]),
    Row::new("rpop", Group::List, "1.0.0", -2)
        .summary("Take elements from the end of a list")
        .complexity("O(N), N = elements returned.")
        .flags(&[F::WRITE, F::FAST])
        .categories(&[C::LIST])
        .keys(&[KeySpec::at(1).flags(&[K::RW, K::ACCESS, K::DELETE])])
        .args(&[key("key", 0), integer("count").optional().since("6.2.0")])
        .history(&[("6.2.0", "New: `count` argument.")]),
    Row::new("rpoplpush", Group::List, "1.2.0", 3)
        .summary("Move the last element of a list to the front of another")
        .complexity("O(1)")
        .flags(&[F::WRITE, F::DENYOOM])
        .categories(&[C::LIST])
        .keys(&[KeySpec::at(1).flags(&[K::RW, K::ACCESS, K::DELETE]), KeySpec::at(2).flags(&[K::RW, K::INSERT])])
        .args(&[key("source", 0), key("destination", 1)]),
    Row::new("rpush", Group::List, "1.0.0", -3)
        .summary("Put elements at the end of a list")
        .complexity("O(N), N = elements added.")
        .flags(&[F::WRITE, F::DENYOOM, F::FAST])
        .categories(&[C::LIST])
        .keys(&[KeySpec::at(1).flags(&[K::RW, K::INSERT])])
        .args(&[key("key", 0), string("element").multiple()])
        .history(&[("2.4.0", "Takes several elements.")]),
    Row::new("rpushx", Group::List, "2.2.0", -3)
        .summary("Put elements at the end of a list that exists")
        .complexity("O(N), N = elements added.")
        .flags(&[F::WRITE, F::DENYOOM, F::FAST])
        .categories(&[C::LIST])
        .keys(&[KeySpec::at(1).flags(&[K::RW, K::INSERT])])
        .args(&[key("key", 0), string("element").multiple()])
        .history(&[("4.0.0", "Takes several elements.")]),
];

//! Bits of strings.

use crate::keyspec::{KeyFlags as K, KeyRule, KeySpec};
use crate::row::arg::{block, integer, key, oneof, string, word};
use crate::row::{Categories as C, Flags as F, Group, Row};

pub static ROWS: &[Row] = &[
    Row::new("bitcount", Group::Bitmap, "2.6.0", -2)
        .summary("Count the bits that are set in a string, or in a part of it")
        .complexity("O(N)")
        .flags(&[F::READONLY])
        .categories(&[C::BITMAP])
        .keys(&[KeySpec::at(1).flags(&[K::RO, K::ACCESS])])
        .args(&[
            key("key", 0),
            block(
                "range",
                &[
                    integer("start"),
                    block(
                        "end-unit-block",
                        &[
                            integer("end"),
                            oneof("unit", &[word("byte", "BYTE"), word("bit", "BIT")]).optional().since("7.0.0"),
                        ],
                    )
                    .optional(),
                ],
            )
            .optional(),
        ])
        .history(&[("7.0.0", "New: `BYTE|BIT` option."), ("8.0.0", "`end` may be left out.")]),
    Row::new("bitfield", Group::Bitmap, "3.2.0", -2)
        .summary("Read, write and count with integers of any width packed in a string")
        .complexity("O(N), N = operations given.")
        .flags(&[F::WRITE, F::DENYOOM])
        .categories(&[C::BITMAP])
        .keys(&[KeySpec::at(1)
            .flags(&[K::RW, K::UPDATE, K::ACCESS, K::VARIABLE_FLAGS])
            .notes("Reads or writes, as its operations say")])
        .key_rule(KeyRule::Bitfield)
        .args(&[
            key("key", 0),
            oneof(
                "operation",
                &[
                    block("get-block", &[string("encoding"), integer("offset")]).token("GET"),
                    block(
                        "write",
                        &[
                            oneof("overflow-block", &[word("wrap", "WRAP"), word("sat", "SAT"), word("fail", "FAIL")])
                                .token("OVERFLOW")
                                .optional(),
                            oneof(
                                "write-operation",
                                &[
                                    block("set-block", &[string("encoding"), integer("offset"), integer("value")])
                                        .token("SET"),
                                    block(
                                        "incrby-block",
                                        &[string("encoding"), integer("offset"), integer("increment")],
                                    )
                                    .token("INCRBY"),
                                ],
                            ),
                        ],
                    ),
                ],
            )
            .optional()
            .multiple(),
        ]),
    Row::new("bitfield_ro", Group::Bitmap, "6.0.0", -2)
        .summary("Read integers of any width packed in a string")
        .complexity("O(N), N = operations given.")
        .flags(&[F::READONLY, F::FAST])
        .categories(&[C::BITMAP])
        .keys(&[KeySpec::at(1).flags(&[K::RO, K::ACCESS])])
        .args(&[
            key("key", 0),
            block("get-block", &[string("encoding"), integer("offset")]).token("GET").optional().multiple_token(),
        ]),
    Row::new("bitop", Group::Bitmap, "2.6.0", -4)
        .summary("Combine strings bit by bit and keep the result under a key")
        .complexity("O(N)")
        .flags(&[F::WRITE, F::DENYOOM])
        .categories(&[C::BITMAP])
        .keys(&[KeySpec::at(2).flags(&[K::OW, K::UPDATE]), KeySpec::at(3).range(-1, 1, 0).flags(&[K::RO, K::ACCESS])])
        .args(&[
            oneof("operation", &[word("and", "AND"), word("or", "OR"), word("xor", "XOR"), word("not", "NOT")]),
            key("destkey", 0),
            key("key", 1).multiple(),
        ]),
    Row::new("bitpos", Group::Bitmap, "2.8.7", -3)
        .summary("Find the first bit with a given value in a string")
        .complexity("O(N)")
        .flags(&[F::READONLY])
        .categories(&[C::BITMAP])
        .keys(&[KeySpec::at(1).flags(&[K::RO, K::ACCESS])])
        .args(&[
            key("key", 0),
            integer("bit"),
            block(
                "range",
                &[
                    integer("start"),
                    block(
                        "end-unit-block",
                        &[
                            integer("end"),
                            oneof("unit", &[word("byte", "BYTE"), word("bit", "BIT")]).optional().since("7.0.0"),
                        ],
                    )
                    .optional(),
                ],
            )
            .optional(),
        ])
        .history(&[("7.0.0", "New: `BYTE|BIT` option.")]),
    Row::new("getbit", Group::Bitmap, "2.2.0", 3)
        .summary("Read one bit of a string")
        .complexity("O(1)")
        .flags(&[F::READONLY, F::FAST])
        .categories(&[C::BITMAP])
        .keys(&[KeySpec::at(1).flags(&[K::RO, K::ACCESS])])
        .args(&[key("key", 0), integer("offset")]),
    Row::new("setbit", Group::Bitmap, "2.2.0", 4)
        .summary("Write one bit of a string and return what it was")
        .complexity("O(1)")
        .flags(&[F::WRITE, F::DENYOOM])
        .categories(&[C::BITMAP])
        .keys(&[KeySpec::at(1).flags(&[K::RW, K::ACCESS, K::UPDATE])])
        .args(&[key("key", 0), integer("offset"), integer("value")]),
];

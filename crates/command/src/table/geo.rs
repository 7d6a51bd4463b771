//! Geospatial indexes.

use crate::keyspec::{KeyFlags as K, KeyRule, KeySpec};
use crate::row::arg::{block, double, integer, key, oneof, string, word};
use crate::row::{Categories as C, Flags as F, Group, Row};

pub static ROWS: &[Row] = &[
    Row::new("geoadd", Group::Geo, "3.2.0", -5)
        .summary("Add places to a geospatial index or move them")
        .complexity("O(M*log(N)), M = members added, N = members of the sorted set.")
        .flags(&[F::WRITE, F::DENYOOM])
        .categories(&[C::GEO])
        .keys(&[KeySpec::at(1).flags(&[K::RW, K::UPDATE])])
        .args(&[
            key("key", 0),
            oneof("condition", &[word("nx", "NX"), word("xx", "XX")]).optional().since("6.2.0"),
            word("change", "CH").optional().since("6.2.0"),
            block("data", &[double("longitude"), double("latitude"), string("member")]).multiple(),
        ])
        .history(&[("6.2.0", "New: `CH`, `NX` and `XX` options.")]),
    Row::new("geodist", Group::Geo, "3.2.0", -4)
        .summary("Measure how far two members are apart")
        .complexity("O(1)")
        .flags(&[F::READONLY])
        .categories(&[C::GEO])
        .keys(&[KeySpec::at(1).flags(&[K::RO, K::ACCESS])])
        .args(&[
            key("key", 0),
            string("member1"),
            string("member2"),
            oneof("unit", &[word("m", "M"), word("km", "KM"), word("ft", "FT"), word("mi", "MI")]).optional(),
        ]),
    Row::new("geohash", Group::Geo, "3.2.0", -2)
        .summary("Tell the geohash strings of members")
        .complexity("O(N), N = members asked for.")
        .flags(&[F::READONLY])
        .categories(&[C::GEO])
        .keys(&[KeySpec::at(1).flags(&[K::RO, K::ACCESS])])
        .args(&[key("key", 0), string("member").optional().multiple()]),
    Row::new("geopos", Group::Geo, "3.2.0", -2)
        .summary("Tell the coordinates of members")
        .complexity("O(N), N = members asked for.")
        .flags(&[F::READONLY])
        .categories(&[C::GEO])
        .keys(&[KeySpec::at(1).flags(&[K::RO, K::ACCESS])])
        .args(&[key("key", 0), string("member").optional().multiple()]),
    Row::new("georadius", Group::Geo, "3.2.0", -6)
        .summary("Find members within a radius around a point, and perhaps store them")
        .complexity("O(N+log(M)), N = members in the box around the circle, M = members of the index.")
        .flags(&[F::WRITE, F::DENYOOM])
        .categories(&[C::GEO])
        .keys(&[
            KeySpec::at(1).flags(&[K::RO, K::ACCESS]),
            KeySpec::behind("STORE", 6).flags(&[K::OW, K::UPDATE, K::VARIABLE_FLAGS]),
            KeySpec::behind("STOREDIST", 6).flags(&[K::OW, K::UPDATE, K::VARIABLE_FLAGS]),
        ])
        .key_rule(KeyRule::Georadius)
        .args(&[
            key("key", 0),
            double("longitude"),
            double("latitude"),
            double("radius"),
            oneof("unit", &[word("m", "M"), word("km", "KM"), word("ft", "FT"), word("mi", "MI")]),
            word("withcoord", "WITHCOORD").optional(),
            word("withdist", "WITHDIST").optional(),
            word("withhash", "WITHHASH").optional(),
            block("count-block", &[integer("count").token("COUNT"), word("any", "ANY").optional().since("6.2.0")])
                .optional(),
            oneof("order", &[word("asc", "ASC"), word("desc", "DESC")]).optional(),
            oneof(
                "store",
                &[
                    key("storekey", 1).token("STORE").display("key"),
                    key("storedistkey", 2).token("STOREDIST").display("key"),
                ],
            )
            .optional(),
        ])
        .history(&[("6.2.0", "New: `ANY` option for `COUNT`."), ("7.0.0", "New: uppercase unit names.")]),
    Row::new("georadius_ro", Group::Geo, "3.2.10", -6)
        .summary("Find members within a radius around a point")
        .complexity("O(N+log(M)), N = members in the box around the circle, M = members of the index.")
        .flags(&[F::READONLY])
        .categories(&[C::GEO])
        .keys(&[KeySpec::at(1).flags(&[K::RO, K::ACCESS])])
        .args(&[
            key("key", 0),
            double("longitude"),
            double("latitude"),
            double("radius"),
            oneof("unit", &[word("m", "M"), word("km", "KM"), word("ft", "FT"), word("mi", "MI")]),
            word("withcoord", "WITHCOORD").optional(),
            word("withdist", "WITHDIST").optional(),
            word("withhash", "WITHHASH").optional(),
            block("count-block", &[integer("count").token("COUNT"), word("any", "ANY").optional().since("6.2.0")])
                .optional(),
            oneof("order", &[word("asc", "ASC"), word("desc", "DESC")]).optional(),
        ])
        .history(&[("6.2.0", "New: `ANY` option for `COUNT`."), ("7.0.0", "New: uppercase unit names.")]),
    Row::new("georadiusbymember", Group::Geo, "3.2.0", -5)
        .summary("Find members within a radius around a member, and perhaps store them")
        .complexity("O(N+log(M)), N = members in the box around the circle, M = members of the index.")
        .flags(&[F::WRITE, F::DENYOOM])
        .categories(&[C::GEO])
        .keys(&[
            KeySpec::at(1).flags(&[K::RO, K::ACCESS]),
            KeySpec::behind("STORE", 5).flags(&[K::OW, K::UPDATE, K::VARIABLE_FLAGS]),
            KeySpec::behind("STOREDIST", 5).flags(&[K::OW, K::UPDATE, K::VARIABLE_FLAGS]),
        ])
        .key_rule(KeyRule::Georadius)
        .args(&[
            key("key", 0),
            string("member"),
            double("radius"),
            oneof("unit", &[word("m", "M"), word("km", "KM"), word("ft", "FT"), word("mi", "MI")]),
            word("withcoord", "WITHCOORD").optional(),
            word("withdist", "WITHDIST").optional(),
            word("withhash", "WITHHASH").optional(),
            block("count-block", &[integer("count").token("COUNT"), word("any", "ANY").optional()]).optional(),
            oneof("order", &[word("asc", "ASC"), word("desc", "DESC")]).optional(),
            oneof(
                "store",
                &[
                    key("storekey", 1).token("STORE").display("key"),
                    key("storedistkey", 2).token("STOREDIST").display("key"),
                ],
            )
            .optional(),
        ])
        .history(&[("6.2.0", "New: `ANY` option for `COUNT`."), ("7.0.0", "New: uppercase unit names.")]),
    Row::new("georadiusbymember_ro", Group::Geo, "3.2.10", -5)
        .summary("Find members within a radius around a member")
        .complexity("O(N+log(M)), N = members in the box around the circle, M = members of the index.")
        .flags(&[F::READONLY])
        .categories(&[C::GEO])
        .keys(&[KeySpec::at(1).flags(&[K::RO, K::ACCESS])])
        .args(&[
            key("key", 0),
            string("member"),
            double("radius"),
            oneof("unit", &[word("m", "M"), word("km", "KM"), word("ft", "FT"), word("mi", "MI")]),
            word("withcoord", "WITHCOORD").optional(),
            word("withdist", "WITHDIST").optional(),
            word("withhash", "WITHHASH").optional(),
            block("count-block", &[integer("count").token("COUNT"), word("any", "ANY").optional()]).optional(),
            oneof("order", &[word("asc", "ASC"), word("desc", "DESC")]).optional(),
        ])
        .history(&[("6.2.0", "New: `ANY` option for `COUNT`."), ("7.0.0", "New: uppercase unit names.")]),
    Row::new("geosearch", Group::Geo, "6.2.0", -7)
        .summary("Find members within a circle, a box or a polygon")
        .complexity("O(N+log(M)), N = members in the grid cells around the shape, M = members of the index.")
        .flags(&[F::READONLY])
        .categories(&[C::GEO])
        .keys(&[KeySpec::at(1).flags(&[K::RO, K::ACCESS])])
        .args(&[
            key("key", 0),
            oneof(
                "from",
                &[
                    string("member").token("FROMMEMBER"),
                    block("fromlonlat", &[double("longitude"), double("latitude")]).token("FROMLONLAT"),
                ],
            )
            .optional(),
            oneof(
                "by",
                &[
                    block(
                        "circle",
                        &[
                            double("radius").token("BYRADIUS"),
                            oneof("unit", &[word("m", "M"), word("km", "KM"), word("ft", "FT"), word("mi", "MI")]),
                        ],
                    ),
                    block(
                        "box",
                        &[
                            double("width").token("BYBOX"),
                            double("height"),
                            oneof("unit", &[word("m", "M"), word("km", "KM"), word("ft", "FT"), word("mi", "MI")]),
                        ],
                    ),
                    block(
                        "polygon",
                        &[
                            integer("num-vertices").token("BYPOLYGON"),
                            block("vertices", &[double("longitude"), double("latitude")]).multiple(),
                        ],
                    )
                    .since("9.0.0"),
                ],
            ),
            oneof("order", &[word("asc", "ASC"), word("desc", "DESC")]).optional(),
            block("count-block", &[integer("count").token("COUNT"), word("any", "ANY").optional()]).optional(),
            word("withcoord", "WITHCOORD").optional(),
            word("withdist", "WITHDIST").optional(),
            word("withhash", "WITHHASH").optional(),
        ])
        .history(&[("7.0.0", "New: uppercase unit names."), ("9.0.0", "New: BYPOLYGON option.")]),
    Row::new("geosearchstore", Group::Geo, "6.2.0", -8)
        .summary("Store the members within a circle, a box or a polygon")
        .complexity("O(N+log(M)), N = members in the grid cells around the shape, M = members of the index.")
        .flags(&[F::WRITE, F::DENYOOM])
        .categories(&[C::GEO])
        .keys(&[KeySpec::at(1).flags(&[K::OW, K::UPDATE]), KeySpec::at(2).flags(&[K::RO, K::ACCESS])])
        .args(&[
            key("destination", 0),
            key("source", 1),
            oneof(
                "from",
                &[
                    string("member").token("FROMMEMBER"),
                    block("fromlonlat", &[double("longitude"), double("latitude")]).token("FROMLONLAT"),
                ],
            )
            .optional(),
            oneof(
                "by",
                &[
                    block(
                        "circle",
                        &[
                            double("radius").token("BYRADIUS"),
                            oneof("unit", &[word("m", "M"), word("km", "KM"), word("ft", "FT"), word("mi", "MI")]),
                        ],
                    ),
                    block(
                        "box",
                        &[
                            double("width").token("BYBOX"),
                            double("height"),
                            oneof("unit", &[word("m", "M"), word("km", "KM"), word("ft", "FT"), word("mi", "MI")]),
                        ],
                    ),
                    block(
                        "polygon",
                        &[
                            integer("num-vertices").token("BYPOLYGON"),
                            block("vertices", &[double("longitude"), double("latitude")]).multiple(),
                        ],
                    )
                    .since("9.0.0"),
                ],
            ),
            oneof("order", &[word("asc", "ASC"), word("desc", "DESC")]).optional(),
            block("count-block", &[integer("count").token("COUNT"), word("any", "ANY").optional()]).optional(),
            word("storedist", "STOREDIST").optional(),
        ])
        .history(&[("7.0.0", "New: uppercase unit names."), ("9.0.0", "New: BYPOLYGON option.")]),
];

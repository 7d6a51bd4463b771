//! DEBUG PROTOCOL, ERROR: a reply of each kind, for tests of clients.

use resp::error::{self, Error};

use super::{Sub, sub};
use crate::commands::{Call, Done};

pub(super) const SUBS: &[Sub] = &[
    sub("protocol", "<type>", "Answer with a value of this type.", (3, 3), true, protocol),
    sub("error", "<text>", "Answer with this error.", (3, 3), true, |call| Err(Error::foreign(call.args.at(2)))),
];

fn protocol(call: &mut Call<'_, '_>) -> Done {
    let out = &mut call.client.out;
    match call.args.at(2).to_ascii_lowercase().as_slice() {
        b"string" => out.bulk(b"Hello World"),
        b"integer" => out.integer(12345),
        b"double" => out.double_text(b"3.141"),
        b"bignum" => out.big_number(b"1234567999999999999999999999999999999"),
        b"null" => out.null(),
        b"array" => {
            out.array(3);
            (0..3).for_each(|n| out.integer(n));
        }
        b"set" => {
            out.set(3);
            (0..3).for_each(|n| out.integer(n));
        }
        b"map" => {
            out.map(3);
            for n in 0..3 {
                out.integer(n);
                out.bool(n == 1);
            }
        }
        b"attrib" => {
            if out.attribute(1) {
                out.bulk(b"key-popularity");
                out.array(2);
                out.bulk(b"key:123");
                out.integer(90);
            }
            out.bulk(b"Some real reply following the attribute");
        }
        b"push" => {
            if !out.is_resp3() {
                return Err(error::debug::RESP2);
            }
            out.push(2);
            out.bulk(b"server-cpu-usage");
            out.integer(42);
            out.bulk(b"Some real reply following the push reply");
        }
        b"true" => out.bool(true),
        b"false" => out.bool(false),
        b"verbatim" => out.verbatim(b"txt", b"This is a verbatim\nstring"),
        _ => return Err(error::debug::PROTOCOL_TYPE),
    }
    Ok(())
}

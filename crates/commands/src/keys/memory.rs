//! MEMORY USAGE: how many bytes a key takes.
//!
//! ```text
//!   slot in the table ─► entry: header, key, expiry, short value ─► what the value owns
//!      not counted           its allocation, as given out            exactly, or from SAMPLES
//! ```
//!
//! A value with many elements of their own is estimated from five of them unless SAMPLES says otherwise; 0 looks at all.
//! What the tables take MEMORY STATS tells. Looking is no access, and finds nothing to count a miss for.

use command::context::{Context, Done};
use resp::error;
use structures::entry::Payload;

use crate::options::{integer, is};

/// How many elements are looked at by default.
const SAMPLES: usize = 5;

pub(super) fn usage(ctx: &mut Context<'_, '_>) -> Done {
    let mut samples = SAMPLES;
    let mut next = 3;
    while let Some(option) = ctx.args.get(next) {
        let (true, Some(count)) = (is(option, "SAMPLES"), ctx.args.get(next + 1)) else {
            return Err(error::common::SYNTAX.into());
        };
        samples = usize::try_from(integer(count)?).map_err(|_| error::common::SYNTAX)?;
        next += 2;
    }
    let key = ctx.key(2);
    let Some(view) = ctx.space.peek(&key) else {
        ctx.reply.null();
        return Ok(());
    };
    let beside = match view.payload() {
        Payload::Int(_) | Payload::Bytes { .. } => 0,
        Payload::Value(value) => value.memory(samples),
    };
    let bytes = view.allocation_size() + beside;
    ctx.reply.integer(bytes as i64);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::Keyspace;

    fn bytes(keyspace: &mut Keyspace, line: &str) -> i64 {
        let reply = keyspace.run(line).replace("(integer) ", "");
        reply.trim().parse().unwrap_or_else(|_| panic!("{line}: {reply}"))
    }

    #[test]
    fn more_takes_more() {
        let mut keyspace = Keyspace::new();
        keyspace.run(&format!("SET short {}", "x".repeat(10)));
        keyspace.run(&format!("SET long {}", "x".repeat(10_000)));
        let short = bytes(&mut keyspace, "MEMORY USAGE short");
        assert!((16..100).contains(&short), "{short}");
        let long = bytes(&mut keyspace, "MEMORY USAGE long");
        assert!((10_000..11_000).contains(&long), "{long}");
    }

    #[test]
    fn elements_are_sampled() {
        let mut keyspace = Keyspace::new();
        for n in 0..1000 {
            keyspace.run(&format!("HSET h field:{n:04} {}", "v".repeat(100)));
        }
        let all = bytes(&mut keyspace, "MEMORY USAGE h SAMPLES 0");
        assert!((110_000..200_000).contains(&all), "{all}");
        let some = bytes(&mut keyspace, "MEMORY USAGE h");
        assert!((some - all).abs() < all / 10, "{some} {all}");
    }
}

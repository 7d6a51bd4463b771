//! ZSCAN: the members of a sorted set, a few at a time.
//!
//! A listpack is answered whole, whatever COUNT says. Cursors, MATCH and the guarantee are those of SCAN.
//!
//! Where we differ from Valkey: it writes the scores of a big set with 17 digits, `1.1000000000000001`, and those of a
//! small one with the fewest that read back to the same number; here both are written so.

use command::context::{Context, Done};
use resp::reply::Reply;
use structures::number;
use value::Zset;

use super::answer;
use crate::keys::scan::{ScanOptions, Scanned, cursor};

pub(super) fn zscan(ctx: &mut Context<'_, '_>) -> Done {
    let key = ctx.key(1);
    let cursor = cursor(ctx.args.at(2))?;
    let Some(zset) = ctx.space.read::<Zset>(&key)? else {
        ctx.reply.array(2);
        ctx.reply.bulk(b"0");
        ctx.reply.empty_array();
        return Ok(());
    };
    let options = ScanOptions::parse(&ctx.args, 3, Scanned::Zset)?;
    // The next cursor stands before the members, but is known only behind them.
    let reply = &mut *ctx.reply;
    let mut members = Reply::new(reply.proto);
    let mut shown = 0;
    let next = zset.scan(cursor, options.count, |member, score| {
        if member.with_bytes(|name| options.matches(name)) {
            answer(&mut members, member);
            shown += 1;
            if !options.bare {
                members.bulk(&number::double(score));
                shown += 1;
            }
        }
    });
    reply.array(2);
    reply.bulk(&number::unsigned(next));
    reply.array(shown);
    reply.raw(&members.buf);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::Keyspace;

    #[test]
    fn a_big_set_is_walked_whole_and_scores_are_short() {
        let mut s = Keyspace::new();
        for i in 0..500 {
            s.run(&format!("ZADD z {i}.1 m{i}"));
        }
        let mut cursor = "0".to_string();
        let mut found = std::collections::BTreeSet::new();
        let mut calls = 0;
        loop {
            let reply = s.run(&format!("ZSCAN z {cursor} COUNT 20"));
            let mut words = reply.split(['[', ']', ' ', '"']).filter(|word| !word.is_empty());
            cursor = words.next().expect("a cursor").to_string();
            while let (Some(member), Some(score)) = (words.next(), words.next()) {
                assert_eq!(score, format!("{}.1", &member[1..]));
                found.insert(member.to_string());
            }
            calls += 1;
            if cursor == "0" {
                break;
            }
        }
        assert_eq!(found.len(), 500);
        assert!(calls > 5, "{calls} calls");
    }
}

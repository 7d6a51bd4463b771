//! LPOS: where an element is in a list.
//!
//! RANK says which of several matches is the first to count, from the back if it is negative; COUNT asks for an array of
//! so many (0: of all); MAXLEN ends the search after so many elements. Indices always count from the front.

use command::context::{Context, Done};
use resp::args::Args;
use resp::error::{self, Error};
use structures::number;
use value::{Item, List};

use crate::options::{integer, is};

/// The options of LPOS.
struct Search {
    /// Matches to pass over before the first that counts.
    skip: u64,
    /// Whether the search goes from the back to the front.
    reverse: bool,
    /// How many matches are wanted as an array; 0 for all, `None` for one that is no array.
    count: Option<usize>,
    /// How many elements are compared at most; 0 for all.
    most: usize,
}

impl Search {
    fn parse(args: &Args<'_>) -> Result<Search, Error> {
        let mut search = Search { skip: 0, reverse: false, count: None, most: 0 };
        let size = |arg, e: Error| number::parse_i64(arg).and_then(|n| usize::try_from(n).ok()).ok_or(e);
        let mut at = 3;
        while let Some(word) = args.get(at) {
            let arg = args.get(at + 1).ok_or(error::common::SYNTAX)?;
            if is(word, "RANK") {
                let rank = integer(arg)?;
                if rank == i64::MIN {
                    return Err(error::common::out_of_range_between(-i64::MAX, i64::MAX));
                }
                search.reverse = rank < 0;
                search.skip = rank.unsigned_abs().checked_sub(1).ok_or(error::list::LPOS_RANK_ZERO)?;
            } else if is(word, "COUNT") {
                search.count = Some(size(arg, error::list::LPOS_COUNT_NEGATIVE)?);
            } else if is(word, "MAXLEN") {
                search.most = size(arg, error::list::LPOS_MAXLEN_NEGATIVE)?;
            } else {
                return Err(error::common::SYNTAX);
            }
            at += 2;
        }
        Ok(search)
    }

    /// Shows the index of every match that counts to `found`.
    fn run(&self, list: &List, element: &[u8], mut found: impl FnMut(usize)) {
        let len = list.len();
        let most = if self.most == 0 { len } else { self.most.min(len) };
        let mut wanted = match self.count {
            None => 1,
            Some(0) => usize::MAX,
            Some(count) => count,
        };
        let element = Item::Bytes(element).canonical();
        let mut skip = self.skip;
        let mut walk = list.iter_from(if self.reverse { len - 1 } else { 0 }, self.reverse);
        for step in 0..most {
            let Some(item) = walk.next_item() else { break };
            if item != element {
                continue;
            }
            if skip > 0 {
                skip -= 1;
                continue;
            }
            found(if self.reverse { len - 1 - step } else { step });
            wanted -= 1;
            if wanted == 0 {
                break;
            }
        }
    }
}

pub(super) fn lpos(ctx: &mut Context<'_, '_>) -> Done {
    let key = ctx.key(1);
    let search = Search::parse(&ctx.args)?;
    let list = ctx.space.read::<List>(&key)?;
    let reply = &mut *ctx.reply;
    let mut found = 0;
    if search.count.is_some() {
        let array = reply.array_deferred();
        if let Some(list) = list {
            search.run(list, ctx.args.at(2), |index| {
                reply.length(index);
                found += 1;
            });
        }
        reply.set_array_len(array, found);
        return Ok(());
    }
    if let Some(list) = list {
        search.run(list, ctx.args.at(2), |index| {
            reply.length(index);
            found += 1;
        });
    }
    if found == 0 {
        reply.null();
    }
    Ok(())
}

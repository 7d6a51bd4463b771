//! What DEBUG turns on and off, for tests.
//!
//! Some of the peers' switches are about parts that we do not have. They are taken, so that tests that set them go on, and
//! do nothing.

use std::sync::atomic::{AtomicBool, Ordering};

use resp::error;
use structures::number;

use super::{Sub, sub};
use crate::commands::{Call, Done};
use crate::server::Server;

/// The switches of a server.
#[derive(Debug)]
pub struct Switches {
    /// Whether keys are expired by the clock, not only on access.
    pub active_expire: AtomicBool,
    /// What is done by the clock to spare memory rests.
    pub cron_paused: AtomicBool,
    /// Every reply counts against the output limit as if it were large.
    pub large_replies: AtomicBool,
}

impl Default for Switches {
    fn default() -> Self {
        Switches {
            active_expire: AtomicBool::new(true),
            cron_paused: AtomicBool::new(false),
            large_replies: AtomicBool::new(false),
        }
    }
}

pub(super) const SUBS: &[Sub] = &[
    sub("set-active-expire", "<0|1>", "Expire keys by the clock, or on access only.", (3, 3), false, |call| {
        switch(call, |server| &server.switches.active_expire)
    }),
    sub("pause-cron", "<0|1>", "Let periodic work rest.", (3, 3), false, |call| {
        switch(call, |server| &server.switches.cron_paused)
    }),
    sub(
        "config-rewrite-force-all",
        "",
        "CONFIG REWRITE of every directive, those with defaults too.",
        (2, 2),
        false,
        |call| crate::commands::config::rewrite_file(call, true),
    ),
    sub("client-enforce-reply-list", "<0|1>", "Count every reply as a large one.", (3, 3), false, |call| {
        switch(call, |server| &server.switches.large_replies)
    }),
    sub(
        "set-skip-checksum-validation",
        "<0|1>",
        "Let RESTORE take payloads with a wrong checksum.",
        (3, 3),
        false,
        |call| {
            let on = is_on(call);
            call.core.publish_control(|control| control.skip_checksums(on));
            call.client.out.ok();
            Ok(())
        },
    ),
    sub(
        "quicklist-packed-threshold",
        "<bytes>",
        "Accepted; large elements have nodes of their own anyway.",
        (3, 3),
        false,
        |call| {
            config::parse_bytes(call.args.at(2)).ok_or(error::debug::REPLYBUFFER)?;
            call.client.out.ok();
            Ok(())
        },
    ),
    sub("dict-resizing", "<0|1>", "Accepted; tables are resized segment by segment.", (3, 3), false, accept),
    sub("hashtable-can-abort-shrink", "<0|1>", "Accepted; tables shrink segment by segment.", (3, 3), false, accept),
    sub("set-disable-deny-scripts", "<0|1>", "Accepted; there are no scripts yet.", (3, 3), false, accept),
    sub(
        "force-free-primary-async",
        "<0|1>",
        "Accepted; the end of a link never waits for its thread.",
        (3, 3),
        false,
        accept,
    ),
    sub("replybuffer", "<option> <value>", "Accepted; output buffers have no fixed part.", (4, 4), false, accept),
    sub("stringmatch-len", "<length> <pattern>", "Match a long string of one letter.", (4, 4), true, stringmatch),
];

fn is_on(call: &Call<'_, '_>) -> bool {
    number::parse_i64(call.args.at(2)).is_some_and(|n| n != 0)
}

fn switch(call: &mut Call<'_, '_>, of: fn(&Server) -> &AtomicBool) -> Done {
    of(call.core.server).store(is_on(call), Ordering::Relaxed);
    call.client.out.ok();
    Ok(())
}

fn accept(call: &mut Call<'_, '_>) -> Done {
    call.client.out.ok();
    Ok(())
}

/// How long matching takes on hostile patterns: the caller measures.
fn stringmatch(call: &mut Call<'_, '_>) -> Done {
    const MOST: i64 = 1 << 30;
    let length = number::parse_i64(call.args.at(2)).filter(|n| (0..=MOST).contains(n));
    let text = vec![b'a'; length.ok_or(error::common::MUST_BE_POSITIVE)? as usize];
    let matches = structures::glob::matches(call.args.at(3), &text);
    call.client.out.integer(i64::from(matches));
    Ok(())
}

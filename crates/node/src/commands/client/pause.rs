//! CLIENT PAUSE and CLIENT UNPAUSE.

use keyspace::UnixMillis;
use resp::error;
use structures::number;

use super::super::{Call, Done};
use crate::control::{Pause, PauseReason};

pub(super) fn pause(call: &mut Call<'_, '_>) -> Done {
    if call.args.len() > 4 {
        return Err(error::common::wrong_arity(call.row.fullname));
    }
    let what = match call.args.get(3).map(<[u8]>::to_ascii_lowercase).as_deref() {
        None | Some(b"all") => Pause::All,
        Some(b"write") => Pause::Writes,
        Some(_) => return Err(error::client::PAUSE_MODE),
    };
    let millis = number::parse_i64(call.args.at(2)).ok_or(error::common::TIMEOUT_NOT_INTEGER)?;
    if millis < 0 {
        return Err(error::common::TIMEOUT_NEGATIVE);
    }
    let now = call.core.server.engine.now().0;
    let until = now.checked_add(millis).ok_or(error::common::TIMEOUT_OUT_OF_RANGE)?;
    if millis > 0 {
        call.core.publish_control(|control| control.begin_pause(PauseReason::Client, what, UnixMillis(until)));
    }
    call.client.out.ok();
    Ok(())
}

pub(super) fn unpause(call: &mut Call<'_, '_>) -> Done {
    call.core.publish_control(|control| control.end_pause(PauseReason::Client));
    call.core.server.recheck();
    call.client.out.ok();
    Ok(())
}

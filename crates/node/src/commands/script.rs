//! SCRIPT KILL: ends a unit that runs for long (see [`crate::busy`]).

use resp::error;

use super::{Call, ControlBinding, Done, free};

pub(super) const TABLE: &[ControlBinding] = &[free("script|kill", kill)];

fn kill(call: &mut Call<'_, '_>) -> Done {
    if !call.core.server.busy.kill() {
        return Err(error::script::NOTBUSY);
    }
    call.client.out.ok();
    Ok(())
}

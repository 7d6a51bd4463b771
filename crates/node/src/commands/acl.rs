//! ACL: who one is, and what there is to be allowed. There is one user so far, who may do everything.

use command::row::Categories;
use resp::error;

use super::{Call, ControlBinding, Done, free};

pub(super) const TABLE: &[ControlBinding] =
    &[free("acl|cat", cat), free("acl|help", super::help::help), free("acl|users", users), free("acl|whoami", whoami)];

fn whoami(call: &mut Call<'_, '_>) -> Done {
    let user = call.client.card.texts.lock().user.clone();
    call.client.out.bulk(&user);
    Ok(())
}

fn users(call: &mut Call<'_, '_>) -> Done {
    call.client.out.array(1);
    call.client.out.bulk(acl::DEFAULT_USER);
    Ok(())
}

/// The categories, or the commands of one.
fn cat(call: &mut Call<'_, '_>) -> Done {
    let out = &mut call.client.out;
    match call.args.get(2) {
        None => {
            let names: Vec<_> = Categories::ALL.iter().map(|(_, name)| name).filter(|name| !name.is_empty()).collect();
            out.array(names.len());
            names.iter().for_each(|name| out.bulk(name.as_bytes()));
        }
        Some(_) if call.args.len() > 3 => {
            return Err(error::common::subcommand_syntax(b"ACL", call.args.at(1)));
        }
        Some(name) => {
            let category = Categories::by_name(name).ok_or_else(|| error::acl::unknown_category(name))?;
            let server = call.core.server;
            let rows = server.registry.iter().filter(|(id, row)| server.has(*id) && row.acl().contains(category));
            let names: Vec<_> = rows.map(|(_, row)| row.fullname).collect();
            out.array(names.len());
            names.iter().for_each(|name| out.bulk(name.as_bytes()));
        }
    }
    Ok(())
}

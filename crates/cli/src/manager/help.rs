//! `--cluster help`.

use super::{FAILED, Manager};
use crate::failure::Failure;
use crate::screen;

const ANY_NODE: &str = "<host:port> or <host> <port> - separated by either colon or space";

/// A subcommand, its arguments, its flags. The words in braces are those of the family.
const COMMANDS: &[(&str, &str, &[&str])] = &[
    ("create", "host1:port1 ... hostN:portN", &["replicas <arg>"]),
    ("check", ANY_NODE, &["search-multiple-owners"]),
    ("info", ANY_NODE, &[]),
    ("fix", ANY_NODE, &["search-multiple-owners", "fix-with-unreachable-{primaries}"]),
    (
        "reshard",
        ANY_NODE,
        &["from <arg>", "to <arg>", "slots <arg>", "yes", "timeout <arg>", "pipeline <arg>", "replace"],
    ),
    (
        "rebalance",
        ANY_NODE,
        &[
            "weight <node1=w1...nodeN=wN>",
            "use-empty-{primaries}",
            "timeout <arg>",
            "simulate",
            "pipeline <arg>",
            "threshold <arg>",
            "replace",
        ],
    ),
    ("add-node", "new_host:new_port existing_host:existing_port", &["{replica}", "{id}-id <arg>"]),
    ("del-node", "host:port node_id", &[]),
    ("call", "host:port command arg arg .. arg", &["only-{primaries}", "only-replicas"]),
    ("set-timeout", "host:port milliseconds", &[]),
    ("import", "host:port", &["from <arg>", "from-user <arg>", "from-pass <arg>", "from-askpass", "copy", "replace"]),
    ("backup", "host:port backup_directory", &[]),
    ("help", "", &[]),
];

/// The text is the peers'; that it counts as a failure, too.
pub fn run(manager: &Manager) -> Result<(), Failure> {
    let words = manager.words;
    let id = if words.is_redis { "master" } else { "primaries" };
    let mut text = "Cluster Manager Commands:\n".to_owned();
    for (name, arguments, flags) in COMMANDS {
        text.push_str(&format!("  {name:15}{arguments}\n"));
        for flag in *flags {
            let flag = flag.replace("{primaries}", words.primaries).replace("{replica}", words.replica);
            text.push_str(&format!("{:17}--cluster-{}\n", "", flag.replace("{id}", id)));
        }
    }
    text.push_str(
        "\nFor check, fix, reshard, del-node, set-timeout, info, rebalance, call, import, backup you can specify the host and \
         port of any working node in the cluster.\n\nCluster Manager Options:\n  --cluster-yes  Automatic yes to cluster \
         commands prompts\n\n",
    );
    screen::print(text.as_bytes())?;
    Err(FAILED)
}

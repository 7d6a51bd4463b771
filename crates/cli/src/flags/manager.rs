//! The flags of the cluster manager. Both families' spellings are understood under every name.

use std::ffi::OsString;

use arguments::Action::{Switch, Value, Words};
use arguments::number::{leading_float, leading_int};
use arguments::{Flag, bytes, path};

use super::Draft;

/// Behind the flags of the tool itself.
pub const FLAGS: &[Flag<Draft>] = &[
    Flag::new(
        &["--cluster"],
        Some("<command>"),
        "Manage a cluster; \"--cluster help\" lists the commands. Arguments follow, up to the next flag.",
        Words(take_command),
    ),
    Flag::new(
        &["--cluster-replicas"],
        Some("<n>"),
        "create: replicas of each {primary}.",
        Value(|d, v| {
            d.options.manager.replicas = usize::try_from(leading_int(v)).unwrap_or(0);
            Ok(())
        }),
    ),
    Flag::new(
        &["--cluster-yes"],
        None,
        "Take the answer yes for granted. {env}_CLUSTER_YES=1 in the environment does the same.",
        Switch(|d| d.options.manager.yes = true),
    ),
    Flag::new(
        &["--cluster-from"],
        Some("<nodes>"),
        "reshard: where slots come from, ids with commas between, or all; import: host:port of the source.",
        Value(|d, v| {
            d.options.manager.from = Some(text(v));
            Ok(())
        }),
    ),
    Flag::new(
        &["--cluster-to"],
        Some("<node>"),
        "reshard: the id of the node that receives the slots.",
        Value(|d, v| {
            d.options.manager.to = Some(text(v));
            Ok(())
        }),
    ),
    Flag::new(
        &["--cluster-slots"],
        Some("<n>"),
        "reshard: how many slots to move.",
        Value(|d, v| {
            d.options.manager.slots = leading_int(v);
            Ok(())
        }),
    ),
    Flag::new(
        &["--cluster-timeout"],
        Some("<ms>"),
        "How long one MIGRATE may take (60000).",
        Value(|d, v| {
            d.options.manager.timeout_ms = leading_int(v);
            Ok(())
        }),
    ),
    Flag::new(
        &["--cluster-pipeline"],
        Some("<n>"),
        "How many keys one MIGRATE takes along (10).",
        Value(|d, v| {
            d.options.manager.pipeline = leading_int(v);
            Ok(())
        }),
    ),
    Flag::new(
        &["--cluster-replace"],
        None,
        "Overwrite keys that the receiving node has already.",
        Switch(|d| d.options.manager.replace = true),
    ),
    Flag::new(
        &["--cluster-use-atomic-slot-migration"],
        None,
        "reshard, rebalance: let the servers move slots whole, where they can.",
        Switch(|d| d.options.manager.atomic = true),
    ),
    Flag::new(
        &["--cluster-weight"],
        Some("<node=w>..."),
        "rebalance: weights of nodes, by id or its beginning; the others weigh 1.",
        Words(take_weights),
    ),
    Flag::new(
        &["--cluster-use-empty-primaries", "--cluster-use-empty-masters"],
        None,
        "rebalance: give slots also to nodes that have none.",
        Switch(|d| d.options.manager.use_empty = true),
    ),
    Flag::new(
        &["--cluster-threshold"],
        Some("<percent>"),
        "rebalance: do nothing as long as no node is off by more than this (2).",
        Value(|d, v| {
            d.options.manager.threshold = leading_float(v) as f32;
            Ok(())
        }),
    ),
    Flag::new(
        &["--cluster-simulate"],
        None,
        "rebalance: show what would be moved, move nothing.",
        Switch(|d| d.options.manager.simulate = true),
    ),
    Flag::new(
        &["--cluster-replica", "--cluster-slave"],
        None,
        "add-node: the new node is a replica.",
        Switch(|d| d.options.manager.as_replica = true),
    ),
    Flag::new(
        &["--cluster-primary-id", "--cluster-primaries-id", "--cluster-master-id"],
        Some("<id>"),
        "add-node: whom the new replica follows; by default who has the fewest replicas.",
        Value(|d, v| {
            d.options.manager.primary_id = Some(text(v));
            Ok(())
        }),
    ),
    Flag::new(
        &["--cluster-search-multiple-owners"],
        None,
        "check, fix: look also for slots that several nodes have.",
        Switch(|d| d.options.manager.search_owners = true),
    ),
    Flag::new(
        &["--cluster-fix-with-unreachable-primaries", "--cluster-fix-with-unreachable-masters"],
        None,
        "fix: go on although some nodes do not answer. Data may be lost.",
        Switch(|d| d.options.manager.fix_unreachable = true),
    ),
    Flag::new(
        &["--cluster-only-primaries", "--cluster-only-masters"],
        None,
        "call: leave out replicas.",
        Switch(|d| d.options.manager.primaries_only = true),
    ),
    Flag::new(
        &["--cluster-only-replicas", "--cluster-only-slaves"],
        None,
        "call: replicas only.",
        Switch(|d| d.options.manager.replicas_only = true),
    ),
    Flag::new(
        &["--cluster-from-user"],
        Some("<name>"),
        "import: authenticate at the source as this user.",
        Value(|d, v| {
            d.options.manager.from_user = Some(v.to_vec());
            Ok(())
        }),
    ),
    Flag::new(
        &["--cluster-from-pass"],
        Some("<password>"),
        "import: authenticate at the source with this password.",
        Value(|d, v| {
            d.options.manager.from_password = Some(v.to_vec());
            Ok(())
        }),
    ),
    Flag::new(
        &["--cluster-from-askpass"],
        None,
        "import: ask for the source's password on the terminal.",
        Switch(|d| d.options.manager.ask_from_password = true),
    ),
    Flag::new(
        &["--cluster-copy"],
        None,
        "import: leave the keys in the source.",
        Switch(|d| d.options.manager.copy = true),
    ),
    Flag::new(
        &["--dry-run"],
        None,
        "With --cluster: print the plan, as JSON with --json, and change nothing.",
        Switch(|d| d.options.manager.dry_run = true),
    ),
    Flag::new(
        &["--cluster-plan"],
        Some("<file>"),
        "Write the plan to a file before it is executed; \"--cluster apply <file>\" does what is left of it.",
        Value(|d, v| {
            d.options.manager.plan = Some(path(v));
            Ok(())
        }),
    ),
];

fn text(value: &[u8]) -> String {
    String::from_utf8_lossy(value).into_owned()
}

/// The subcommand and its words; how many that were.
fn take_command(draft: &mut Draft, words: &[OsString]) -> Result<usize, String> {
    let request = &mut draft.options.manager;
    let [command, rest @ ..] = words else { return Err(super::unknown(b"--cluster")) };
    if request.command.is_some() {
        return Err(super::unknown(b"--cluster"));
    }
    request.command = Some(text(bytes(command)));
    Ok(1 + take_words(draft, rest))
}

/// Words that are no flags are the subcommand's, if there is one.
pub fn claim(draft: &mut Draft, words: &[OsString]) -> usize {
    if draft.options.manager.command.is_some() { take_words(draft, words) } else { 0 }
}

/// Words of the subcommand, up to the next flag. What comes after a flag counts only where nothing stood before it.
fn take_words(draft: &mut Draft, words: &[OsString]) -> usize {
    let own: Vec<Vec<u8>> =
        words.iter().map(|word| bytes(word).to_vec()).take_while(|word| !word.starts_with(b"-")).collect();
    let count = own.len();
    if draft.options.manager.words.is_empty() {
        draft.options.manager.words = own;
    }
    count
}

fn take_weights(draft: &mut Draft, words: &[OsString]) -> Result<usize, String> {
    let request = &mut draft.options.manager;
    if request.weights.is_some() {
        return Err("WARNING: you cannot use --cluster-weight more than once.\n\
                    You can set more weights by adding them as a space-separated list, ie:\n\
                    --cluster-weight n1=w n2=w"
            .to_owned());
    }
    let weights: Vec<String> = words
        .iter()
        .map(|word| text(bytes(word)))
        .take_while(|word| !word.starts_with("--") && word.contains('='))
        .collect();
    let count = weights.len();
    if count > 0 {
        request.weights = Some(weights);
    }
    Ok(count)
}

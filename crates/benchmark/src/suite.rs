//! The tests that run when no command is given: names, titles and commands that reports of many years share.
//!
//! With `-r` the numbers in keys, members and fields differ from request to request; without it each test works on one
//! key. In a cluster each key carries a hash tag that belongs to the node that is asked.

use crate::command::{Payload, Sequence};
use crate::options::Options;

/// One test.
#[derive(Debug)]
pub struct Test {
    /// What `-t` calls it; any of them chooses it.
    names: &'static [&'static str],
    /// A command that has to run once on each node before.
    pub before: Option<Vec<Vec<u8>>>,
    pub sequence: Sequence,
}

/// The tests that the options choose, in the order in which they run.
pub fn tests(options: &Options, payload: &mut Payload) -> Vec<Test> {
    let mut all = all(options, &payload.next());
    if let Some(chosen) = &options.tests {
        all.retain(|test| test.names.iter().any(|name| chosen.iter().any(|word| word == name)));
    }
    all
}

/// The words of `-t` that name no test.
pub fn unknown(options: &Options) -> Vec<&str> {
    let all = all(&Options { size: 1, functions: 0, ..options.clone() }, b"x");
    let known = |word: &str| all.iter().any(|test| test.names.contains(&word));
    let words = options.tests.iter().flatten().map(String::as_str);
    words.filter(|word| !word.is_empty() && !known(word)).collect()
}

fn all(options: &Options, data: &[u8]) -> Vec<Test> {
    let tag = if options.cluster { ":{tag}" } else { "" };
    let size = options.size;
    let test = |names: &'static [&'static str], title: &str, words: &[&str]| {
        // `$` stands for the payload and `@` for the hash tag; neither is in any of our own words.
        let arguments: Vec<Vec<u8>> = words
            .iter()
            .map(|word| if *word == "$" { data.to_vec() } else { word.replace('@', tag).into_bytes() })
            .collect();
        Test { names, before: None, sequence: Sequence::of(title, &arguments, size) }
    };
    let repeat = |verb: &'static str, words: &[&'static str]| {
        let mut line = vec![verb];
        (0..10).for_each(|_| line.extend_from_slice(words));
        line
    };
    let inline = Sequence { title: "PING_INLINE".to_owned(), bytes: b"PING\r\n".to_vec(), commands: 1, payload: size };
    let score = if options.space.is_some() { "__rand_int__" } else { "0" };
    let load = library(options.functions, false);
    let mut fcall = vec!["fcall".to_owned(), "foo1".to_owned(), options.function_keys.to_string()];
    fcall.extend((1..=options.function_keys).map(|key| format!("key{key}")));
    let fcall: Vec<&str> = fcall.iter().map(String::as_str).collect();
    let before_fcall = ["FUNCTION", "LOAD", "REPLACE", &library(1, options.function_keys > 0)];
    let before_fcall = before_fcall.iter().map(|word| word.as_bytes().to_vec()).collect();
    vec![
        Test { names: &["ping_inline", "ping"], before: None, sequence: inline },
        test(&["ping_mbulk", "ping"], "PING_MBULK", &["PING"]),
        test(&["set"], "SET", &["SET", "key@:__rand_int__", "$"]),
        test(&["get"], "GET", &["GET", "key@:__rand_int__"]),
        test(&["incr"], "INCR", &["INCR", "counter@:__rand_int__"]),
        test(&["lpush"], "LPUSH", &["LPUSH", "mylist@", "$"]),
        test(&["rpush"], "RPUSH", &["RPUSH", "mylist@", "$"]),
        test(&["lpop"], "LPOP", &["LPOP", "mylist@"]),
        test(&["rpop"], "RPOP", &["RPOP", "mylist@"]),
        test(&["sadd"], "SADD", &["SADD", "myset@", "element:__rand_int__"]),
        test(&["hset"], "HSET", &["HSET", "myhash@", "element:__rand_int__", "$"]),
        test(&["spop"], "SPOP", &["SPOP", "myset@"]),
        test(&["zadd"], "ZADD", &["ZADD", "myzset@", score, "element:__rand_1st__"]),
        test(&["zpopmin"], "ZPOPMIN", &["ZPOPMIN", "myzset@"]),
        test(
            &["lrange", "lrange_100", "lrange_300", "lrange_500", "lrange_600"],
            "LPUSH (needed to benchmark LRANGE)",
            &["LPUSH", "mylist@", "$"],
        ),
        test(&["lrange", "lrange_100"], "LRANGE_100 (first 100 elements)", &["LRANGE", "mylist@", "0", "99"]),
        test(&["lrange", "lrange_300"], "LRANGE_300 (first 300 elements)", &["LRANGE", "mylist@", "0", "299"]),
        test(&["lrange", "lrange_500"], "LRANGE_500 (first 500 elements)", &["LRANGE", "mylist@", "0", "499"]),
        test(&["lrange", "lrange_600"], "LRANGE_600 (first 600 elements)", &["LRANGE", "mylist@", "0", "599"]),
        test(&["mset"], "MSET (10 keys)", &repeat("MSET", &["key@:__rand_int__", "$"])),
        test(&["mget"], "MGET (10 keys)", &repeat("MGET", &["key@:__rand_int__"])),
        test(&["xadd"], "XADD", &["XADD", "mystream@", "*", "myfield", "$"]),
        test(&["function_load"], "FUNCTION LOAD", &["function", "load", "replace", &load]),
        Test { before: Some(before_fcall), ..test(&["fcall"], "FCALL", &fcall) },
    ]
}

/// A library of that many functions: `foo1`, `foo2`, …
fn library(functions: u32, with_keys: bool) -> String {
    let (parameters, result) = if with_keys { ("keys, args", "keys[0]") } else { ("", "0") };
    let mut text = "#!lua name=benchlib\n".to_owned();
    for n in (1..=functions).rev() {
        text.push_str(&format!("local function foo{n}({parameters})\nreturn {result}\nend\n"));
        text.push_str(&format!("redis.register_function('foo{n}', foo{n})\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn titles(options: &Options) -> Vec<String> {
        tests(options, &mut Payload::new(options.size)).into_iter().map(|test| test.sequence.title).collect()
    }

    fn chosen(words: &[&str]) -> Options {
        Options { tests: Some(words.iter().map(|word| word.to_string()).collect()), ..Options::default() }
    }

    #[test]
    fn names_choose_tests() {
        assert_eq!(titles(&Options::default()).len(), 24);
        assert_eq!(titles(&chosen(&["get", "set"])), ["SET", "GET"]);
        assert_eq!(titles(&chosen(&["ping"])), ["PING_INLINE", "PING_MBULK"]);
        assert_eq!(
            titles(&chosen(&["lrange_300"])),
            ["LPUSH (needed to benchmark LRANGE)", "LRANGE_300 (first 300 elements)"]
        );
        assert!(titles(&chosen(&["nosuch", ""])).is_empty());
        assert_eq!(unknown(&chosen(&["set", "nosuch", ""])), ["nosuch"]);
    }

    #[test]
    fn commands_are_the_published_ones() {
        let request = |options: &Options| {
            let test = tests(options, &mut Payload::new(3)).pop().unwrap();
            String::from_utf8(test.sequence.bytes).unwrap()
        };
        assert_eq!(
            request(&chosen(&["zadd"])),
            "*4\r\n$4\r\nZADD\r\n$6\r\nmyzset\r\n$1\r\n0\r\n$20\r\nelement:__rand_1st__\r\n"
        );
        let options = Options { cluster: true, space: Some(5), ..chosen(&["zadd"]) };
        assert_eq!(
            request(&options),
            "*4\r\n$4\r\nZADD\r\n$12\r\nmyzset:{tag}\r\n$12\r\n__rand_int__\r\n$20\r\nelement:__rand_1st__\r\n"
        );
        assert!(request(&chosen(&["mset"])).starts_with("*21\r\n$4\r\nMSET\r\n$16\r\nkey:__rand_int__\r\n$3\r\n"));
        assert!(request(&chosen(&["fcall"])).ends_with("$4\r\nfoo1\r\n$1\r\n1\r\n$4\r\nkey1\r\n"));
        let sizes = Options { size: 100, ..chosen(&["set"]) };
        assert_eq!(tests(&sizes, &mut Payload::new(100))[0].sequence.payload, 100);
    }
}

//! The command lines of `up` and `down`.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::shape::{Shape, Wish};

/// Where a topology lives when no folder is named.
const FOLDER: &str = "rubellite-topology";

pub const UP_HELP: &str = "\
Usage: rubellite up primary-replica|sentinel|cluster [options]

Makes a folder with a configuration file for each node, starts the nodes in the background, waits until they
have found each other, and prints what to try next. On a folder that exists it starts what does not run.

  --dir <folder>       where configuration, logs and data are kept (default ./rubellite-topology)
  --base-port <port>   port of the first node; the others have the next ones (default 7000)
  --primaries <count>  primaries (default: as many as the shape needs)
  --replicas <count>   replicas of each primary (default 2)

Ctrl-C stops what was started so far. Exit code: 0 when the topology is healthy, else 1, and standard error says why.
";

pub const DOWN_HELP: &str = "\
Usage: rubellite down [--dir <folder>]

Stops the nodes that `rubellite up` started there. Their files stay: `rubellite up` starts them again.

  --dir <folder>       the folder given to `up` (default ./rubellite-topology)

Exit code: 0 when nothing runs there any more, else 1, and standard error says why.
";

pub enum Request<T> {
    Help,
    Run(T),
}

/// What `up` shall do.
#[derive(Debug, PartialEq, Eq)]
pub struct Up {
    pub shape: Shape,
    pub folder: PathBuf,
    pub wish: Wish,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Down {
    pub folder: PathBuf,
}

impl Up {
    /// The error is a line for people.
    pub fn parse(words: &[OsString]) -> Result<Request<Up>, String> {
        let mut shape = None;
        let mut up = Up { shape: Shape::PrimaryReplica, folder: PathBuf::from(FOLDER), wish: Wish::default() };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or(format!("{} needs a value", word.display()));
            match word.to_str() {
                Some("-h" | "--help") => return Ok(Request::Help),
                Some("--dir") => up.folder = folder(words.next())?,
                Some("--base-port") => up.wish.base_port = Some(number("--base-port", value()?)?),
                Some("--primaries") => up.wish.primaries = Some(number("--primaries", value()?)?),
                Some("--replicas") => up.wish.replicas = Some(number("--replicas", value()?)?),
                Some(name) if shape.is_none() && !name.starts_with('-') => shape = Some(Shape::named(name)?),
                _ => return Err(format!("unknown argument {:?}; try rubellite up --help", word.display().to_string())),
            }
        }
        up.shape = shape.ok_or_else(|| format!("say which topology: {}", Shape::names()))?;
        Ok(Request::Run(up))
    }
}

impl Down {
    /// The error is a line for people.
    pub fn parse(words: &[OsString]) -> Result<Request<Down>, String> {
        let mut down = Down { folder: PathBuf::from(FOLDER) };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match word.to_str() {
                Some("-h" | "--help") => return Ok(Request::Help),
                Some("--dir") => down.folder = folder(words.next())?,
                _ => {
                    return Err(format!(
                        "unknown argument {:?}; try rubellite down --help",
                        word.display().to_string()
                    ));
                }
            }
        }
        Ok(Request::Run(down))
    }
}

fn folder(value: Option<&OsString>) -> Result<PathBuf, String> {
    let value = value.filter(|value| !value.is_empty());
    value.map(PathBuf::from).ok_or_else(|| "--dir needs a value".to_owned())
}

fn number(flag: &str, value: &OsString) -> Result<u16, String> {
    let number = value.to_str().and_then(|text| text.parse().ok());
    number.ok_or_else(|| format!("{flag} needs a number up to 65535, not {:?}", value.display().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn up(line: &str) -> Result<Up, String> {
        let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        Up::parse(&words).map(|request| match request {
            Request::Run(up) => up,
            Request::Help => panic!("help for {line}"),
        })
    }

    #[test]
    fn flags_stand_before_and_behind_the_shape() {
        let up = up("--dir /d primary-replica --base-port 9000 --replicas 3").unwrap();
        assert_eq!((up.shape, up.folder), (Shape::PrimaryReplica, PathBuf::from("/d")));
        assert_eq!(up.wish, Wish { base_port: Some(9000), primaries: None, replicas: Some(3) });
    }

    #[test]
    fn what_is_wrong_is_one_line() {
        for (line, expect) in [
            ("", "say which topology: primary-replica, sentinel, cluster"),
            ("ring", "there is no topology \"ring\"; there are: primary-replica, sentinel, cluster"),
            ("cluster x", "unknown argument \"x\"; try rubellite up --help"),
            ("cluster --dir", "--dir needs a value"),
            ("cluster --replicas many", "--replicas needs a number up to 65535, not \"many\""),
        ] {
            assert_eq!(up(line), Err(expect.to_owned()), "{line}");
        }
        assert!(Down::parse(&["everything".into()]).is_err());
    }
}

//! Everything about one test that is decided before it starts.

use client::Address;
use memchr::memmem;
use resp::encode;

use crate::cluster::{Cluster, PLACEHOLDER};
use crate::command::Sequence;
use crate::options::{Options, ReadFrom};
use crate::placeholder::Placeholders;
use crate::target::Target;

#[derive(Debug)]
pub struct Plan<'a> {
    pub options: &'a Options,
    pub title: String,
    /// Bytes of payload that reports tell.
    pub payload: usize,
    /// What is sent at once: the sequence, as often as the pipeline is deep.
    pub request: Vec<u8>,
    /// How many replies answer it.
    pub replies: u32,
    /// What has to be filled in before each send.
    pub placeholders: Option<Placeholders>,
    /// Where in the request hash tags stand, behind their braces.
    pub tags: Vec<usize>,
    /// What is sent once on each connection, before the first request.
    pub greeting: Vec<u8>,
    pub greeting_replies: u32,
    /// Connections are spread over these.
    pub targets: Vec<Target>,
    pub cluster: Option<&'a Cluster>,
}

impl<'a> Plan<'a> {
    /// The error is a line for people.
    pub fn new(
        options: &'a Options,
        sequence: &Sequence,
        targets: Vec<Target>,
        cluster: Option<&'a Cluster>,
    ) -> Result<Self, String> {
        let request = sequence.pipelined(options.pipeline)?;
        let replies = sequence.commands.checked_mul(options.pipeline).ok_or("The pipeline is too deep.")?;
        let placeholders = Placeholders::find(&sequence.bytes);
        let tags = if cluster.is_some() {
            memmem::find_iter(&request, PLACEHOLDER).map(|at| at + 1).collect()
        } else {
            Vec::new()
        };
        let (greeting, greeting_replies) = greeting(options);
        Ok(Plan {
            options,
            title: sequence.title.clone(),
            payload: sequence.payload,
            request,
            replies,
            placeholders: (options.space.is_some() && !placeholders.is_empty()).then_some(placeholders),
            tags,
            greeting,
            greeting_replies,
            targets,
            cluster,
        })
    }

    /// At least one, also without `--threads`.
    pub fn threads(&self) -> usize {
        self.options.threads.max(1)
    }

    /// The name of the node that a connection talks to, for messages.
    pub fn name(&self, node: usize) -> &Address {
        &self.targets[node].name
    }
}

/// Who we are, which database and which protocol.
fn greeting(options: &Options) -> (Vec<u8>, u32) {
    let (mut bytes, mut replies) = (Vec::new(), 0);
    let mut say = |words: &[Vec<u8>]| {
        encode::command(&mut bytes, words);
        replies += 1;
    };
    let words = |line: &str| -> Vec<Vec<u8>> { line.split(' ').map(|word| word.as_bytes().to_vec()).collect() };
    if let Some(words) = options.server.authentication() {
        say(&words);
    }
    if options.resp3 {
        say(&words("HELLO 3"));
    }
    if options.tracking {
        say(&words("CLIENT TRACKING on"));
    }
    if options.server.db != 0 {
        say(&words(&format!("SELECT {}", options.server.db)));
    }
    if options.cluster && options.read_from != ReadFrom::Primaries {
        say(&words("READONLY"));
    }
    (bytes, replies)
}

#[cfg(test)]
mod tests {
    use super::*;
    use arguments::Server;

    #[test]
    fn a_connection_begins_with_what_the_options_ask_for() {
        assert_eq!(greeting(&Options::default()), (Vec::new(), 0));
        let options = Options {
            server: Server { password: Some(b"p".to_vec()), user: Some(b"u".to_vec()), db: 5, ..Server::default() },
            resp3: true,
            tracking: true,
            ..Options::default()
        };
        let (bytes, replies) = greeting(&options);
        let text = String::from_utf8(bytes).unwrap().replace("\r\n", " ");
        assert_eq!(replies, 4);
        assert_eq!(text, "*3 $4 AUTH $1 u $1 p *2 $5 HELLO $1 3 *3 $6 CLIENT $8 TRACKING $2 on *2 $6 SELECT $1 5 ");
    }

    #[test]
    fn placeholders_count_only_where_numbers_were_asked_for() {
        let sequence = Sequence::of("x", &["SET", "k:__rand_int__", "{tag}"], 3);
        let options = Options { pipeline: 3, ..Options::default() };
        let plan = Plan::new(&options, &sequence, Vec::new(), None).unwrap();
        assert_eq!((plan.replies, plan.request.len(), plan.threads()), (3, 3 * sequence.bytes.len(), 1));
        assert!(plan.placeholders.is_none() && plan.tags.is_empty());
        let options = Options { space: Some(0), ..options };
        assert!(Plan::new(&options, &sequence, Vec::new(), None).unwrap().placeholders.is_some());
        let options = Options { pipeline: u32::MAX, ..options };
        assert!(Plan::new(&options, &sequence, Vec::new(), None).is_err());
    }
}

//! What is sent: a sequence of commands as one piece of protocol.
//!
//! On the command line commands are separated by a word `;`, and a number before a command repeats it:
//! `SET a b ; 3 GET a` is four commands. `__data__` in an argument stands for the payload of `-d` bytes.

use memchr::memmem;
use resp::encode;

/// The longest sequence, so that a repetition typed wrong is a complaint and not the end of the machine's memory.
const LONGEST: usize = 1 << 30;

/// A title for reports, and what is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sequence {
    pub title: String,
    pub bytes: Vec<u8>,
    /// How many commands, and so replies, it is.
    pub commands: u32,
    /// The bytes of payload that reports tell.
    pub payload: usize,
}

impl Sequence {
    /// One command.
    pub fn of<S: AsRef<[u8]>>(title: &str, arguments: &[S], payload: usize) -> Self {
        let mut bytes = Vec::new();
        encode::command(&mut bytes, arguments);
        Sequence { title: title.to_owned(), bytes, commands: 1, payload }
    }

    /// Understands the words of a command line. The error is a line for people.
    pub fn parse(words: &[Vec<u8>], payload: &mut Payload) -> Result<Self, String> {
        let mut sequence = Sequence { title: title(words), bytes: Vec::new(), commands: 0, payload: 0 };
        for mut command in words.split(|word| word == b";") {
            let mut repeat = 1;
            while let [number, rest @ ..] = command
                && matches!(number.first(), Some(b'1'..=b'9'))
            {
                repeat = leading_number(number);
                command = rest;
            }
            if command.is_empty() {
                continue;
            }
            let arguments: Vec<Vec<u8>> = command.iter().map(|word| payload.put_into(word)).collect();
            let mut bytes = Vec::new();
            encode::command(&mut bytes, &arguments);
            if bytes.len().saturating_mul(repeat as usize) > LONGEST - sequence.bytes.len() {
                return Err(too_long());
            }
            sequence.bytes.extend(bytes.repeat(repeat as usize));
            sequence.commands += repeat;
        }
        if sequence.commands == 0 {
            return Err("There is no command to send.".to_owned());
        }
        sequence.payload = sequence.bytes.len();
        Ok(sequence)
    }

    /// The sequence as often as a pipeline holds it.
    pub fn pipelined(&self, times: u32) -> Result<Vec<u8>, String> {
        let times = times as usize;
        if self.bytes.len().saturating_mul(times) > LONGEST {
            return Err(too_long());
        }
        Ok(self.bytes.repeat(times))
    }
}

/// What reports call a command line.
pub fn title(words: &[Vec<u8>]) -> String {
    words.iter().map(|word| String::from_utf8_lossy(word)).collect::<Vec<_>>().join(" ")
}

fn too_long() -> String {
    format!("The requests of one pipeline are longer than {LONGEST} bytes.")
}

/// The number at the start of a word that begins with a digit; saturating.
fn leading_number(word: &[u8]) -> u32 {
    let digits = word.iter().take_while(|byte| byte.is_ascii_digit());
    digits.fold(0u32, |n, digit| n.saturating_mul(10).saturating_add(u32::from(digit - b'0')))
}

/// Bytes that look random and are the same in each run.
#[derive(Clone, Debug)]
pub struct Payload {
    size: usize,
    state: u32,
}

impl Payload {
    pub fn new(size: usize) -> Self {
        Payload { size, state: 1234 }
    }

    /// The next payload: printable characters, each different from the last payload's.
    pub fn next(&mut self) -> Vec<u8> {
        (0..self.size)
            .map(|_| {
                // The linear generator that the C standard prints as an example.
                self.state = self.state.wrapping_mul(1_103_515_245).wrapping_add(12_345);
                b'0' + ((self.state >> 16) & 63) as u8
            })
            .collect()
    }

    fn put_into(&mut self, word: &[u8]) -> Vec<u8> {
        const NAME: &[u8] = b"__data__";
        let (mut out, mut from) = (Vec::with_capacity(word.len()), 0);
        for at in memmem::find_iter(word, NAME) {
            out.extend_from_slice(&word[from..at]);
            out.extend(self.next());
            from = at + NAME.len();
        }
        out.extend_from_slice(&word[from..]);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Sequence, String> {
        let words: Vec<Vec<u8>> = line.split_whitespace().map(|word| word.as_bytes().to_vec()).collect();
        Sequence::parse(&words, &mut Payload::new(5))
    }

    #[test]
    fn commands_are_separated_and_repeated() {
        let sequence = parse("incr foo ; 3 get b ;").unwrap();
        let get = "*2\r\n$3\r\nget\r\n$1\r\nb\r\n";
        assert_eq!(sequence.bytes, format!("*2\r\n$4\r\nincr\r\n$3\r\nfoo\r\n{get}{get}{get}").into_bytes());
        assert_eq!((sequence.commands, sequence.title.as_str()), (4, "incr foo ; 3 get b ;"));
        assert_eq!(sequence.payload, sequence.bytes.len());
        assert_eq!(sequence.pipelined(2).unwrap(), sequence.bytes.repeat(2));
    }

    #[test]
    fn data_is_as_long_as_asked_for() {
        let sequence = parse("set k v:__data__:__data__").unwrap();
        let text = String::from_utf8(sequence.bytes).unwrap();
        assert!(text.contains("$13\r\nv:") && text.ends_with("\r\n"), "{text}");
        assert_eq!(Payload::new(0).next(), b"");
        let mut payload = Payload::new(100);
        let (one, other) = (payload.next(), payload.next());
        assert!(one != other && one.iter().chain(&other).all(|byte| (b'0'..b'0' + 64).contains(byte)));
    }

    #[test]
    fn what_cannot_be_sent_is_refused() {
        for line in ["", ";", "; 3 ;", "5", "999999999 set a b"] {
            assert!(parse(line).is_err(), "{line}");
        }
        assert!(parse("set a b").unwrap().pipelined(u32::MAX).is_err());
    }
}

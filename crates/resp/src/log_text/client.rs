//! Clients and their limits.

pub const IDLE: &str = "Closing idle client";
/// A page must not reach a data store through its reader's machine.
pub const BROWSER: &str = "Possible SECURITY ATTACK detected. It looks like somebody is sending POST or Host: commands. \
                           The connection is closed.";

/// `input`: what the client has sent from there on; `None` where nothing of users is to be shown. Of much of it the
/// beginning and the end.
pub fn protocol_error(why: &str, client: &str, input: Option<&[u8]>) -> String {
    const SHOWN: usize = 128;
    let visible = |bytes: &[u8]| -> String {
        bytes.iter().map(|b| if (b' '..=b'~').contains(b) { char::from(*b) } else { '.' }).collect()
    };
    let input = match input {
        None => "*redacted*".to_owned(),
        Some(input) if input.len() < SHOWN => format!("'{}'", visible(input)),
        Some(input) => {
            let (head, tail) = (&input[..SHOWN / 2], &input[input.len() - SHOWN / 2..]);
            let more = input.len() - SHOWN;
            format!("'{}' (... more {more} bytes ...) '{}'", visible(head), visible(tail))
        }
    };
    format!("Protocol error ({why}) from client: {client}. Query buffer: {input}")
}

pub fn output_limit(client: &str) -> String {
    format!("Client {client} closed for overcoming of output buffer limits.")
}

pub fn query_limit(client: &str) -> String {
    format!("Closing client that reached max query buffer length: {client}")
}

#[cfg(test)]
mod tests {
    use super::protocol_error;

    #[test]
    fn what_is_no_request_is_shown_in_pieces() {
        let line = |input: Option<&[u8]>| protocol_error("why", "id=1", input);
        assert_eq!(line(Some(b"$x\r\n")), "Protocol error (why) from client: id=1. Query buffer: '$x..'");
        assert_eq!(line(None), "Protocol error (why) from client: id=1. Query buffer: *redacted*");
        let long = [&[b'a'; 64][..], &[b'b'; 100], &[b'c'; 64]].concat();
        let shown = line(Some(&long));
        assert!(
            shown.ends_with(&format!("'{}' (... more 100 bytes ...) '{}'", "a".repeat(64), "c".repeat(64))),
            "{shown}"
        );
    }
}

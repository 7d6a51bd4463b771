//! Slots that are on their way, as a primary tells a new replica of them: the field `cluster-slot-states` of its snapshot.
//!
//! ```text
//!   12182<07c37dfeb235213a872192d90877d0cd55635b91,5460>e7d1eecce10fd6bb5eb35b9f99a514335d9ba9ca,
//!        └ taken from                                   └ given to
//! ```

use ::cluster::{NAME_LEN, NodeId, Slot, View};

/// The field, if there is anything to tell.
pub fn open_slots_aux(view: &View) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut text = Vec::new();
    for (slot, leaves, node) in view.open_slots() {
        text.extend_from_slice(slot.number().to_string().as_bytes());
        text.push(if leaves { b'>' } else { b'<' });
        text.extend_from_slice(node.as_bytes());
        text.push(b',');
    }
    (!text.is_empty()).then(|| (b"cluster-slot-states".to_vec(), text))
}

/// What a field tells: slot, whether it is given away, the other node. What makes no sense is left out.
pub fn parse_open_slots(text: &[u8]) -> Vec<(Slot, bool, NodeId)> {
    let one = |part: &[u8]| {
        let at = part.iter().position(|byte| matches!(byte, b'<' | b'>'))?;
        let slot =
            structures::number::parse_u64(&part[..at]).and_then(|n| u16::try_from(n).ok()).and_then(Slot::new)?;
        let name = part.get(at + 1..).filter(|name| name.len() == NAME_LEN)?;
        Some((slot, part[at] == b'>', NodeId::parse(name)?))
    };
    text.split(|byte| *byte == b',').filter_map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonsense_is_left_out() {
        let name = "07c37dfeb235213a872192d90877d0cd55635b91";
        let text = format!("12182<{name},1>{name},99999<{name},x<{name},7<short,8,,9>");
        let id = NodeId::parse(name.as_bytes()).unwrap();
        let slot = |n| Slot::new(n).unwrap();
        assert_eq!(parse_open_slots(text.as_bytes()), [(slot(12182), false, id), (slot(1), true, id)]);
    }
}

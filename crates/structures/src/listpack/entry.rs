//! One entry of a listpack: its bytes written and read. The layout stands on the page of [`super`].

use crate::item::Item;

/// The bytes that surround an element's data.
pub(super) struct Encoded<'a> {
    head: [u8; 9],
    head_len: usize,
    data: &'a [u8],
    back: [u8; 5],
    back_len: usize,
}

impl<'a> Encoded<'a> {
    pub(super) fn new(item: Item<'a>) -> Self {
        let mut head = [0; 9];
        let (head_len, data): (usize, &[u8]) = match item.canonical() {
            Item::Int(value) => (encode_int(value, &mut head), &[]),
            Item::Bytes(text) => (encode_text_len(text.len(), &mut head), text),
        };
        let mut back = [0; 5];
        let back_len = encode_back(head_len + data.len(), &mut back);
        Self { head, head_len, data, back, back_len }
    }

    pub(super) fn size(&self) -> usize {
        self.head_len + self.data.len() + self.back_len
    }

    pub(super) fn write(&self, out: &mut [u8]) {
        let (head, rest) = out.split_at_mut(self.head_len);
        let (data, back) = rest.split_at_mut(self.data.len());
        head.copy_from_slice(&self.head[..self.head_len]);
        data.copy_from_slice(self.data);
        back[..self.back_len].copy_from_slice(&self.back[..self.back_len]);
    }
}

fn encode_int(value: i64, out: &mut [u8; 9]) -> usize {
    let bytes = value.to_le_bytes();
    let (code, width) = match value {
        0..=127 => {
            out[0] = bytes[0];
            return 1;
        }
        -4096..=4095 => {
            out[0] = 0xC0 | (bytes[1] & 0x1F);
            out[1] = bytes[0];
            return 2;
        }
        -0x8000..=0x7FFF => (0xF1, 2),
        -0x80_0000..=0x7F_FFFF => (0xF2, 3),
        -0x8000_0000..=0x7FFF_FFFF => (0xF3, 4),
        _ => (0xF4, 8),
    };
    out[0] = code;
    out[1..=width].copy_from_slice(&bytes[..width]);
    width + 1
}

fn encode_text_len(len: usize, out: &mut [u8; 9]) -> usize {
    let bytes = (len as u32).to_le_bytes();
    match len {
        0..=63 => {
            out[0] = 0x80 | bytes[0];
            1
        }
        64..=4095 => {
            out[0] = 0xE0 | bytes[1];
            out[1] = bytes[0];
            2
        }
        _ => {
            out[0] = 0xF0;
            out[1..5].copy_from_slice(&bytes);
            5
        }
    }
}

pub(super) fn back_len(entry: usize) -> usize {
    match entry {
        0..=127 => 1,
        128..=16_383 => 2,
        16_384..=2_097_151 => 3,
        2_097_152..=268_435_455 => 4,
        _ => 5,
    }
}

fn encode_back(entry: usize, out: &mut [u8; 5]) -> usize {
    let len = back_len(entry);
    let mut rest = entry;
    for (i, byte) in out[..len].iter_mut().rev().enumerate() {
        *byte = (rest & 127) as u8;
        rest >>= 7;
        if i + 1 < len {
            *byte |= 128;
        }
    }
    // The first byte ends the backward reading, every other one continues it.
    out[0] &= 127;
    len
}

/// The backlen that ends right before `end`: the length of the entry without it, and its own length.
pub(super) fn decode_back(bytes: &[u8], end: usize) -> Option<(usize, usize)> {
    let mut value = 0;
    for i in 0..5 {
        let byte = *bytes.get(end.checked_sub(i + 1)?)?;
        value |= usize::from(byte & 127) << (7 * i);
        if byte & 128 == 0 {
            return Some((value, i + 1));
        }
    }
    None
}

/// The length of the entry at `at` without its backlen. `None` if the encoding byte is none or is cut off.
pub(super) fn entry_len(bytes: &[u8], at: usize) -> Option<usize> {
    let code = *bytes.get(at)?;
    Some(match code {
        0..=0x7F => 1,
        0x80..=0xBF => 1 + usize::from(code & 0x3F),
        0xC0..=0xDF => 2,
        0xE0..=0xEF => 2 + (usize::from(code & 0x0F) << 8 | usize::from(*bytes.get(at + 1)?)),
        0xF0 => {
            let len = bytes.get(at + 1..at + 5)?;
            5 + u32::from_le_bytes(len.try_into().ok()?) as usize
        }
        0xF1 => 3,
        0xF2 => 4,
        0xF3 => 5,
        0xF4 => 9,
        _ => return None,
    })
}

/// The element at `at` and the offset behind its entry. The bytes are valid.
#[inline]
pub(super) fn decode(bytes: &[u8], at: usize) -> (Item<'_>, usize) {
    let code = bytes[at];
    let (item, len) = match code {
        0..=0x7F => return (Item::Int(i64::from(code)), at + 2),
        0x80..=0xBF => {
            let len = 1 + usize::from(code & 0x3F);
            return (Item::Bytes(&bytes[at + 1..at + len]), at + len + 1);
        }
        0xC0..=0xDF => {
            let raw = i64::from(code & 0x1F) << 8 | i64::from(bytes[at + 1]);
            return (Item::Int((raw ^ 0x1000) - 0x1000), at + 3);
        }
        0xE0..=0xEF => {
            let len = 2 + (usize::from(code & 0x0F) << 8 | usize::from(bytes[at + 1]));
            (Item::Bytes(&bytes[at + 2..at + len]), len)
        }
        0xF0 => {
            let head = &bytes[at + 1..at + 5];
            let len = 5 + u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
            (Item::Bytes(&bytes[at + 5..at + len]), len)
        }
        _ => {
            let width = match code {
                0xF1 => 2,
                0xF2 => 3,
                0xF3 => 4,
                _ => 8,
            };
            let mut raw = [0; 8];
            raw[8 - width..].copy_from_slice(&bytes[at + 1..at + 1 + width]);
            (Item::Int(i64::from_le_bytes(raw) >> (64 - 8 * width)), 1 + width)
        }
    };
    (item, at + len + back_len(len))
}

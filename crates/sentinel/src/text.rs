//! Texts made of names, which are bytes, and numbers.

/// Something that has a place in a text.
pub(crate) trait Piece {
    fn put(&self, text: &mut Vec<u8>);
}

impl Piece for [u8] {
    fn put(&self, text: &mut Vec<u8>) {
        text.extend_from_slice(self);
    }
}

impl Piece for Vec<u8> {
    fn put(&self, text: &mut Vec<u8>) {
        text.extend_from_slice(self);
    }
}

impl Piece for str {
    fn put(&self, text: &mut Vec<u8>) {
        text.extend_from_slice(self.as_bytes());
    }
}

impl<T: Piece + ?Sized> Piece for &T {
    fn put(&self, text: &mut Vec<u8>) {
        (**self).put(text);
    }
}

macro_rules! number {
    ($($type:ty),*) => { $(
        impl Piece for $type {
            fn put(&self, text: &mut Vec<u8>) {
                text.extend_from_slice(self.to_string().as_bytes());
            }
        }
    )* };
}

number!(u16, u32, u64, usize, i32, i64);

/// The pieces one after another, as bytes.
macro_rules! text {
    ($($piece:expr),* $(,)?) => {{
        let mut text: Vec<u8> = Vec::new();
        $( $crate::text::Piece::put(&$piece, &mut text); )*
        text
    }};
}

pub(crate) use text;

/// Whether a value could end a line of the configuration file, or hide in a log.
pub(crate) fn has_control_characters(value: &[u8]) -> bool {
    value.iter().any(|byte| *byte <= 0x1f || *byte == 0x7f)
}

#[cfg(test)]
mod tests {
    use super::has_control_characters;

    #[test]
    fn bytes_words_and_numbers_stand_side_by_side() {
        let name: &[u8] = b"my\xffname";
        assert_eq!(text!(name, " ", 6379u16, " ", b"x".to_vec(), -1i64), b"my\xffname 6379 x-1");
    }

    #[test]
    fn line_ends_and_zero_bytes_are_control_characters() {
        assert!(has_control_characters(b"a\nb") && has_control_characters(b"\0") && has_control_characters(b"\x7f"));
        assert!(!has_control_characters(b"plain words \xc3\xa9"));
    }
}

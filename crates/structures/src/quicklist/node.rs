//! One node of a quicklist: a listpack, one large element, or either of them compressed.

use std::sync::Arc;

use super::{Buffer, Item, Listpack, Options};
use crate::lzf;

/// Bodies shorter than this are not compressed.
const MIN_COMPRESSED: usize = 48;

/// Compression must save this much to be kept.
const MIN_SAVED: usize = 8;

#[derive(Clone, Debug)]
pub(super) enum Node {
    Packed { count: u32, pack: Arc<Listpack> },
    Plain(Arc<Buffer>),
    Lzf { count: u32, plain: bool, data: Arc<Compressed> },
}

#[derive(Debug)]
pub(super) struct Compressed {
    bytes: Box<[u8]>,
    len: usize,
}

/// A node, to be written.
#[derive(Clone, Copy, Debug)]
pub enum NodeView<'a> {
    /// Elements in a listpack.
    Packed(&'a Listpack),
    /// One large element.
    Plain(&'a [u8]),
    /// The bytes of either, compressed by LZF.
    Lzf {
        /// Whether it is one large element.
        plain: bool,
        /// The compressed bytes.
        data: &'a [u8],
        /// The count of bytes that they decompress to.
        len: usize,
    },
}

impl Node {
    /// A node of one element.
    pub(super) fn of(element: &[u8], options: Options) -> Self {
        if options.is_large(element.len()) {
            return Self::plain(element);
        }
        Self::Packed { count: 1, pack: Arc::new([element].into_iter().collect()) }
    }

    pub(super) fn plain(element: &[u8]) -> Self {
        Self::Plain(Arc::new(Buffer::from_bytes(element)))
    }

    pub(super) fn count(&self) -> usize {
        match self {
            Self::Packed { count, .. } | Self::Lzf { count, .. } => *count as usize,
            Self::Plain(_) => 1,
        }
    }

    pub(super) fn view(&self) -> NodeView<'_> {
        match self {
            Self::Packed { pack, .. } => NodeView::Packed(pack),
            Self::Plain(bytes) => NodeView::Plain(bytes.as_bytes()),
            Self::Lzf { plain, data, .. } => NodeView::Lzf { plain: *plain, data: &data.bytes, len: data.len },
        }
    }

    /// The bytes allocated, the counters of references included.
    pub(super) fn memory(&self) -> usize {
        match self {
            Self::Packed { pack, .. } => 24 + pack.memory(),
            Self::Plain(bytes) => 24 + bytes.memory(),
            Self::Lzf { data, .. } => 40 + data.bytes.len(),
        }
    }

    pub(super) fn is_sound(&self) -> bool {
        let mut node = self.clone();
        node.decompress();
        match &node {
            Self::Packed { count, pack } => {
                pack.len() == *count as usize && Listpack::validate(pack.as_bytes()).is_ok()
            }
            Self::Plain(_) => true,
            Self::Lzf { .. } => false,
        }
    }

    /// Compresses the body, if that is worth it.
    pub(super) fn compress(&mut self) {
        let (count, plain, body) = match self {
            Self::Packed { count, pack } => (*count, false, pack.as_bytes()),
            Self::Plain(bytes) => (1, true, bytes.as_bytes()),
            Self::Lzf { .. } => return,
        };
        if body.len() < MIN_COMPRESSED {
            return;
        }
        if let Some(bytes) = lzf::compress(body, body.len() - MIN_SAVED) {
            let data = Arc::new(Compressed { bytes: bytes.into_boxed_slice(), len: body.len() });
            *self = Self::Lzf { count, plain, data };
        }
    }

    pub(super) fn decompress(&mut self) {
        if let Self::Lzf { count, plain, data } = self {
            let body = data.decompressed();
            *self = if *plain {
                Self::plain(&body)
            } else {
                let pack = Listpack::from_bytes(&body).expect("it was a listpack when it was compressed");
                Self::Packed { count: *count, pack: Arc::new(pack) }
            };
        }
    }

    /// The listpack, to be changed; only for nodes that are packed and not compressed.
    fn pack(&mut self) -> (&mut u32, &mut Listpack) {
        match self {
            Self::Packed { count, pack } => (count, Arc::make_mut(pack)),
            _ => unreachable!("the node is packed"),
        }
    }

    pub(super) fn push_back(&mut self, element: &[u8]) {
        let (count, pack) = self.pack();
        pack.push_back(element);
        *count += 1;
    }

    pub(super) fn insert(&mut self, offset: usize, element: &[u8]) {
        let (count, pack) = self.pack();
        let pos = pack.seek(offset as isize).expect("the offset is inside the node");
        pack.insert_before(pos, element);
        *count += 1;
    }

    /// Takes the elements from `offset`, which is not 0, on away into a node of their own.
    pub(super) fn split_off(&mut self, offset: usize) -> Self {
        let (count, pack) = self.pack();
        let tail = pack.split_off(offset);
        let taken = *count - offset as u32;
        *count = offset as u32;
        Self::Packed { count: taken, pack: Arc::new(tail) }
    }

    /// Removes some elements, not all.
    pub(super) fn remove_range(&mut self, offset: usize, removed: usize) {
        self.decompress();
        let (count, pack) = self.pack();
        pack.remove_range(offset, removed);
        *count -= removed as u32;
    }

    /// Removes up to `most` elements that equal `needle`, perhaps all, from the end if `reverse`; answers how many.
    pub(super) fn remove_equal(&mut self, needle: &[u8], most: usize, reverse: bool) -> usize {
        self.decompress();
        let (count, pack) = match self {
            Self::Plain(bytes) => {
                let equal = bytes.as_bytes() == needle;
                if equal {
                    *self = Self::Packed { count: 0, pack: Arc::new(Listpack::new()) };
                }
                return usize::from(equal);
            }
            Self::Packed { count, pack } => (count, pack),
            Self::Lzf { .. } => unreachable!("the node was decompressed"),
        };
        let needle = Item::Bytes(needle).canonical();
        let mut places = Vec::new();
        let mut entries = pack.iter();
        while let Some((pos, item)) = entries.next_entry() {
            if item == needle {
                places.push(pos);
                if !reverse && places.len() == most {
                    break;
                }
            }
        }
        let skipped = if reverse { places.len().saturating_sub(most) } else { 0 };
        let places = &places[skipped..];
        if !places.is_empty() {
            Arc::make_mut(pack).remove_many(places);
            *count -= places.len() as u32;
        }
        places.len()
    }
}

impl Compressed {
    pub(super) fn decompressed(&self) -> Vec<u8> {
        lzf::decompress(&self.bytes, self.len).expect("these bytes were compressed here")
    }
}

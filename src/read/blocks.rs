//! A file's raw bytes in fixed blocks: digests noted the first time, compared every other time before a byte is handed on.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::{Arc, Mutex, PoisonError};
use xxhash_rust::xxh3::xxh3_128;

const BLOCK: usize = 1 << 20;

/// What the first reading of a file learns of its bytes.
#[derive(Debug, Default, Clone)]
pub(super) struct Noted {
    /// One digest for each block, in order.
    pub(super) digests: Vec<u128>,
    /// The file's length.
    pub(super) bytes: u64,
}

/// Lets the first reading's notes be seen while it goes on.
#[derive(Debug, Default, Clone)]
pub(super) struct Notebook(Arc<Mutex<Noted>>);

impl Notebook {
    /// How many bytes have been read.
    pub(super) fn bytes(&self) -> u64 {
        self.with(|noted| noted.bytes)
    }

    /// Takes the notes out.
    pub(super) fn take(&self) -> Noted {
        self.with(std::mem::take)
    }

    fn with<T>(&self, look: impl FnOnce(&mut Noted) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What is done with each block's digest.
#[derive(Debug, Clone)]
pub(super) enum Watch {
    /// It is noted.
    Note(Notebook),
    /// It is compared with what was noted.
    Compare(Arc<Noted>),
}

/// The file is not what it was; carried through the decoders inside an [`io::Error`].
#[derive(Debug, thiserror::Error)]
#[error("the file changed")]
pub(super) struct Changed;

impl Changed {
    /// Whether this is what is behind `error`.
    pub(super) fn is_in(error: &io::Error) -> bool {
        error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<Self>)
    }
}

/// Hands on the bytes of a file, block by block.
#[derive(Debug)]
pub(super) struct Blocks {
    file: File,
    watch: Watch,
    block: Vec<u8>,
    at: usize,
    number: usize,
    ended: bool,
}

impl Blocks {
    pub(super) fn new(file: File, watch: Watch) -> Self {
        Self { file, watch, block: Vec::with_capacity(BLOCK), at: 0, number: 0, ended: false }
    }

    /// From the byte `at` of the file on; its block is watched as a whole.
    pub(super) fn from(mut file: File, watch: Watch, at: u64) -> io::Result<Self> {
        let inside = at % BLOCK as u64;
        file.seek(SeekFrom::Start(at - inside))?;
        let mut blocks = Self::new(file, watch);
        blocks.number = usize::try_from(at / BLOCK as u64).map_err(io::Error::other)?;
        io::copy(&mut (&mut blocks).take(inside), &mut io::sink())?;
        Ok(blocks)
    }

    fn load(&mut self) -> io::Result<()> {
        self.block.clear();
        self.at = 0;
        (&mut self.file).take(BLOCK as u64).read_to_end(&mut self.block)?;
        self.ended = self.block.len() < BLOCK;
        if let Err(changed) = self.watch() {
            self.block.clear();
            return Err(changed);
        }
        self.number += 1;
        Ok(())
    }

    fn watch(&self) -> io::Result<()> {
        let digest = (!self.block.is_empty()).then(|| xxh3_128(&self.block));
        match &self.watch {
            Watch::Note(notebook) => notebook.with(|noted| {
                noted.digests.extend(digest);
                noted.bytes += self.block.len() as u64;
            }),
            // At the end both are none; a file cut at a block's edge lacks one, a grown one has one too many.
            Watch::Compare(noted) if noted.digests.get(self.number).copied() != digest => {
                return Err(io::Error::other(Changed));
            }
            Watch::Compare(_) => {}
        }
        Ok(())
    }
}

impl Read for Blocks {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.at == self.block.len() && !self.ended {
            self.load()?;
        }
        let read = (&self.block[self.at..]).read(into)?;
        self.at += read;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn noted(path: &std::path::Path) -> Arc<Noted> {
        let notebook = Notebook::default();
        let mut blocks = Blocks::new(File::open(path).unwrap(), Watch::Note(notebook.clone()));
        io::copy(&mut blocks, &mut io::sink()).unwrap();
        Arc::new(notebook.take())
    }

    /// How many bytes are handed on before the change is noticed.
    fn handed_on(before: &[u8], after: &[u8]) -> Result<usize, usize> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(before).unwrap();
        let noted = noted(file.path());
        assert_eq!(noted.bytes, before.len() as u64);
        std::fs::write(file.path(), after).unwrap();
        let mut blocks = Blocks::new(File::open(file.path()).unwrap(), Watch::Compare(noted));
        let mut bytes = Vec::new();
        match blocks.read_to_end(&mut bytes) {
            Ok(read) => Ok(read),
            Err(error) => {
                assert!(Changed::is_in(&error));
                Err(bytes.len())
            }
        }
    }

    #[test]
    fn an_unchanged_file_is_handed_on_whole() {
        for length in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK] {
            let bytes = vec![b'x'; length];
            assert_eq!(handed_on(&bytes, &bytes), Ok(length));
        }
    }

    #[test]
    fn no_byte_of_a_changed_block_is_handed_on() {
        let before = vec![b'x'; 3 * BLOCK];
        let mut after = before.clone();
        after[2 * BLOCK - 1] = b'y';
        assert_eq!(handed_on(&before, &after), Err(BLOCK));
    }

    #[test]
    fn from_the_middle_on_the_rest_is_handed_on_and_its_blocks_are_watched_whole() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let bytes: Vec<u8> = (0..=250).cycle().take(2 * BLOCK + 5).collect();
        file.write_all(&bytes).unwrap();
        let noted = noted(file.path());
        let from = |at: usize| {
            let watch = Watch::Compare(noted.clone());
            let mut rest = Vec::new();
            Blocks::from(File::open(file.path()).unwrap(), watch, at as u64)
                .and_then(|mut blocks| blocks.read_to_end(&mut rest))
                .map(|_| rest)
        };
        for at in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 2 * BLOCK + 5] {
            assert_eq!(from(at).unwrap(), &bytes[at..], "from {at}");
        }
        let mut changed = bytes.clone();
        changed[BLOCK] ^= 1;
        std::fs::write(file.path(), changed).unwrap();
        assert!(Changed::is_in(&from(BLOCK + 7).unwrap_err()));
        assert_eq!(from(2 * BLOCK).unwrap(), &bytes[2 * BLOCK..]);
    }

    #[test]
    fn a_file_that_shrank_or_grew_is_noticed_also_at_the_edge_of_a_block() {
        let before = vec![b'x'; 2 * BLOCK];
        assert_eq!(handed_on(&before, &before[..BLOCK]), Err(BLOCK));
        assert_eq!(handed_on(&before, &before[..BLOCK - 1]), Err(0));
        assert_eq!(handed_on(&before, &[&before[..], b"x"].concat()), Err(2 * BLOCK));
        assert_eq!(handed_on(&before[..7], &before[..8]), Err(0));
        assert_eq!(handed_on(b"", b"x"), Err(0));
    }
}

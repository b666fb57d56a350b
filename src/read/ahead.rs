//! Reads ahead on a thread of its own, so that decompressing, decoding and digesting take no time from finding records.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

/// How much is handed over at once.
const PIECE: usize = 512 << 10;
/// Pieces that wait to be read.
const WAITING: usize = 8;

/// What a source holds, read before it is asked for.
pub(super) struct Ahead {
    pieces: Receiver<io::Result<Vec<u8>>>,
    piece: Vec<u8>,
    at: usize,
    ended: bool,
}

impl Ahead {
    /// Begins to read. The thread ends with the source, or after this is dropped.
    pub(super) fn of(source: impl Read + Send + 'static) -> io::Result<Self> {
        let (give, pieces) = sync_channel(WAITING);
        let begun = thread::Builder::new().name("read ahead".into()).spawn(move || read_all(source, &give));
        begun.map_err(|e| io::Error::other(format!("{e}; raise the limit of processes (ulimit -u)")))?;
        Ok(Self { pieces, piece: Vec::new(), at: 0, ended: false })
    }
}

/// The last piece is empty.
fn read_all(mut source: impl Read, give: &SyncSender<io::Result<Vec<u8>>>) {
    loop {
        let mut piece = Vec::with_capacity(PIECE);
        let read = (&mut source).take(PIECE as u64).read_to_end(&mut piece);
        let goes_on = matches!(read, Ok(1..));
        if give.send(read.map(|_| piece)).is_err() || !goes_on {
            return;
        }
    }
}

impl Read for Ahead {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.at == self.piece.len() && !self.ended {
            // Without its end a source would seem to be shorter than it is.
            let broken = |_| io::Error::other("the thread that reads it broke down");
            self.piece = self.pieces.recv().map_err(broken)??;
            (self.at, self.ended) = (0, self.piece.is_empty());
        }
        let read = (&self.piece[self.at..]).read(into)?;
        self.at += read;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    /// Gives its bytes, and then what `end` gives.
    struct Ends<F>(Cursor<Vec<u8>>, F);

    impl<F: FnMut() -> io::Result<usize>> Read for Ends<F> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            match self.0.read(into)? {
                0 => (self.1)(),
                read => Ok(read),
            }
        }
    }

    /// Has no end, and says when it is dropped.
    struct Tells(SyncSender<()>);

    impl Read for Tells {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            Ok(into.len())
        }
    }

    impl Drop for Tells {
        fn drop(&mut self) {
            let _heard = self.0.send(());
        }
    }

    fn read(end: impl FnMut() -> io::Result<usize> + Send + 'static) -> (Vec<u8>, io::Result<usize>) {
        let bytes: Vec<u8> = (0..=250).cycle().take(3 * PIECE + 7).collect();
        let mut read = Vec::new();
        let result = Ahead::of(Ends(Cursor::new(bytes), end)).unwrap().read_to_end(&mut read);
        (read, result)
    }

    #[test]
    fn a_source_is_read_to_its_end() {
        let (bytes, result) = read(|| Ok(0));
        assert_eq!((bytes.len(), result.unwrap()), (3 * PIECE + 7, 3 * PIECE + 7));
        assert!(bytes.iter().zip((0..=250).cycle()).all(|(&byte, expected)| byte == expected));
        assert_eq!(Ahead::of(io::empty()).unwrap().read_to_end(&mut Vec::new()).unwrap(), 0);
    }

    #[test]
    fn a_source_that_fails_or_breaks_down_is_never_a_shorter_one() {
        assert_eq!(
            read(|| Err(io::ErrorKind::InvalidData.into())).1.unwrap_err().kind(),
            io::ErrorKind::InvalidData
        );
        assert!(read(|| panic!("broke down, as this test wants it to")).1.is_err());
    }

    #[test]
    fn a_thread_whose_pieces_nobody_wants_ends() {
        let (tell, ended) = sync_channel(1);
        drop(Ahead::of(Tells(tell)).unwrap());
        ended.recv().unwrap();
    }
}

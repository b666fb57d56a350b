//! Parses, checks and hashes rows on every core; what comes out is in the rows' order again.
//!
//! ```text
//! reader ─ chunk ─┬─> worker ─┬─ sifted ─> whoever called
//!                 └─> worker ─┘
//! ```

use super::Error;
use super::chunk::Chunk;
use super::dedupe::{Entry, Hasher};
use super::reading::Reading;
use super::row::{Row, raw_text};
use super::shard::Shard;
use super::validate;
use crate::account::Place;
use crate::outcome::{Outcome, Refusal};
use std::num::NonZero;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Chunks under way for each worker: one that it has, and one that waits.
const AHEAD: usize = 2;

/// What becomes of a row; the same for all rows of a plan.
pub(super) struct Sifter {
    pub(super) trim: bool,
    pub(super) shard: Option<Shard>,
    pub(super) hasher: Hasher,
}

/// What became of a chunk's rows; those of other shards are in nothing.
#[derive(Default)]
pub(super) struct Sifted {
    pub(super) valid: Vec<Entry>,
    /// Valid rows whose UserID has other characters than every part of the service takes.
    pub(super) odd: Vec<u32>,
    pub(super) invalid: Vec<Refusal>,
    /// How many bytes of all inputs had been read.
    pub(super) bytes_read: u64,
}

/// A chunk, and where what becomes of it goes to.
type Task = (Chunk, SyncSender<Sifted>);

/// Reads to the end of all inputs. Gives the reading back for what it learned.
pub(super) fn sift_all(
    mut reading: Reading,
    sifter: &Sifter,
    mut take: impl FnMut(Sifted) -> Result<(), Error>,
) -> Result<Reading, Error> {
    let workers = thread::available_parallelism().map_or(1, NonZero::get);
    let (give, tasks) = sync_channel::<Task>(AHEAD * workers);
    let (promise, promises) = sync_channel::<Receiver<Sifted>>(AHEAD * workers);
    let tasks = Mutex::new(tasks);
    thread::scope(|scope| {
        let reader = scope.spawn(move || {
            while let Some(chunk) = reading.chunk()? {
                let (tell, outcome) = sync_channel(1);
                // Nobody listens any more after an error there.
                if promise.send(outcome).is_err() || give.send((chunk, tell)).is_err() {
                    break;
                }
            }
            Ok(reading)
        });
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some((chunk, tell)) = next(&tasks) {
                    // The same.
                    let _told = tell.send(sifter.sift(chunk));
                }
            });
        }
        // A promise is broken by a panic only, which the scope passes on.
        for sifted in promises.into_iter().map_while(|promise| promise.recv().ok()) {
            take(sifted)?;
        }
        reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn next(tasks: &Mutex<Receiver<Task>>) -> Option<Task> {
    tasks.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

impl Sifter {
    fn sift(&self, chunk: Chunk) -> Sifted {
        let mut sifted = Sifted { bytes_read: chunk.bytes_read, ..Sifted::default() };
        chunk.rows(|place, row| self.take(place, row, &mut sifted));
        sifted
    }

    fn take(&self, place: Place, row: Row<'_>, sifted: &mut Sifted) {
        let owns = |user_id| self.shard.is_none_or(|shard| shard.owns(user_id));
        let fields = match row {
            Ok(fields) => fields,
            Err(unparsed) => {
                if owns(None) {
                    let raw = Some(raw_text(unparsed.raw));
                    sifted.invalid.push(Refusal { raw, ..invalid(place, unparsed.reason) });
                }
                return;
            }
        };
        match validate::check(&fields, self.trim) {
            Ok(checked) if owns(Some(checked.user_id)) => {
                if !checked.is_plain {
                    sifted.odd.push(place.row);
                }
                let (user_id, nick, face_url) = (checked.user_id, checked.nick, checked.face_url);
                sifted.valid.push(self.hasher.entry(place.row, user_id, nick, face_url));
            }
            Err(refused) if owns(refused.user_id) => {
                let given = |text: &str| (!text.is_empty()).then(|| text.into());
                sifted.invalid.push(Refusal {
                    user_id: (*fields.user_id).into(),
                    nick: given(&fields.nick),
                    face_url: given(&fields.face_url),
                    ..invalid(place, refused.reason)
                });
            }
            Ok(_) | Err(_) => {}
        }
    }
}

fn invalid(place: Place, reason: String) -> Refusal {
    Refusal {
        place,
        user_id: "".into(),
        nick: None,
        face_url: None,
        outcome: Outcome::Invalid,
        code: None,
        info: reason.into(),
        attempts: 0,
        raw: None,
    }
}

//! Reading, computing and writing side by side, with a fixed number of buffers.

use std::sync::mpsc::{Receiver, Sender, channel};

/// Buffers in flight: one being read, one computed, one written, and one waiting.
const BUFFERS: usize = 4;

/// Passes buffers through three stages until `read` returns `false` (nothing was read) or a stage
/// fails. Reading and writing have a thread each; computing has the caller's, and with it the
/// caller's thread pool. The first error ends all three.
pub(crate) fn run<E: Send>(
    mut read: impl FnMut(&mut Vec<u8>) -> Result<bool, E> + Send,
    mut compute: impl FnMut(&mut Vec<u8>) -> Result<(), E>,
    mut write: impl FnMut(&mut Vec<u8>) -> Result<(), E> + Send,
) -> Result<(), E> {
    // A stage that ends drops its channel ends, which ends its neighbours.
    let (to_compute, filled) = channel::<Vec<u8>>();
    let (to_write, computed) = channel::<Vec<u8>>();
    let (to_read, empty) = channel::<Vec<u8>>();
    for _ in 0..BUFFERS {
        // The receiver lives until the reader ends.
        if to_read.send(Vec::new()).is_err() {
            return Ok(());
        }
    }
    std::thread::scope(|scope| {
        let reader =
            scope.spawn(move || -> Result<(), E> { stage(&empty, &to_compute, &mut read) });
        let writer = scope.spawn(move || -> Result<(), E> {
            for mut buffer in computed {
                write(&mut buffer)?;
                // A reader that has come to the end wants no more buffers; what is left to write is
                // written all the same.
                to_read.send(buffer).ok();
            }
            Ok(())
        });
        let mut all = |buffer: &mut Vec<u8>| compute(buffer).map(|()| true);
        let computing = stage(&filled, &to_write, &mut all);
        drop((filled, to_write));
        let reading = reader.join();
        let writing = writer.join();
        computing.and(joined(reading)).and(joined(writing))
    })
}

/// Takes buffers until there are no more, or nobody wants them, or the work says that it is done.
fn stage<E>(
    from: &Receiver<Vec<u8>>,
    to: &Sender<Vec<u8>>,
    work: &mut impl FnMut(&mut Vec<u8>) -> Result<bool, E>,
) -> Result<(), E> {
    for mut buffer in from {
        if !work(&mut buffer)? || to.send(buffer).is_err() {
            break;
        }
    }
    Ok(())
}

fn joined<E>(result: std::thread::Result<Result<(), E>>) -> Result<(), E> {
    result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(chunks: u8) -> impl FnMut(&mut Vec<u8>) -> Result<bool, &'static str> + Send {
        let mut next = 0;
        move |buffer| {
            buffer.clear();
            buffer.push(next);
            next += 1;
            Ok(next <= chunks)
        }
    }

    #[test]
    fn everything_comes_out_in_order() {
        for chunks in [0, 1, 3, 100] {
            let mut out = Vec::new();
            let double = |buffer: &mut Vec<u8>| {
                for byte in buffer {
                    *byte *= 2;
                }
                Ok(())
            };
            let write = |buffer: &mut Vec<u8>| {
                out.extend_from_slice(buffer);
                Ok(())
            };
            run(input(chunks), double, write).unwrap();
            let expected: Vec<u8> = (0..chunks).map(|i| 2 * i).collect();
            assert_eq!(out, expected);
        }
    }

    #[test]
    fn an_error_of_any_stage_ends_all() {
        let fails = |at: u8, name: &'static str| {
            move |buffer: &mut Vec<u8>| {
                if buffer.first() == Some(&at) {
                    Err(name)
                } else {
                    Ok(())
                }
            }
        };
        let never = |_: &mut Vec<u8>| Ok(());
        assert_eq!(run(input(100), fails(50, "compute"), never), Err("compute"));
        assert_eq!(run(input(100), never, fails(50, "write")), Err("write"));
        let mut n = 0;
        let read = |buffer: &mut Vec<u8>| {
            buffer.clear();
            n += 1;
            if n == 9 { Err("read") } else { Ok(true) }
        };
        assert_eq!(run(read, never, never), Err("read"));
    }
}

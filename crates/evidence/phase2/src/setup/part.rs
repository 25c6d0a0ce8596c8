//! The part of a batch that one thread prepares: its bases with what multiples of them are needed, and what of
//! them belongs to each shard.

use vector::{Addition, PositionError, Summand};

use super::{
    accumulate::Split,
    ladder::{Ladder, is_long},
    signed::Signed,
    terms::{Coefficient, Term},
};
use crate::positions::{index, position};
use crate::sums::{Backend, BadPoint, Item};

/// Bases with their multiples, and what of them is added in each shard.
pub(super) struct Part<B: Backend> {
    pub(super) points: Vec<B::Point>,
    pub(super) items: Vec<Vec<Item>>,
    /// Something that is missing among them.
    pub(super) misplaced: Option<PositionError>,
}

/// A base that has other coefficients than 1 and −1, and where the multiples stand that these need.
struct Row {
    base: u32,
    /// 2^k times the base is at `start + k - 1`.
    start: u32,
    doublings: u32,
    /// Its place among the bases that long coefficients multiply.
    climber: Option<u32>,
}

impl Row {
    fn double(&self, power: u32) -> u32 {
        match power {
            0 => self.base,
            power => self.start + power - 1,
        }
    }
}

impl<B: Backend> Part<B> {
    /// `terms` are those of the bases given, in order; their rows begin at `first_row`, and their other
    /// coefficients are in `others`.
    pub(super) fn new(
        backend: &mut B,
        bytes: &[u8],
        width: usize,
        first_row: u32,
        terms: &[Term],
        others: &[Signed],
        split: Split,
    ) -> Result<Self, BadPoint> {
        let mut points = vec![B::INFINITY; bytes.len() / width.max(1)];
        backend.import(bytes, &mut points)?;
        let mut part = Self {
            points,
            items: split.lists(terms.len()),
            misplaced: None,
        };
        let (rows, climbers) = part.rows(first_row, terms, others);
        if let Err(misplaced) = double(backend, &mut part.points, &rows) {
            part.miss(misplaced.position);
        }
        let own = terms.iter().filter_map(|term| other(term, others));
        let ladder = Ladder::new(backend, &climbers, own, &mut part.points);

        let mut rows = rows.iter().peekable();
        let mut long = ladder.all();
        for term in terms {
            let base = term.row - first_row;
            let (shard, target) = split.of(term.signal, term.place);
            let Some(items) = part.items.get_mut(shard) else {
                part.miss(term.signal);
                continue;
            };
            if let Coefficient::Unit { negative } = term.coefficient {
                items.push(Item::new(target, base, negative));
                continue;
            }
            while rows.next_if(|row| row.base < base).is_some() {}
            let row = rows.peek().filter(|row| row.base == base);
            let (Some(value), Some(row)) = (other(term, others), row) else {
                part.miss(base);
                continue;
            };
            let negative = value.is_negative();
            if !is_long::<B>(value) {
                items.extend(
                    value.digits().map(|(power, minus)| {
                        Item::new(target, row.double(power), minus != negative)
                    }),
                );
                continue;
            }
            let (Some(climber), Some(Some(digits))) = (row.climber, long.next()) else {
                part.miss(base);
                continue;
            };
            items.extend(digits.iter().map(|digit| {
                let source = ladder.source::<B>(&mut part.points, base, climber, digit);
                Item::new(target, source, digit.minus != negative)
            }));
        }
        Ok(part)
    }

    /// The bases with other coefficients, room for their doublings, and those that long ones multiply.
    fn rows(
        &mut self,
        first_row: u32,
        terms: &[Term],
        others: &[Signed],
    ) -> (Vec<Row>, Vec<B::Point>) {
        let mut rows: Vec<Row> = Vec::new();
        let mut climbers = Vec::new();
        for term in terms {
            let Coefficient::Other(_) = term.coefficient else {
                continue;
            };
            let base = term.row - first_row;
            let Some(value) = other(term, others) else {
                self.miss(base);
                continue;
            };
            if rows.last().is_none_or(|row| row.base != base) {
                rows.push(Row {
                    base,
                    start: 0,
                    doublings: 0,
                    climber: None,
                });
            }
            let Some(row) = rows.last_mut() else { continue };
            if !is_long::<B>(value) {
                row.doublings = row.doublings.max(value.doublings());
            } else if row.climber.is_none() {
                row.climber = Some(position(climbers.len()));
                climbers.extend(self.points.get(index(base)).copied());
            }
        }
        let mut end = position(self.points.len());
        for row in &mut rows {
            row.start = end;
            end += row.doublings;
        }
        self.points.resize(index(end), B::INFINITY);
        (rows, climbers)
    }

    fn miss(&mut self, position: u32) {
        self.misplaced.get_or_insert(PositionError { position });
    }
}

/// A term's coefficient where it is not 1 or −1.
fn other<'a>(term: &Term, others: &'a [Signed]) -> Option<&'a Signed> {
    match term.coefficient {
        Coefficient::Unit { .. } => None,
        Coefficient::Other(place) => others.get(index(place)),
    }
}

/// The doublings of all rows, step by step.
fn double<B: Backend>(
    backend: &mut B,
    points: &mut [B::Point],
    rows: &[Row],
) -> Result<(), PositionError> {
    let longest = rows.iter().map(|row| row.doublings).max().unwrap_or(0);
    let mut additions = Vec::new();
    for step in 0..longest {
        additions.clear();
        for row in rows.iter().filter(|row| step < row.doublings) {
            let before = Summand::own(row.double(step));
            additions.push(Addition {
                left: before,
                right: before,
                to: row.double(step + 1),
            });
        }
        backend.add(points, &[], &additions)?;
    }
    Ok(())
}

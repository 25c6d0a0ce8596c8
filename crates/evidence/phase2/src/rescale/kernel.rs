//! One scalar times a block of points, in affine coordinates with one inversion per step.
//!
//! Affine formulas share the inversions of a whole block (Montgomery's trick: three
//! multiplications an element), and the scalar is the same for all points, so every point runs the
//! same steps. On BN254 a point costs about 1,200 field multiplications; a plain double-and-add in
//! projective coordinates costs about 3,200.

use ark_ec::{
    AffineRepr,
    scalar_mul::glv::GLVConfig,
    short_weierstrass::{Affine, SWCurveConfig},
};
use ark_ff::Field;

use zeroize::Zeroize;

use super::{
    schedule::{Digit, Schedule, Step, TABLE_ROWS},
    select::{Mask, Select},
};

/// Points per block: large enough to share an inversion, small enough for a core's own cache.
pub(super) const BLOCK_POINTS: usize = 1024;

/// A denominator was zero. The schedule was checked against that, so an input point was not of
/// the group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a point outside the group met an exceptional case of point addition")]
pub struct DegeneratePoint;

/// Coordinates of a block, one vector per coordinate.
struct Coordinates<F> {
    x: Vec<F>,
    y: Vec<F>,
}

impl<F: Field> Coordinates<F> {
    fn zero(length: usize) -> Self {
        Self {
            x: vec![F::ZERO; length],
            y: vec![F::ZERO; length],
        }
    }
}

/// The kernel over the library's field arithmetic, for any curve with a = 0.
pub(super) struct PortableKernel<F: Select> {
    /// x coordinate's factor of the endomorphism.
    beta: F,
    /// 1P, 3P, …, 15P.
    table: Vec<Coordinates<F>>,
    /// The table's x coordinates under the endomorphism; y is the same.
    image_x: Vec<Vec<F>>,
    running: Coordinates<F>,
    chosen: Coordinates<F>,
    sum_x: Vec<F>,
    slope: Vec<F>,
    denominators: Vec<F>,
    products: Vec<F>,
}

impl<F: Select> PortableKernel<F> {
    /// For a curve with an endomorphism.
    pub(super) fn with_endomorphism<C: GLVConfig<BaseField = F>>() -> Self {
        Self::new(C::ENDO_COEFFS.first().copied().unwrap_or(F::ZERO))
    }

    /// For schedules that do not use an endomorphism.
    pub(super) fn without_endomorphism() -> Self {
        Self::new(F::ZERO)
    }

    fn new(beta: F) -> Self {
        let empty = || Coordinates::zero(0);
        Self {
            beta,
            table: (0..TABLE_ROWS).map(|_| empty()).collect(),
            image_x: vec![Vec::new(); TABLE_ROWS],
            running: empty(),
            chosen: empty(),
            sum_x: Vec::new(),
            slope: Vec::new(),
            denominators: Vec::new(),
            products: Vec::new(),
        }
    }

    fn resize(&mut self, length: usize) {
        for row in self
            .table
            .iter_mut()
            .chain([&mut self.running, &mut self.chosen])
        {
            row.x.resize(length, F::ZERO);
            row.y.resize(length, F::ZERO);
        }
        for column in self.image_x.iter_mut().chain([
            &mut self.sum_x,
            &mut self.slope,
            &mut self.denominators,
            &mut self.products,
        ]) {
            column.resize(length, F::ZERO);
        }
    }

    /// Odd multiples of the points in `running`.
    fn fill_table(&mut self, endomorphism: bool) -> Result<(), DegeneratePoint> {
        if let Some(first) = self.table.first_mut() {
            first.x.copy_from_slice(&self.running.x);
            first.y.copy_from_slice(&self.running.y);
        }
        self.double()?;
        // running = 2P stays; each row is the one before plus 2P.
        for row in 1..self.table.len() {
            let (before, after) = self.table.split_at_mut(row);
            let (Some(before), Some(after)) = (before.last(), after.first_mut()) else {
                continue;
            };
            let two = &self.running;
            for ((denominator, x), two_x) in self.denominators.iter_mut().zip(&before.x).zip(&two.x)
            {
                *denominator = *two_x - x;
            }
            invert_all(&mut self.denominators, &mut self.products)?;
            let inputs = before.x.iter().zip(&before.y).zip(two.x.iter().zip(&two.y));
            let outputs = after.x.iter_mut().zip(after.y.iter_mut());
            for (((out_x, out_y), ((x, y), (two_x, two_y))), inverse) in
                outputs.zip(inputs).zip(&self.denominators)
            {
                let slope = (*two_y - y) * inverse;
                *out_x = slope.square() - x - two_x;
                *out_y = slope * (*x - *out_x) - y;
            }
        }
        if endomorphism {
            for (image, row) in self.image_x.iter_mut().zip(&self.table) {
                for (image, x) in image.iter_mut().zip(&row.x) {
                    *image = self.beta * x;
                }
            }
        }
        Ok(())
    }

    /// Copies the digit's multiple of each point to `chosen`.
    fn choose(&mut self, digit: Digit, secret: bool) {
        let wanted = u64::from(digit.value.unsigned_abs() / 2);
        let negative = Mask::equal(u64::from(digit.value.is_negative()), 1);
        for (index, (row, image_x)) in (0_u64..).zip(self.table.iter().zip(&self.image_x)) {
            let xs = if digit.endomorphism { image_x } else { &row.x };
            if secret {
                let mask = Mask::equal(index, wanted);
                let outputs = self.chosen.x.iter_mut().zip(self.chosen.y.iter_mut());
                for ((out_x, out_y), (x, y)) in outputs.zip(xs.iter().zip(&row.y)) {
                    out_x.select(x, mask);
                    out_y.select(y, mask);
                }
            } else if index == wanted {
                self.chosen.x.copy_from_slice(xs);
                self.chosen.y.copy_from_slice(&row.y);
            }
        }
        for y in &mut self.chosen.y {
            let minus = -*y;
            y.select(&minus, negative);
        }
    }

    fn run(&mut self, schedule: &Schedule) -> Result<(), DegeneratePoint> {
        for step in &schedule.steps {
            match step {
                Step::Start(digit) => {
                    self.choose(*digit, schedule.secret);
                    self.running.x.copy_from_slice(&self.chosen.x);
                    self.running.y.copy_from_slice(&self.chosen.y);
                }
                Step::Double => self.double()?,
                Step::Add(digit) => {
                    self.choose(*digit, schedule.secret);
                    self.add()?;
                }
                Step::DoubleAdd(digit) => {
                    self.choose(*digit, schedule.secret);
                    self.double_add()?;
                }
            }
        }
        Ok(())
    }

    /// R = 2R: slope 3x²/2y.
    fn double(&mut self) -> Result<(), DegeneratePoint> {
        for (denominator, y) in self.denominators.iter_mut().zip(&self.running.y) {
            *denominator = y.double();
        }
        invert_all(&mut self.denominators, &mut self.products)?;
        let running = self.running.x.iter_mut().zip(self.running.y.iter_mut());
        for ((x, y), inverse) in running.zip(&self.denominators) {
            let square = x.square();
            let slope = (square.double() + square) * inverse;
            let new_x = slope.square() - x.double();
            *y = slope * (*x - new_x) - *y;
            *x = new_x;
        }
        Ok(())
    }

    /// R = R + T.
    fn add(&mut self) -> Result<(), DegeneratePoint> {
        self.invert_x_differences()?;
        let running = self.running.x.iter_mut().zip(self.running.y.iter_mut());
        let chosen = self.chosen.x.iter().zip(&self.chosen.y);
        for (((x, y), (other_x, other_y)), inverse) in running.zip(chosen).zip(&self.denominators) {
            let slope = (*other_y - *y) * inverse;
            let new_x = slope.square() - *x - other_x;
            *y = slope * (*x - new_x) - *y;
            *x = new_x;
        }
        Ok(())
    }

    /// R = (R + T) + R without the y coordinate of R + T.
    fn double_add(&mut self) -> Result<(), DegeneratePoint> {
        self.invert_x_differences()?;
        let running = self.running.x.iter().zip(&self.running.y);
        let chosen = self.chosen.x.iter().zip(&self.chosen.y);
        let outputs = self.sum_x.iter_mut().zip(self.slope.iter_mut());
        for ((((x, y), (other_x, other_y)), denominator), (sum_x, slope)) in
            running.zip(chosen).zip(&mut self.denominators).zip(outputs)
        {
            *slope = (*other_y - y) * *denominator;
            *sum_x = slope.square() - x - other_x;
            *denominator = *sum_x - x;
        }
        invert_all(&mut self.denominators, &mut self.products)?;
        let running = self.running.x.iter_mut().zip(self.running.y.iter_mut());
        let sums = self.sum_x.iter().zip(&self.slope);
        for (((x, y), (sum_x, slope)), inverse) in running.zip(sums).zip(&self.denominators) {
            let second = -(*slope + y.double() * inverse);
            let new_x = second.square() - *x - sum_x;
            *y = second * (*x - new_x) - *y;
            *x = new_x;
        }
        Ok(())
    }

    fn invert_x_differences(&mut self) -> Result<(), DegeneratePoint> {
        let inputs = self.chosen.x.iter().zip(&self.running.x);
        for (denominator, (other, x)) in self.denominators.iter_mut().zip(inputs) {
            *denominator = *other - x;
        }
        invert_all(&mut self.denominators, &mut self.products)
    }
}

impl<F: Select> PortableKernel<F> {
    /// Replaces every point by its multiple; infinity stays. All points must be of the order of the
    /// scalar field.
    pub(super) fn multiply<C: SWCurveConfig<BaseField = F>>(
        &mut self,
        schedule: &Schedule,
        points: &mut [Affine<C>],
    ) -> Result<(), DegeneratePoint> {
        self.resize(points.len());
        let running = self.running.x.iter_mut().zip(self.running.y.iter_mut());
        for ((x, y), point) in running.zip(points.iter()) {
            // Infinity runs along as the generator and is put back at the end.
            let (from_x, from_y) = point.xy().unwrap_or((C::GENERATOR.x, C::GENERATOR.y));
            *x = from_x;
            *y = from_y;
        }
        self.fill_table(schedule.endomorphism)?;
        self.run(schedule)?;
        let running = self.running.x.iter().zip(&self.running.y);
        for ((x, y), point) in running.zip(points) {
            if !point.is_zero() {
                *point = Affine::new_unchecked(*x, *y);
            }
        }
        Ok(())
    }
}

impl<F: Select> Drop for PortableKernel<F> {
    /// Which row was chosen, and the running multiples, tell digits of the scalar.
    fn drop(&mut self) {
        for row in self
            .table
            .iter_mut()
            .chain([&mut self.running, &mut self.chosen])
        {
            row.x.zeroize();
            row.y.zeroize();
        }
        for column in [
            &mut self.sum_x,
            &mut self.slope,
            &mut self.denominators,
            &mut self.products,
        ] {
            column.zeroize();
        }
    }
}

/// Inverts all values with one inversion.
fn invert_all<F: Select>(values: &mut [F], products: &mut [F]) -> Result<(), DegeneratePoint> {
    let mut product = F::ONE;
    for (value, before) in values.iter().zip(products.iter_mut()) {
        *before = product;
        product *= value;
    }
    let mut inverse = product.invert_fixed();
    if inverse.is_zero() {
        return Err(DegeneratePoint);
    }
    for (value, before) in values.iter_mut().zip(products.iter()).rev() {
        let own = inverse * before;
        inverse *= *value;
        *value = own;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use ark_bn254::{Fq, Fr, G1Affine, G1Projective, G2Affine, g1};
    use ark_ec::{AdditiveGroup, CurveGroup, PrimeGroup};

    use super::*;

    fn points(count: u64) -> Vec<G1Affine> {
        let mut points: Vec<G1Affine> = (1..=count)
            .map(|i| (G1Projective::generator() * Fr::from(i * i + 1)).into_affine())
            .collect();
        if let Some(point) = points.get_mut(1) {
            *point = G1Affine::zero();
        }
        points
    }

    fn scalars() -> impl Iterator<Item = Fr> {
        std::iter::successors(Some(Fr::from(3)), |k| Some(k.square() - Fr::from(5))).skip(4)
    }

    #[test]
    fn both_recodings_agree_with_the_library() {
        let mut kernel = PortableKernel::with_endomorphism::<g1::Config>();
        for (scalar, count) in scalars().zip([1, 2, 3, 17, 40]) {
            let input = points(count);
            let expected: Vec<G1Affine> = input.iter().map(|p| (*p * scalar).into()).collect();
            for schedule in [
                Schedule::regular::<g1::Config>(&scalar).unwrap(),
                Schedule::sparse::<g1::Config>(&scalar).unwrap(),
                Schedule::regular_whole(&scalar).unwrap(),
            ] {
                let mut block = input.clone();
                kernel.multiply(&schedule, &mut block).unwrap();
                assert_eq!(block, expected);
            }
        }
    }

    #[test]
    fn works_on_the_second_group() {
        let mut kernel = PortableKernel::without_endomorphism();
        for scalar in scalars().take(3) {
            let mut block = [G2Affine::generator()];
            let schedule = Schedule::regular_whole(&scalar).unwrap();
            kernel.multiply(&schedule, &mut block).unwrap();
            assert_eq!(block[0], (G2Affine::generator() * scalar).into_affine());
        }
    }

    #[test]
    fn a_point_of_order_two_is_reported() {
        let mut kernel = PortableKernel::with_endomorphism::<g1::Config>();
        let schedule = Schedule::sparse::<g1::Config>(&scalars().next().unwrap()).unwrap();
        let mut block = [G1Affine::new_unchecked(Fq::from(2), Fq::ZERO)];
        assert_eq!(kernel.multiply(&schedule, &mut block), Err(DegeneratePoint));
    }
}

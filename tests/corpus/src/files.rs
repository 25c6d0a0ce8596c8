//! The binary files of the trade: container, r1cs, ptau, zkey.

use formats::binfile::{BinfileError, SectionTable};
use formats::curve::{Bls12381, Bn128, Curve, CurveParams};
use formats::points::PointsError;
use formats::ptau::{LagrangeG1, MonomialG1, Ptau, PtauError};
use formats::r1cs::{R1cs, R1csError};
use formats::zkey::{ZKey, ZKeyError, ZKeySection};

use crate::{Accepted, Verdict};

/// The container alone, as a file of type `zkey` and version 1.
pub(crate) fn binfile(bytes: &[u8]) -> Verdict {
    let read = || SectionTable::read(bytes, *b"zkey", 1)?.refuse_trailing_bytes();
    verdict(read(), BinfileError::code)
}

/// The header and every term.
pub(crate) fn r1cs(bytes: &[u8]) -> Verdict {
    let read = || -> Result<(), R1csError> {
        let r1cs = R1cs::open(bytes)?;
        let mut terms = r1cs.terms()?;
        while terms.next_term()?.is_some() {}
        Ok(())
    };
    verdict(read(), R1csError::code)
}

/// The header, the powers and the Lagrange points of the largest domain.
pub(crate) fn ptau(bytes: &[u8]) -> Verdict {
    fn read<C: CurveParams>(ptau: &Ptau<&[u8]>) -> Result<(), PtauError> {
        let (power, count) = (ptau.power(), 1_u64 << ptau.power());
        all(ptau.monomial_g1::<C>(MonomialG1::Tau, 0, count)?)?;
        all(ptau.lagrange_g1::<C>(LagrangeG1::Tau, power, 0, count)?)?;
        all(ptau.lagrange_g2::<C>(power, 0, count)?)?;
        ptau.beta_g2::<C>().map(drop)
    }
    let ptau = Ptau::open(bytes).map_err(|error| error.code().to_owned())?;
    let result = match ptau.curve() {
        Curve::Bn128 => read::<Bn128>(&ptau),
        Curve::Bls12381 => read::<Bls12381>(&ptau),
    };
    verdict(result, PtauError::code)
}

/// Everything in a key: header, points, coefficients, contributions.
pub(crate) fn zkey(bytes: &[u8]) -> Verdict {
    fn read<C: CurveParams>(zkey: &ZKey<&[u8]>) -> Result<(), ZKeyError> {
        zkey.key_points::<C>().map(drop)?;
        for section in [
            ZKeySection::Ic,
            ZKeySection::A,
            ZKeySection::B1,
            ZKeySection::C,
            ZKeySection::H,
        ] {
            all(zkey.g1_points::<C>(section)?)?;
        }
        all(zkey.b2_points::<C>()?)?;
        zkey.coefficients()?
            .try_for_each(|record| record.map(drop))?;
        zkey.contributions::<C>()?
            .try_for_each(|record| record.map(drop))
    }
    let zkey = ZKey::open(bytes).map_err(|error| error.code().to_owned())?;
    let result = match zkey.curve() {
        Curve::Bn128 => read::<Bn128>(&zkey),
        Curve::Bls12381 => read::<Bls12381>(&zkey),
    };
    verdict(result, ZKeyError::code)
}

fn all<P>(points: impl IntoIterator<Item = Result<P, PointsError>>) -> Result<(), PointsError> {
    points.into_iter().try_for_each(|point| point.map(drop))
}

fn verdict<E>(result: Result<(), E>, code: fn(&E) -> &'static str) -> Verdict {
    match result {
        Ok(()) => Ok(Accepted::Read),
        Err(error) => Err(code(&error).to_owned()),
    }
}

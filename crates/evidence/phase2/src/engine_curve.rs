use ark_ec::scalar_mul::glv::GLVConfig;
use formats::curve::CurveParams;

use crate::{
    rescale::{Scalar, Select},
    sampling::Sample,
};

/// A curve that the engine can work on: BN254 and BLS12-381.
pub trait EngineCurve:
    CurveParams<
        Fr: Scalar + Sample + Select,
        Fq: Select + Sample,
        Fq2: Select + Sample,
        G1Config: GLVConfig,
    >
{
}

impl<C> EngineCurve for C where
    C: CurveParams<
            Fr: Scalar + Sample + Select,
            Fq: Select + Sample,
            Fq2: Select + Sample,
            G1Config: GLVConfig,
        >
{
}

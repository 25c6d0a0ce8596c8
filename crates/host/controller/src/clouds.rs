//! Where the cloud and the web come from: the program takes AWS and the network, tests take fake ones.

use std::fmt::Debug;

use cloud::{Account, Clock, Region, Shelf};
use manifest::report::Href;

use crate::cli::CloudArgs;
use crate::error::CliError;

/// Opens clouds.
pub trait Clouds: Debug {
    /// The account of the chosen credentials, and the region to work in. Makes no call yet.
    fn open(&self, args: &CloudArgs) -> Result<OpenCloud, CliError>;

    /// The place `to` (`s3://BUCKET/PREFIX`), to publish in. Makes no call yet.
    fn shelf(&self, args: &CloudArgs, to: &str) -> Result<Box<dyn Shelf>, CliError>;

    /// What anyone gets who asks this address, at most `limit` bytes. The text says why nothing came.
    fn get(&self, url: &Href, limit: usize) -> Result<Vec<u8>, String>;
}

/// An account, a region, and the time.
#[derive(Debug)]
pub struct OpenCloud {
    /// The account.
    pub account: Box<dyn Account>,
    /// The region to work in, or to ask from.
    pub region: Region,
    /// The time.
    pub clock: Box<dyn Clock>,
    /// How patient to be.
    pub pace: saga::Pace,
}

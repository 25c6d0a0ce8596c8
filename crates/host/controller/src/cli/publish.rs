//! What can be typed about publishing.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::{CloudArgs, VerifyArgs};

pub(super) const EXAMPLES: &str = "\
Examples:
  In a bucket that anyone can read (infra/archive.yaml with Public=yes):
    controller publish bundle --pcrs pcr-values.json --pcrs-key release.pub \\
        --to s3://ceremonies/public/my-circuit \\
        --public https://ceremonies.s3.eu-central-1.amazonaws.com/public/my-circuit

  In a private bucket, with links for a day in a page to hand out:
    controller publish bundle --pcrs pcr-values.json --pcrs-key release.pub \\
        --to s3://ceremonies/my-circuit --link-hours 24 --page links.html

  As the files of a release:
    controller publish bundle --pcrs pcr-values.json --pcrs-key release.pub --release --to assets";

/// Arguments of `publish`.
#[derive(Debug, Args)]
pub struct PublishArgs {
    /// The bundle, and how it is verified before
    #[command(flatten)]
    pub verify: VerifyArgs,
    /// Where to: a prefix in a bucket, or a folder. Nothing there is ever replaced
    #[arg(long, value_name = "s3://BUCKET/PREFIX|DIR")]
    pub to: String,
    /// As files without folders: the bundle as one archive, and beside it what people fetch alone
    #[arg(long)]
    pub release: bool,
    /// Address under which anyone can read the destination: the page is read there at last
    #[arg(long, value_name = "https://HOST/PATH", value_hint = ValueHint::Url)]
    pub public: Option<String>,
    /// Sign a link to each file that ends after so many hours, at most 168 (a week)
    #[arg(long, value_name = "HOURS", requires = "page", conflicts_with = "public", value_parser = clap::value_parser!(u16).range(1..=168))]
    pub link_hours: Option<u16>,
    /// New file for the page with the signed links; whoever has it can read everything
    #[arg(long, value_name = "FILE", requires = "link_hours", value_hint = ValueHint::FilePath)]
    pub page: Option<PathBuf>,
    /// Publish a simulated ceremony: every name and the page say SIMULATED
    #[arg(long)]
    pub simulated: bool,
    /// Which credentials, and where
    #[command(flatten)]
    pub cloud: CloudArgs,
}

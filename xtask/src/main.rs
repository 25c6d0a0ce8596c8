//! Maintenance commands: `cargo run --release -p xtask -- COMMAND [--check]`.
//!
//! One file per command; this one only dispatches.

mod codes;
mod image_deps;
mod image_lines;
mod modules;
mod proto;
mod rooms;
mod sbom;

use std::process::ExitCode;

const USAGE: &str = "\
usage: xtask COMMAND

  rooms                 refuse dependency edges that cross the trust rooms the wrong way
  proto [--check]       write (or compare) the generated protocol types
  modules --npm FOLDER --out FOLDER [--warm]
                        fill the modules folder with circom.wasm and solc.wasm from the npm packages;
                        --warm also makes their machine code
  codes [--check]       write (or compare) the table of error codes
  image-deps [--check]  write (or compare) the dependency list of the enclave image
  image-lines [--check] write (or compare) how many own lines run inside, in docs/image.md
  sbom FILE             write what a release is made of, as CycloneDX JSON
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        ["rooms"] => rooms::check(),
        ["proto"] => proto::write(),
        ["proto", "--check"] => proto::check(),
        ["modules", rest @ ..] => modules::fill(rest),
        ["codes"] => codes::write(),
        ["codes", "--check"] => codes::check(),
        ["image-deps"] => image_deps::write(),
        ["image-deps", "--check"] => image_deps::check(),
        ["image-lines"] => image_lines::write(),
        ["image-lines", "--check"] => image_lines::check(),
        ["sbom", out] => sbom::write(out),
        _ => {
            anstream::eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(message) => {
            anstream::println!("{message}");
            ExitCode::SUCCESS
        }
        Err(message) => {
            anstream::eprintln!("error: {message}");
            ExitCode::from(1)
        }
    }
}

//! Maintenance commands: `cargo run --release -p xtask -- COMMAND [--check]`.
//!
//! One file per command; this one only dispatches.

mod codes;
mod image_deps;
mod modules;
mod proto;
mod rooms;

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

//! Prints the tables of docs/scale.md.

fn main() {
    #[expect(clippy::print_stdout, reason = "what it is for")]
    {
        print!("{}", plan::table());
    }
}

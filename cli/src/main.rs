//! The binary `mayfly`. Everything is in the library, so that tests and benches can start the same local cloud.

fn main() -> std::process::ExitCode {
    mayfly_cli::main()
}

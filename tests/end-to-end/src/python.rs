//! Virtual environments of Python, made beside the build when they are first wanted.

use std::fs::File;
use std::path::PathBuf;
use std::process::Command;

/// Runs a program to its end and gives what it printed; one that fails fails the test.
pub fn run(command: &mut Command) -> String {
    let output = command.output().expect("the program starts");
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    assert!(output.status.success(), "{command:?}\n{text}");
    text
}

/// A Python that has these packages, each `name==version`. Of several processes that want it at once, one makes it.
pub fn with(name: &str, packages: &[&str]) -> PathBuf {
    let binary = crate::server::binary();
    let folder = binary.parent().expect("a binary lies in a folder").join(name);
    let (python, made) = (folder.join("bin/python"), folder.join("made"));
    let wanted = packages.join("\n");
    let turn = File::create(folder.with_extension("lock")).expect("the build folder is writable");
    turn.lock().expect("files can be locked");
    if std::fs::read_to_string(&made).is_ok_and(|made| made == wanted) {
        return python;
    }
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder));
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    run(Command::new(&python).args(pip).args(packages));
    std::fs::write(made, wanted).expect("the build folder is writable");
    python
}

//! A wall clock that a test sets: a library that is loaded before libc and adds to what `CLOCK_REALTIME` shows. Every other clock is left
//! alone. Needs a C compiler, as the build does.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use tempfile::TempDir;

const SOURCE: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

static volatile long long *ahead_ms;

__attribute__((constructor)) static void open_file(void) {
    const char *path = getenv("CLOCK_AHEAD_FILE");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *at = file < 0 ? MAP_FAILED : mmap(NULL, sizeof(long long), PROT_READ, MAP_SHARED, file, 0);
    if (at != MAP_FAILED) ahead_ms = at;
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(clock, time);
    if (result == 0 && clock == CLOCK_REALTIME && ahead_ms) {
        long long ms = *ahead_ms;
        time->tv_sec += ms / 1000;
        time->tv_nsec += ms % 1000 * 1000000;
        if (time->tv_nsec >= 1000000000) { time->tv_sec += 1; time->tv_nsec -= 1000000000; }
        if (time->tv_nsec < 0) { time->tv_sec -= 1; time->tv_nsec += 1000000000; }
    }
    return result;
}
"#;

/// A clock that processes started with [`Clock::environment`] read.
pub struct Clock {
    folder: TempDir,
}

impl Clock {
    pub fn new() -> Clock {
        let folder = tempfile::tempdir().expect("a folder");
        let source = folder.path().join("clock.c");
        fs::write(&source, SOURCE).expect("writable");
        let clock = Clock { folder };
        clock.set(0);
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-O1", "-o"]);
        let built = compiler.arg(clock.library()).arg(source).arg("-ldl").status();
        let built = built.expect("a C compiler");
        assert!(built.success(), "the clock does not compile");
        clock
    }

    /// So many milliseconds ahead of the machine's from now on; behind it if negative.
    pub fn set(&self, ahead_ms: i64) {
        use std::io::{Seek, Write};
        let mut file = fs::OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(self.file());
        let file = file.as_mut().expect("writable");
        file.rewind().expect("a file");
        file.write_all(&ahead_ms.to_ne_bytes()).expect("writable");
    }

    /// For whoever shall read it.
    pub fn environment(&self) -> [(&'static str, PathBuf); 2] {
        [("LD_PRELOAD", self.library()), ("CLOCK_AHEAD_FILE", self.file())]
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("ahead")
    }

    fn library(&self) -> PathBuf {
        self.folder.path().join("clock.so")
    }
}

impl Default for Clock {
    fn default() -> Clock {
        Clock::new()
    }
}

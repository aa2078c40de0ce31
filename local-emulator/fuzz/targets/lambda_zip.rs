#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| local_emulator::fuzz::knock("lambda_zip", data));

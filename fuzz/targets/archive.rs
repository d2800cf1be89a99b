#![no_main]
libfuzzer_sys::fuzz_target!(|raw: &[u8]| testlake_fuzz::archive::check(raw));

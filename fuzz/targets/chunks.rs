#![no_main]
libfuzzer_sys::fuzz_target!(|raw: &[u8]| -> libfuzzer_sys::Corpus { testlake_fuzz::chunks::check(raw) });
testlake_fuzz::mutated!();

#![no_main]
testlake_fuzz::report_target!(testlake_fuzz::report::Family::Xml);

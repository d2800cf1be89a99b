//! The formats of test reports, found by what is in them.
//!
//! - `detect`: which format a text is of.
//! - one module for each format: what it holds → cases.
//!
//! A reader gets either a whole document as a tree (`Engine::Xml`, `Engine::Json`), or one line after the other
//! (`LineReader`); JUnit XML is read in windows of any size.

use crate::out::Out;
use crate::scan::json::Json;
use crate::scan::xml::tree::Element;

mod allure1;
mod android_cts;
mod boost;
mod catch2;
mod check;
mod cpptest;
mod cppunit;
mod ctest;
mod ctrf;
mod cucumber;
mod cucumber_messages;
mod cunit;
mod dart;
mod detail;
pub(crate) mod detect;
mod doctest;
mod fpcunit;
mod ginkgo;
mod go_test;
mod gtester;
#[cfg(test)]
mod hostile;
mod jenkins;
mod jest;
mod json_document;
pub(crate) mod junit;
mod karma;
mod libtest;
mod lines;
mod mbunit;
mod mocha;
mod mochawesome;
mod naming;
mod nunit;
mod nunit2;
mod nunit3;
mod playwright;
mod pytest;
mod qtest;
mod robot;
mod roots;
mod rspec;
mod shelf;
mod sonar;
mod tap;
mod testcafe;
mod testng;
mod trouble;
mod trx;
mod unittestpp;
mod xunit_net;

macro_rules! formats {
    ($($(#[doc = $doc:literal])+ $variant:ident = $code:literal, $engine:expr;)+) => {
        /// A format of test reports.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Format {
            $($(#[doc = $doc])+ $variant,)+
            /// A format that is known by its name and not read.
            Named(&'static str),
        }

        impl Format {
            /// Every format that is read.
            pub const READ: &'static [Self] = &[$(Self::$variant,)+];

            /// Returns the name for it in data and in the documentation.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ Self::Named(name) => name }
            }

            /// Returns how it is read.
            pub(crate) fn engine(self) -> Engine {
                match self { $(Self::$variant => $engine,)+ Self::Named(_) => Engine::None }
            }
        }
    };
}

/// How a format is read.
pub(crate) enum Engine {
    /// In windows, by [`junit`].
    Junit,
    /// As a tree of each root element.
    Xml(fn(Element<'_>, &mut Out<'_>)),
    /// As a tree of each value.
    Json(fn(Json<'_>, &mut Out<'_>)),
    /// Line by line.
    Lines(fn() -> Box<dyn LineReader>),
    /// Not at all.
    None,
}

/// Reads a report line by line.
pub(crate) trait LineReader {
    /// A line, without its end, that begins at a place in the text.
    fn line(&mut self, line: &str, at: u64, out: &mut Out<'_>);
    /// The report has ended at a place in the text.
    fn finish(&mut self, at: u64, out: &mut Out<'_>);
}

formats! {
    /// JUnit XML in all its dialects.
    Junit = "junit", Engine::Junit;
    /// NUnit 2 XML.
    Nunit2 = "nunit2", Engine::Xml(nunit2::read);
    /// XML of Check, the test framework for C.
    Check = "check", Engine::Xml(check::read);
    /// NUnit 3 XML.
    Nunit3 = "nunit3", Engine::Xml(nunit3::read);
    /// xUnit.net XML.
    XunitNet = "xunit-net", Engine::Xml(xunit_net::read);
    /// Results of Visual Studio's test runners.
    Trx = "trx", Engine::Xml(trx::read);
    /// TestNG's own XML.
    Testng = "testng", Engine::Xml(testng::read);
    /// CTest's `Test.xml`.
    Ctest = "ctest", Engine::Xml(ctest::read);
    /// Catch2 XML.
    Catch2 = "catch2", Engine::Xml(catch2::read);
    /// doctest XML.
    Doctest = "doctest", Engine::Xml(doctest::read);
    /// Boost.Test XML.
    Boost = "boost-test", Engine::Xml(boost::read);
    /// Robot Framework's output.
    Robot = "robot", Engine::Xml(robot::read);
    /// Qt Test XML.
    Qtest = "qtest", Engine::Xml(qtest::read);
    /// CppUnit's XML, and that of AUnit and embUnit.
    CppUnit = "cppunit", Engine::Xml(cppunit::read);
    /// CUnit's XML.
    CUnit = "cunit", Engine::Xml(cunit::read);
    /// The XML of GLib's gtester.
    Gtester = "gtester", Engine::Xml(gtester::read);
    /// UnitTest++ XML.
    UnitTestPp = "unittest-cpp", Engine::Xml(unittestpp::read);
    /// FPCUnit's XML.
    FpcUnit = "fpcunit", Engine::Xml(fpcunit::read);
    /// MbUnit XML.
    MbUnit = "mbunit", Engine::Xml(mbunit::read);
    /// Parasoft C++test XML.
    CppTest = "parasoft", Engine::Xml(cpptest::read);
    /// Results of Android's Compatibility Test Suite.
    AndroidCts = "android-cts", Engine::Xml(android_cts::read);
    /// Allure 1 XML.
    Allure1 = "allure1", Engine::Xml(allure1::read);
    /// Sonar's generic test executions.
    Sonar = "sonar-test-executions", Engine::Xml(sonar::read);
    /// Jenkins' record of a build's JUnit results.
    Jenkins = "jenkins-junit-result", Engine::Xml(jenkins::read);
    /// Common Test Report Format.
    Ctrf = "ctrf", Engine::Json(ctrf::read);
    /// Mocha's JSON.
    Mocha = "mocha", Engine::Json(mocha::read);
    /// mochawesome's JSON.
    Mochawesome = "mochawesome", Engine::Json(mochawesome::read);
    /// Jest's JSON.
    Jest = "jest", Engine::Json(jest::read);
    /// Vitest's JSON.
    Vitest = "vitest", Engine::Json(jest::read);
    /// Playwright's JSON.
    Playwright = "playwright", Engine::Json(playwright::read);
    /// Cucumber's JSON, and behave's.
    Cucumber = "cucumber", Engine::Json(cucumber::read);
    /// RSpec's JSON.
    Rspec = "rspec", Engine::Json(rspec::read);
    /// Ginkgo's JSON.
    Ginkgo = "ginkgo", Engine::Json(ginkgo::read);
    /// Karma's JSON.
    Karma = "karma", Engine::Json(karma::read);
    /// TestCafe's JSON.
    Testcafe = "testcafe", Engine::Json(testcafe::read);
    /// `go test -json`.
    GoTest = "go-test", Engine::Lines(|| Box::new(go_test::GoTestReader::default()));
    /// The Test Anything Protocol.
    Tap = "tap", Engine::Lines(|| Box::new(tap::TapReader::default()));
    /// The JSON reporter of Dart and Flutter.
    Dart = "dart", Engine::Lines(|| Box::new(dart::DartReader::default()));
    /// Rust's libtest JSON.
    Libtest = "libtest", Engine::Lines(|| Box::new(libtest::LibtestReader::default()));
    /// The report log of pytest.
    PytestReportlog = "pytest-reportlog", Engine::Lines(|| Box::new(pytest::PytestReader::default()));
    /// Cucumber messages.
    CucumberMessages = "cucumber-messages", Engine::Lines(|| Box::new(cucumber_messages::CucumberReader::default()));
}

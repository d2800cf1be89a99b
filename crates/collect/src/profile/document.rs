//! A case as a JSON document, as COLLECTIONS define it: attributes, `text`, `tail`, then children by tag.

use rustc_hash::FxHashMap;
use testlake_report::scan::reference::{read_attribute, read_cdata, read_text};
use testlake_report::scan::xml::{Attribute, TextKind};

use super::case::{CaseTree, NONE, Node, Range};
use super::known::{KnownName, KnownNames, is_reserved};
use super::{json, number};

/// The keys of ours that a document ends with, as JSON, ready to be copied.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stamp {
    /// Name and value of each, in order.
    members: [(&'static str, Vec<u8>); 4],
    /// `, "workflow_id": ..., ...` for a document without any of the keys.
    full: Vec<u8>,
    /// The same for a document of the reruns.
    rerun: Vec<u8>,
}

/// Which of a case's documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// As it stands in `test_run` and `failed_test_runs`.
    Full,
    /// As it stands in `additional_info/reruns`: without what its place there says.
    Rerun,
}

impl Form {
    fn leaves_out(self, key: &[u8]) -> bool {
        self == Self::Rerun
            && matches!(
                key,
                b"classname" | b"name" | b"invoking_file" | b"workflow_id" | b"workflow_run_attempt"
            )
    }
}

impl Stamp {
    /// Makes the stamp of a report. `job` is the job's id in digits, if it has one.
    pub(crate) fn new(run_id: &str, attempt: u32, job: Option<&str>, invoking_file: &str) -> Self {
        let string = |text: &str| {
            let mut out = Vec::new();
            json::write_string(text.as_bytes(), &mut out);
            out
        };
        let members = [
            ("workflow_id", string(run_id)),
            ("workflow_run_attempt", attempt.to_string().into_bytes()),
            ("job_id", job.unwrap_or("null").as_bytes().to_vec()),
            ("invoking_file", string(invoking_file)),
        ];
        let mut stamp = Self { members, ..Self::default() };
        for form in [Form::Full, Form::Rerun] {
            let mut suffix = Vec::new();
            for (key, value) in &stamp.members {
                if !form.leaves_out(key.as_bytes()) {
                    suffix.extend_from_slice(b", ");
                    json::write_string(key.as_bytes(), &mut suffix);
                    suffix.extend_from_slice(b": ");
                    suffix.extend_from_slice(value);
                }
            }
            match form {
                Form::Full => stamp.full = suffix,
                Form::Rerun => stamp.rerun = suffix,
            }
        }
        stamp
    }

    fn suffix(&self, form: Form) -> &[u8] {
        match form {
            Form::Full => &self.full,
            Form::Rerun => &self.rerun,
        }
    }

    fn value(&self, key: &[u8]) -> Option<&[u8]> {
        self.members.iter().find(|(name, _)| name.as_bytes() == key).map(|(_, value)| value.as_slice())
    }
}

/// Writes documents. Buffers are kept from case to case.
#[derive(Debug, Default)]
pub(crate) struct DocumentWriter {
    decoded: Vec<u8>,
    members: Vec<Member>,
    /// For each node the next child of its parent with the same tag.
    next_same: Vec<u32>,
}

/// A key of an object under way, with all that it holds.
#[derive(Debug, Clone, Copy)]
struct Member {
    /// The attribute whose value comes first.
    attribute: Option<Attribute>,
    /// `text` or `tail` of the node comes first.
    own_text: Option<Range>,
    /// The children of this tag, as a chain; `NONE` for none.
    first_child: u32,
    last_child: u32,
}

impl Member {
    const EMPTY: Self = Self { attribute: None, own_text: None, first_child: NONE, last_child: NONE };
}

/// From so many children on keys are looked up by hash.
const MANY: usize = 16;

impl DocumentWriter {
    /// Adds the document of a case and a line end.
    pub(crate) fn write_line(
        &mut self,
        window: &[u8],
        tree: &CaseTree,
        case: &Node,
        known: &mut KnownNames,
        stamp: &Stamp,
        into: &mut Vec<u8>,
    ) {
        self.write(window, tree, case, known, (stamp, Form::Full), into);
        into.push(b'\n');
    }

    /// Adds the document of an empty case whose names are plain, and a line end.
    #[inline]
    pub(crate) fn write_empty(
        &mut self,
        window: &[u8],
        attributes: &[Attribute],
        names: &[KnownName],
        stamp: &Stamp,
        into: &mut Vec<u8>,
    ) {
        into.push(b'{');
        // what comes first has nothing to be parted from
        let mut parted = 2;
        for (attribute, name) in attributes.iter().zip(names) {
            into.extend_from_slice(name.member.get(parted..).unwrap_or_default());
            parted = 0;
            write_value(Self::value(&mut self.decoded, window, attribute), into);
        }
        into.extend_from_slice(stamp.full.get(parted..).unwrap_or_default());
        into.extend_from_slice(b"}\n");
    }

    /// Adds the document of a case.
    pub(crate) fn write(
        &mut self,
        window: &[u8],
        tree: &CaseTree,
        case: &Node,
        known: &mut KnownNames,
        (stamp, form): (&Stamp, Form),
        into: &mut Vec<u8>,
    ) {
        if self.next_same.len() < tree.nodes.len() {
            self.next_same.resize(tree.nodes.len(), NONE);
        }
        let document = Document { window, tree, stamp: Some(stamp), form };
        let names = known.of(window, tree, case);
        if form == Form::Full && names.iter().all(|name| name.is_plain) && document.are_children_plain(case) {
            let values = document.tree.attributes_of(case).iter();
            let mut is_first = true;
            for (attribute, name) in values.zip(names) {
                if std::mem::take(&mut is_first) {
                    into.push(b'{');
                    into.extend_from_slice(name.member.get(2..).unwrap_or_default());
                } else {
                    into.extend_from_slice(&name.member);
                }
                self.attribute(&document, attribute, into);
            }
            self.plain_rest(&document, case, is_first, into);
        } else {
            self.any_object(&document, case, into);
        }
    }

    /// Returns what an attribute's value reads as.
    #[inline]
    pub(crate) fn value<'a>(decoded: &'a mut Vec<u8>, window: &'a [u8], attribute: &Attribute) -> &'a [u8] {
        let raw = attribute.value.of(window);
        if !attribute.coded {
            return raw;
        }
        decoded.clear();
        read_attribute(raw, decoded);
        decoded
    }

    fn object(&mut self, document: &Document<'_>, node: &Node, into: &mut Vec<u8>) {
        if !document.is_plain(node) {
            self.any_object(document, node, into);
            return;
        }
        let mut is_first = true;
        for attribute in document.tree.attributes_of(node) {
            into.extend_from_slice(if is_first { b"{" } else { b", " });
            is_first = false;
            write_key(attribute.local.of(document.window), into);
            self.attribute(document, attribute, into);
        }
        self.plain_rest(document, node, is_first, into);
    }

    /// Adds what follows the attributes of a node of which each key holds one thing: as it comes, without a look at what came
    /// before.
    fn plain_rest(&mut self, document: &Document<'_>, node: &Node, mut is_first: bool, into: &mut Vec<u8>) {
        let mut begin = |into: &mut Vec<u8>| {
            into.extend_from_slice(if is_first { b"{" } else { b", " });
            is_first = false;
        };
        for (key, range) in [(&b"text"[..], node.text), (b"tail", node.tail)] {
            if !document.is_blank(range) {
                begin(into);
                write_key(key, into);
                self.text(document, range, into);
            }
        }
        for (_, child) in document.tree.children(node) {
            begin(into);
            write_key(child.name.of(document.window), into);
            self.object(&Document { stamp: None, ..*document }, child, into);
        }
        if is_first {
            into.push(b'{');
        }
        if let Some(stamp) = document.stamp {
            let suffix = stamp.suffix(document.form);
            into.extend_from_slice(suffix.get(if is_first { 2 } else { 0 }..).unwrap_or_default());
        }
        into.push(b'}');
    }

    fn any_object(&mut self, document: &Document<'_>, node: &Node, into: &mut Vec<u8>) {
        let base = self.members.len();
        self.gather(document, node);
        into.push(b'{');
        let mut is_first = true;
        let mut has_own_keys = false;
        // by index: the values' own objects use the same stack above
        for index in base..self.members.len() {
            let Some(&member) = self.members.get(index) else { break };
            let Some(key) = member.key(document, node) else { continue };
            if document.form.leaves_out(key) && document.stamp.is_some() {
                continue;
            }
            if !std::mem::take(&mut is_first) {
                into.extend_from_slice(b", ");
            }
            json::write_string(key, into);
            into.extend_from_slice(b": ");
            if let Some(value) = document.stamp.and_then(|stamp| stamp.value(key)) {
                has_own_keys = true;
                into.extend_from_slice(value);
            } else {
                self.member(document, &member, into);
            }
        }
        if let Some(stamp) = document.stamp {
            if has_own_keys {
                self.missing_own_keys(document, node, stamp, base, is_first, into);
            } else {
                let suffix = stamp.suffix(document.form);
                into.extend_from_slice(suffix.get(if is_first { 2 } else { 0 }..).unwrap_or_default());
            }
        }
        self.members.truncate(base);
        into.push(b'}');
    }

    /// Adds those keys of ours that the case did not have itself.
    fn missing_own_keys(
        &self,
        document: &Document<'_>,
        node: &Node,
        stamp: &Stamp,
        base: usize,
        mut is_first: bool,
        into: &mut Vec<u8>,
    ) {
        for (key, value) in &stamp.members {
            let key = key.as_bytes();
            let members = self.members.get(base..).unwrap_or_default();
            let is_there = members.iter().any(|member| member.key(document, node) == Some(key));
            if is_there || document.form.leaves_out(key) {
                continue;
            }
            if !std::mem::take(&mut is_first) {
                into.extend_from_slice(b", ");
            }
            json::write_string(key, into);
            into.extend_from_slice(b": ");
            into.extend_from_slice(value);
        }
    }

    /// Puts the node's keys on the stack, in order, with what each holds.
    #[inline]
    fn gather(&mut self, document: &Document<'_>, node: &Node) {
        let window = document.window;
        let base = self.members.len();
        let attributes = document.tree.attributes_of(node);
        // without prefixes no two are of one name: the scanner has dropped the second
        let has_prefix = attributes.iter().any(|attribute| attribute.local != attribute.name);
        for attribute in attributes {
            let same =
                has_prefix.then(|| self.position(document, node, base, attribute.local.of(window))).flatten();
            match same.and_then(|index| self.members.get_mut(index)) {
                Some(member) => member.attribute = Some(*attribute),
                None => self.members.push(Member { attribute: Some(*attribute), ..Member::EMPTY }),
            }
        }
        for (key, range) in [(&b"text"[..], node.text), (b"tail", node.tail)] {
            if document.is_blank(range) {
                continue;
            }
            let member = Member { own_text: Some(range), ..Member::EMPTY };
            match self.position(document, node, base, key) {
                Some(index) => {
                    if let Some(place) = self.members.get_mut(index) {
                        // the key stays that of the attribute, in its place
                        place.own_text = Some(range);
                    }
                }
                None => self.members.push(member),
            }
        }
        self.gather_children(document, node, base);
    }

    #[inline]
    fn gather_children(&mut self, document: &Document<'_>, node: &Node, base: usize) {
        let mut by_key: Option<FxHashMap<&[u8], usize>> = None;
        for (seen, (index, child)) in document.tree.children(node).enumerate() {
            let key = child.name.of(document.window);
            if seen == MANY {
                let members = self.members.get(base..).unwrap_or_default();
                let keys = members.iter().enumerate();
                by_key = Some(
                    keys.filter_map(|(place, member)| Some((member.key(document, node)?, base + place)))
                        .collect(),
                );
            }
            let same = match &by_key {
                Some(by_key) => by_key.get(key).copied(),
                None => self.position(document, node, base, key),
            };
            if let Some(next) = self.next_same.get_mut(index as usize) {
                *next = NONE;
            }
            let Some(member) = same.and_then(|place| self.members.get_mut(place)) else {
                if let Some(by_key) = &mut by_key {
                    by_key.insert(key, self.members.len());
                }
                self.members.push(Member { first_child: index, last_child: index, ..Member::EMPTY });
                continue;
            };
            let last = std::mem::replace(&mut member.last_child, index);
            if last == NONE {
                member.first_child = index;
            } else if let Some(next) = self.next_same.get_mut(last as usize) {
                *next = index;
            }
        }
    }

    /// Returns where on the stack, from `base` on, a key is.
    #[inline]
    fn position(&self, document: &Document<'_>, node: &Node, base: usize, key: &[u8]) -> Option<usize> {
        let members = self.members.get(base..)?;
        Some(base + members.iter().position(|member| member.key(document, node) == Some(key))?)
    }

    /// Adds the value of a key: one thing, or a list where there are more.
    fn member(&mut self, document: &Document<'_>, member: &Member, into: &mut Vec<u8>) {
        let has_own = member.attribute.is_some() || member.own_text.is_some();
        let only_child = !has_own && member.first_child == member.last_child;
        let is_list = member.first_child != NONE && !only_child;
        if is_list {
            into.push(b'[');
        }
        if let Some(range) = member.own_text {
            self.text(document, range, into);
        } else if let Some(attribute) = &member.attribute {
            self.attribute(document, attribute, into);
        }
        let mut is_first = !has_own;
        let mut next = member.first_child;
        while let Some(child) = document.tree.node(next) {
            if !std::mem::take(&mut is_first) {
                into.extend_from_slice(b", ");
            }
            let following = self.next_same.get(next as usize).copied().unwrap_or(NONE);
            let plain = Document { stamp: None, ..*document };
            self.object(&plain, child, into);
            next = following;
        }
        if is_list {
            into.push(b']');
        }
    }

    /// Adds the value of an attribute.
    #[inline]
    fn attribute(&mut self, document: &Document<'_>, attribute: &Attribute, into: &mut Vec<u8>) {
        write_value(Self::value(&mut self.decoded, document.window, attribute), into);
    }

    /// Adds a text of several pieces as a JSON string.
    fn text(&mut self, document: &Document<'_>, range: Range, into: &mut Vec<u8>) {
        into.push(b'"');
        for piece in range.of(&document.tree.pieces) {
            let raw = piece.span.of(document.window);
            let is_plain = match piece.kind {
                TextKind::Parsed => memchr::memchr2(b'&', b'\r', raw).is_none(),
                TextKind::CData => memchr::memchr(b'\r', raw).is_none(),
                TextKind::Literal => true,
            };
            if is_plain {
                json::write_escaped(raw, into);
                continue;
            }
            self.decoded.clear();
            match piece.kind {
                TextKind::Parsed | TextKind::Literal => read_text(raw, &mut self.decoded),
                TextKind::CData => read_cdata(raw, &mut self.decoded),
            }
            json::write_escaped(&self.decoded, into);
        }
        into.push(b'"');
    }
}

impl Member {
    /// Returns the key, as the tag or attribute is called.
    #[inline]
    fn key<'a>(&self, document: &Document<'a>, node: &Node) -> Option<&'a [u8]> {
        if let Some(attribute) = &self.attribute {
            return Some(attribute.local.of(document.window));
        }
        if let Some(range) = self.own_text {
            let is_text = range.is_same(node.text);
            return Some(if is_text { b"text" } else { b"tail" });
        }
        Some(document.tree.node(self.first_child)?.name.of(document.window))
    }
}

/// What a document is made from.
#[derive(Debug, Clone, Copy)]
struct Document<'a> {
    window: &'a [u8],
    tree: &'a CaseTree,
    /// Only at the top.
    stamp: Option<&'a Stamp>,
    form: Form,
}

/// Adds the value of an attribute.
#[inline]
fn write_value(value: &[u8], into: &mut Vec<u8>) {
    if number::write_if_float(value, into).is_none() {
        json::write_string(value, into);
    }
}

/// Adds a key and what stands behind it.
#[inline]
fn write_key(key: &[u8], into: &mut Vec<u8>) {
    json::write_string(key, into);
    into.extend_from_slice(b": ");
}

impl Document<'_> {
    /// Reports whether each key of the node holds one thing, and none is ours: so it is of nearly every node.
    #[inline]
    fn is_plain(&self, node: &Node) -> bool {
        let attributes = self.tree.attributes_of(node);
        let is_apart = |attribute: &Attribute| {
            attribute.local == attribute.name && !is_reserved(attribute.local.of(self.window))
        };
        self.form == Form::Full && attributes.iter().all(is_apart) && self.are_children_plain(node)
    }

    /// Reports whether the node has one child at most, whose key is neither ours nor an attribute's.
    #[inline]
    fn are_children_plain(&self, node: &Node) -> bool {
        let mut children = self.tree.children(node);
        let Some((_, only)) = children.next() else { return true };
        let key = only.name.of(self.window);
        let mut attributes = self.tree.attributes_of(node).iter();
        children.next().is_none()
            && !is_reserved(key)
            && attributes.all(|attribute| attribute.local.of(self.window) != key)
    }

    /// Reports whether Python's `strip` would leave nothing of a text.
    #[inline]
    fn is_blank(&self, range: Range) -> bool {
        range.of(&self.tree.pieces).iter().all(|piece| {
            let raw = piece.span.of(self.window);
            if piece.kind != TextKind::Parsed || memchr::memchr(b'&', raw).is_none() {
                return number::is_blank(raw);
            }
            let mut decoded = Vec::new();
            read_text(raw, &mut decoded);
            number::is_blank(&decoded)
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use testlake_report::scan::xml::XmlScanner;
    use testlake_report::{FindingCode, Limits};

    use super::*;
    use crate::profile::case::{CaseReader, CaseSink};

    /// Writes each case's document both ways.
    struct Both {
        stamp: Stamp,
        known: KnownNames,
        documents: Vec<[String; 2]>,
        plain: usize,
    }

    impl CaseSink for Both {
        fn tree(&mut self, window: &[u8], tree: &CaseTree) {
            for case in tree.cases() {
                let mut writer = DocumentWriter::default();
                let [mut one, mut other] = [Vec::new(), Vec::new()];
                writer.write(window, tree, case, &mut self.known, (&self.stamp, Form::Full), &mut one);
                writer.next_same.clear();
                writer.next_same.resize(tree.nodes.len(), NONE);
                let document = Document { window, tree, stamp: Some(&self.stamp), form: Form::Full };
                self.plain += usize::from(document.is_plain(case));
                writer.any_object(&document, case, &mut other);
                self.documents.push([one, other].map(|text| String::from_utf8(text).unwrap()));
            }
        }

        fn finding(&mut self, _code: FindingCode, _at: u32) {}

        fn declared(&mut self, _suite: &[u8], _declared: u64, _found: u64) {}
    }

    fn both(text: &str) -> Both {
        let limits = Limits::default();
        let stamp = Stamp::new("7", 1, Some("2"), "x");
        let mut reader = CaseReader::new(
            Both { stamp, known: KnownNames::default(), documents: Vec::new(), plain: 0 },
            &limits,
        );
        XmlScanner::new(limits).feed(text.as_bytes(), true, &mut reader);
        reader.finish(text.as_bytes());
        reader.sink
    }

    fn attributes() -> impl Strategy<Value = String> {
        let attribute = prop::sample::select(vec![
            " name='a'",
            " time='1.50'",
            " text='t'",
            " tail=''",
            " job_id='9'",
            " x:name='b'",
            " file='&amp;\"é'",
            " skipped='no'",
            " workflow_id='w'",
            " workflow_run_attempt=''",
            " invoking_file='f'",
            " a='1' b='' c=' ' d='2' e='3' f='4' g='5'",
            " é='ü'",
        ]);
        prop::collection::vec(attribute, 0..5).prop_map(|all| all.concat())
    }

    fn inside() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just(String::new()),
            Just(" \n".to_owned()),
            Just("t&lt;".to_owned()),
            Just("<![CDATA[c\r]]>".to_owned()),
        ];
        leaf.prop_recursive(3, 12, 3, |inner| {
            let name = prop::sample::select(vec![
                "skipped", "failure", "text", "tail", "name", "job_id", "testcase", "x:file",
            ]);
            prop::collection::vec(
                (name, attributes(), inner, prop::sample::select(vec!["", " ", "after"])),
                0..3,
            )
            .prop_map(|all| {
                all.into_iter()
                    .map(|(name, attributes, inner, tail)| {
                        format!("<{name}{attributes}>{inner}</{name}>{tail}")
                    })
                    .collect()
            })
        })
    }

    proptest! {
        #[test]
        fn plain_documents_are_as_any_others(
            cases in prop::collection::vec((attributes(), inside(), prop::sample::select(vec!["", " ", "t"])), 1..6),
            repeats in 1_usize..3,
        ) {
            let cases: String = cases.into_iter().map(|(attributes, inside, tail)| {
                let double = attributes.replace('\'', "\"").replace("&amp;\"", "&amp;");
                format!("<testcase{double}>{inside}</testcase>{tail}").repeat(repeats)
            }).collect();
            let text = format!("<testsuite>{cases}</testsuite>");
            let both = both(&text);
            prop_assert!(!both.documents.is_empty());
            for [one, other] in both.documents {
                prop_assert_eq!(one, other);
            }
        }
    }

    #[test]
    fn most_documents_are_plain() {
        let both = both(
            "<testsuite><testcase name='a' time='1'><failure message='m'>t</failure></testcase><testcase/></testsuite>",
        );
        assert_eq!(both.plain, 2);
        let own = r#""workflow_id": "7", "workflow_run_attempt": 1, "job_id": 2, "invoking_file": "x"}"#;
        let [one, other] = [&both.documents[0][0], &both.documents[1][0]];
        assert_eq!(
            *one,
            format!(r#"{{"name": "a", "time": 1.0, "failure": {{"message": "m", "text": "t"}}, {own}"#)
        );
        assert_eq!(*other, format!("{{{own}"));
    }
}

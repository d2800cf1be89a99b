//! Whole documents, by quick-xml.

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

/// An element with all that is in it.
pub(super) struct Node {
    pub(super) name: String,
    pub(super) attributes: Vec<(String, String)>,
    pub(super) content: Vec<Content>,
    /// The bytes that it stands at.
    pub(super) start: usize,
    pub(super) end: usize,
}

pub(super) enum Content {
    Text(String),
    Element(Node),
}

fn local(name: &str) -> String {
    name.split_once(':').map_or(name, |(_, local)| local).to_owned()
}

fn node(tag: &BytesStart<'_>, start: usize) -> Result<Node, quick_xml::Error> {
    let mut attributes = Vec::new();
    for attribute in tag.attributes() {
        let attribute = attribute?;
        let name: &str = attribute.key.as_ref();
        if name != "xmlns" && !name.starts_with("xmlns:") {
            let value = attribute.normalized_value(XmlVersion::Explicit1_0)?;
            attributes.push((local(name), value.into_owned()));
        }
    }
    let name: &str = tag.name().into_inner();
    Ok(Node { name: local(name), attributes, content: Vec::new(), start, end: start })
}

/// Reads a whole document; an error where quick-xml finds one.
pub(super) fn parse(text: &str) -> Result<Vec<Node>, quick_xml::Error> {
    let mut reader = Reader::from_str(text);
    let mut open =
        vec![Node { name: String::new(), attributes: Vec::new(), content: Vec::new(), start: 0, end: 0 }];
    loop {
        let start = usize::try_from(reader.buffer_position()).unwrap();
        let event = reader.read_event()?;
        let end = usize::try_from(reader.buffer_position()).unwrap();
        let push = |open: &mut Vec<Node>, content| open.last_mut().unwrap().content.push(content);
        match event {
            Event::Start(tag) => open.push(node(&tag, start)?),
            Event::Empty(tag) => {
                let mut element = node(&tag, start)?;
                element.end = end;
                push(&mut open, Content::Element(element));
            }
            Event::End(_) => {
                let mut element = open.pop().unwrap();
                element.end = end;
                push(&mut open, Content::Element(element));
            }
            Event::Text(piece) => push(&mut open, Content::Text(piece.xml10_content().into_owned())),
            Event::CData(piece) => push(&mut open, Content::Text(piece.xml10_content().into_owned())),
            Event::GeneralRef(reference) => {
                let name = reference.xml10_content();
                let text = match reference.resolve_char_ref()? {
                    Some(character) => character.to_string(),
                    None => quick_xml::escape::resolve_predefined_entity(&name)
                        .map_or_else(|| format!("&{name};"), str::to_owned),
                };
                push(&mut open, Content::Text(text));
            }
            Event::Eof => {
                let roots = open.remove(0).content.into_iter();
                return Ok(roots
                    .filter_map(|content| match content {
                        Content::Element(element) => Some(element),
                        Content::Text(_) => None,
                    })
                    .collect());
            }
            _ => {}
        }
    }
}

impl Node {
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn filled(&self, name: &str) -> Option<String> {
        self.get(name).filter(|value| !value.trim().is_empty()).map(str::to_owned)
    }

    pub(super) fn elements(&self) -> impl Iterator<Item = &Self> {
        self.content.iter().filter_map(|content| match content {
            Content::Element(element) => Some(element),
            Content::Text(_) => None,
        })
    }

    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.elements().find(|child| child.name == name)
    }

    /// The text inside; elements of other names than `apart` as they are written.
    pub(super) fn text(&self, source: Option<&str>, apart: &[&str]) -> Option<String> {
        let mut text = String::new();
        for content in &self.content {
            match content {
                Content::Text(piece) => text += piece,
                Content::Element(element) => {
                    if let Some(source) = source
                        && !apart.contains(&element.name.as_str())
                    {
                        text += source.get(element.start..element.end).unwrap();
                    }
                }
            }
        }
        trimmed(&text)
    }

    pub(super) fn plain(&self) -> Option<String> {
        self.text(None, &[])
    }
}

/// Without blank lines at its begin and white space at its end; nothing where that is all.
fn trimmed(text: &str) -> Option<String> {
    let text = text.trim_end();
    let blank: String = text.chars().take_while(|character| character.is_whitespace()).collect();
    let text = match blank.rsplit_once('\n') {
        Some((before, _)) => text.chars().skip(before.chars().count() + 1).collect(),
        None => text.to_owned(),
    };
    (!text.is_empty()).then_some(text)
}

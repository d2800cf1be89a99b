//! What the attributes of a `testcase` say, by their names.

use crate::scan::xml::ShapeId;
use crate::scan::xml::tree::Tag;

/// What an attribute of a case says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Name,
    ClassName,
    /// A class where there is no `classname`.
    Class,
    Time,
    File,
    Line,
    Started,
    Status,
    /// That it was skipped, if its value is yes.
    Skipped,
    Other,
}

impl Field {
    fn of(name: &[u8]) -> Self {
        match name {
            b"name" => Self::Name,
            b"classname" => Self::ClassName,
            b"class" => Self::Class,
            b"time" | b"duration" => Self::Time,
            b"file" | b"filepath" => Self::File,
            b"line" | b"lineno" => Self::Line,
            b"timestamp" | b"started-at" => Self::Started,
            b"status" | b"result" => Self::Status,
            b"disabled" | b"skipped" | b"ignored" | b"incomplete" => Self::Skipped,
            _ => Self::Other,
        }
    }
}

/// The fields of the tags of one shape.
#[derive(Debug, Default)]
pub(super) struct Fields {
    shape: Option<ShapeId>,
    fields: Vec<Field>,
}

impl Fields {
    /// Returns the field of each attribute of a tag.
    #[inline]
    pub(super) fn of(&mut self, tag: Tag<'_>) -> impl Iterator<Item = Field> {
        let is_known =
            tag.shape.is_some() && tag.shape == self.shape && tag.attributes.len() <= self.fields.len();
        if !is_known {
            self.learn(tag);
        }
        self.fields.iter().copied()
    }

    #[cold]
    fn learn(&mut self, tag: Tag<'_>) {
        self.shape = tag.shape;
        self.fields.clear();
        let names = tag.attributes.iter().map(|attribute| attribute.local.of(tag.window.as_bytes()));
        self.fields.extend(names.map(Field::of));
    }
}

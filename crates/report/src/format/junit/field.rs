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
    places: Option<Places>,
}

/// Where the attributes of a tag stand that has no others, and each once; beyond the last where it has none.
#[derive(Debug, Clone, Copy)]
pub(super) struct Places {
    pub(super) name: usize,
    pub(super) class: usize,
    pub(super) time: usize,
    pub(super) file: usize,
    pub(super) line: usize,
    pub(super) started: usize,
}

impl Places {
    /// Nothing where there are other fields, or one twice.
    fn new(fields: &[Field]) -> Option<Self> {
        const NONE: usize = usize::MAX;
        let mut places = Self { name: NONE, class: NONE, time: NONE, file: NONE, line: NONE, started: NONE };
        for (place, field) in fields.iter().enumerate() {
            let of_field = match field {
                Field::Name => &mut places.name,
                Field::ClassName => &mut places.class,
                Field::Time => &mut places.time,
                Field::File => &mut places.file,
                Field::Line => &mut places.line,
                Field::Started => &mut places.started,
                Field::Class | Field::Status | Field::Skipped | Field::Other => return None,
            };
            if std::mem::replace(of_field, place) != NONE {
                return None;
            }
        }
        Some(places)
    }
}

impl Fields {
    /// Returns the field of each attribute of a tag.
    #[inline]
    pub(super) fn of(&mut self, tag: Tag<'_>) -> impl Iterator<Item = Field> {
        self.know(tag);
        self.fields.iter().copied()
    }

    /// Returns where the attributes of a tag stand; nothing where it has others, or one twice, or no shape.
    #[inline]
    pub(super) fn places(&mut self, tag: Tag<'_>) -> Option<Places> {
        tag.shape?;
        self.know(tag);
        self.places
    }

    #[inline]
    fn know(&mut self, tag: Tag<'_>) {
        let is_known =
            tag.shape.is_some() && tag.shape == self.shape && tag.attributes.len() <= self.fields.len();
        if !is_known {
            self.learn(tag);
        }
    }

    #[cold]
    fn learn(&mut self, tag: Tag<'_>) {
        self.shape = tag.shape;
        self.fields.clear();
        let names = tag.attributes.iter().map(|attribute| attribute.local.of(tag.window.as_bytes()));
        self.fields.extend(names.map(Field::of));
        self.places = Places::new(&self.fields);
    }
}

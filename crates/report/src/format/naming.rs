//! Parts of names and texts that the runners of .NET and TestNG write in one another's ways.

use std::borrow::Cow;

use crate::model::Text;
use crate::scan::xml::tree::Element;

/// Returns the name without folders where it is the path of a file on somebody's machine: `C:\build\Tests.dll` →
/// `Tests.dll`.
pub(super) fn without_folder(name: Text<'_>) -> Text<'_> {
    let is_path = name.starts_with(['/', '\\'])
        || name.get(1..3).is_some_and(|drive| matches!(drive, ":\\" | ":/"))
        || name.starts_with("file:");
    if is_path && name.rsplit(['/', '\\']).next().is_some_and(|file| file.contains('.')) {
        file_name(name)
    } else {
        name
    }
}

/// Returns what follows the last `/` or `\`.
pub(super) fn file_name(path: Text<'_>) -> Text<'_> {
    part(path, |path| path.rsplit(['/', '\\']).next().unwrap_or_default())
}

/// Returns the file name of an assembly of .NET; nothing for what is none.
pub(super) fn assembly(path: Text<'_>) -> Option<Text<'_>> {
    let name = file_name(path);
    let extension = name.get(name.len().checked_sub(4)?..)?;
    (extension.eq_ignore_ascii_case(".dll") || extension.eq_ignore_ascii_case(".exe")).then_some(name)
}

/// Returns the name without the class before it: `Space.Class.Method(1)` in `Space.Class` → `Method(1)`.
pub(super) fn within<'text>(name: Text<'text>, class: Option<&str>) -> Text<'text> {
    part(name, |name| class.and_then(|class| behind(name, class)).unwrap_or(name))
}

/// Returns what follows an outer name and a dot.
pub(super) fn behind<'text>(name: &'text str, outer: &str) -> Option<&'text str> {
    name.strip_prefix(outer)?.strip_prefix('.').filter(|rest| !rest.is_empty())
}

/// Returns a part of a text, borrowed where the text is.
pub(super) fn part(text: Text<'_>, part: impl FnOnce(&str) -> &str) -> Text<'_> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(part(text)),
        Cow::Owned(text) => {
            let part = part(&text);
            if part.len() == text.len() { Cow::Owned(text) } else { Cow::Owned(part.to_owned()) }
        }
    }
}

/// Returns the class of an exception that begins a message, `System.TimeoutException : too long`.
pub(super) fn exception<'text>(message: &Text<'text>, sign: &str) -> Option<Text<'text>> {
    let of = |message: &str| -> Option<usize> {
        let class = message.get(..message.find(sign)?)?;
        let is_class =
            class.contains('.') && !class.contains(|mark: char| mark.is_whitespace() || mark == ':');
        is_class.then_some(class.len())
    };
    let length = of(message)?;
    Some(part(message.clone(), |message| message.get(..length).unwrap_or_default()))
}

/// Adds a text behind another, on a line of its own.
pub(super) fn join<'text>(known: &mut Option<Text<'text>>, more: Option<Text<'text>>) {
    join_with(known, more, "\n");
}

/// Adds a text behind another.
pub(super) fn join_with<'text>(known: &mut Option<Text<'text>>, more: Option<Text<'text>>, between: &str) {
    match (known, more) {
        (Some(known), Some(more)) => {
            let known = known.to_mut();
            known.push_str(between);
            known.push_str(&more);
        }
        (known @ None, more) => *known = more,
        (Some(_), None) => {}
    }
}

/// Returns the text of an element inside, unless it is blank.
pub(super) fn text_of<'xml>(element: Element<'xml>, name: &str) -> Option<Text<'xml>> {
    element.child(name).and_then(|child| child.filled_text())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lose_their_folders_and_other_names_keep_their_slashes() {
        let cases = [
            (r"C:\build\bin\Tests.dll", "Tests.dll"),
            ("C:/build/bin/Tests.dll", "Tests.dll"),
            ("/build/bin/Tests.dll", "Tests.dll"),
            (r"\\host\share\Tests.dll", "Tests.dll"),
            ("file:///C:/build/Tests.dll", "Tests.dll"),
            ("reads a/b", "reads a/b"),
            ("/api/v1.0/users", "/api/v1.0/users"),
            ("Tests.dll", "Tests.dll"),
        ];
        for (name, short) in cases {
            assert_eq!(without_folder(name.into()), short, "{name}");
        }
        assert_eq!(assembly(r"bin\Tests.DLL".into()).as_deref(), Some("Tests.DLL"));
        assert_eq!(assembly("_/home/src/sum".into()), None);
        assert_eq!(assembly("é".into()), None);
    }

    #[test]
    fn an_exception_is_known_by_its_name() {
        let of = |message: &'static str| exception(&message.into(), " : ").map(Cow::into_owned);
        assert_eq!(of("System.TimeoutException : too long").as_deref(), Some("System.TimeoutException"));
        assert_eq!(of("expected a.b : c"), None);
        assert_eq!(of("SetUp : System.Exception : no"), None);
        assert_eq!(of("no"), None);
    }
}

//! Reading XML of a stranger: no document types, no entities but the five of XML, bounded depth.

use std::ops::Range;

use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

use super::{Deadline, Limits, refused, unreadable};
use crate::error::Result;

/// Events between two looks at the clock.
const EVENTS_PER_LOOK: u32 = 4096;

/// Events of a part, each with the bytes it stands in.
pub(super) struct Walker<'a> {
    reader: Reader<&'a [u8]>,
    depth: usize,
    limit: usize,
    events: u32,
    deadline: Deadline,
}

impl<'a> Walker<'a> {
    pub(super) fn new(text: &'a str, limits: &Limits, deadline: Deadline) -> Self {
        Self { reader: Reader::from_str(text), depth: 0, limit: limits.depth, events: 0, deadline }
    }

    /// The next event; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<(Event<'a>, Range<usize>)>> {
        self.events = self.events.wrapping_add(1);
        if self.events.is_multiple_of(EVENTS_PER_LOOK) {
            self.deadline.check()?;
        }
        let from = self.reader.buffer_position() as usize;
        let event = self.reader.read_event().map_err(unreadable)?;
        let to = self.reader.buffer_position() as usize;
        match &event {
            Event::Start(_) => {
                self.depth += 1;
                if self.depth > self.limit {
                    return Err(refused(
                        "too_deep",
                        "文件内部结构异常（嵌套过深），已拒绝。请用 Excel 或 WPS 重新另存为 .xlsx。",
                        "The file is nested too deeply; save it anew as .xlsx.",
                    ));
                }
            }
            Event::End(_) => self.depth = self.depth.saturating_sub(1),
            Event::DocType(_) => {
                return Err(refused(
                    "doctype",
                    "文件内含有文档类型声明（DTD），正常的 .xlsx 不会有，已拒绝。",
                    "The file holds a document type declaration, which no workbook needs.",
                ));
            }
            Event::Eof => return Ok(None),
            _ => {}
        }
        Ok(Some((event, from..to)))
    }

    /// The text up to the end of the element that was just opened, phonetic guides left out.
    pub(super) fn text_until_end(&mut self) -> Result<String> {
        let mut text = String::new();
        let (floor, mut phonetic) = (self.depth - 1, None);
        while let Some((event, _)) = self.next()? {
            match &event {
                Event::Start(e) if local(e) == "rPh" && phonetic.is_none() => phonetic = Some(self.depth - 1),
                Event::End(_) if Some(self.depth) == phonetic => phonetic = None,
                Event::End(_) if self.depth == floor => return Ok(text),
                _ if phonetic.is_some() => {}
                _ => push_text(&mut text, &event)?,
            }
        }
        Err(unreadable("unclosed element"))
    }
}

/// Appends what an event says in text.
pub(super) fn push_text(text: &mut String, event: &Event<'_>) -> Result<()> {
    match event {
        Event::Text(t) => text.push_str(&t.xml10_content()),
        Event::CData(t) => text.push_str(&t.xml10_content()),
        Event::GeneralRef(name) => {
            if let Some(c) = name.resolve_char_ref().map_err(unreadable)? {
                text.push(c);
            } else {
                text.push(match &*name.xml10_content() {
                    "amp" => '&',
                    "lt" => '<',
                    "gt" => '>',
                    "quot" => '"',
                    "apos" => '\'',
                    other => return Err(unreadable(format!("&{other};"))),
                });
            }
        }
        _ => {}
    }
    Ok(())
}

/// Name of an element without its prefix.
pub(super) fn local<'e>(element: &'e BytesStart<'_>) -> &'e str {
    let name = element.name().into_inner();
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

/// An attribute by its name without prefix.
pub(super) fn attribute(element: &BytesStart<'_>, wanted: &str) -> Result<Option<String>> {
    for found in element.attributes() {
        let found = found.map_err(unreadable)?;
        let name = found.key.into_inner();
        let name = name.rsplit_once(':').map_or(name, |(_, local)| local);
        if name == wanted {
            return Ok(Some(
                found.normalized_value(XmlVersion::Implicit1_0).map_err(unreadable)?.into_owned(),
            ));
        }
    }
    Ok(None)
}

/// An attribute as a number.
pub(super) fn number<T: std::str::FromStr>(element: &BytesStart<'_>, wanted: &str) -> Result<Option<T>> {
    Ok(attribute(element, wanted)?.and_then(|v| v.trim().parse().ok()))
}

/// Text as it stands in an element or a quoted attribute. Characters that XML cannot hold are left out.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' => out.push(c),
            c if c < ' ' || matches!(c, '\u{FFFE}' | '\u{FFFF}') => {}
            c => out.push(c),
        }
    }
    out
}

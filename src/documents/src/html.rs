//! A page to print: one file, nothing loaded from elsewhere, black on white.

use std::fmt::Write as _;

use crate::model::{Cell, ColumnKind, Place, Sealed, Table};
use crate::{parts, pdf, text};

/// Name of the meta element that holds the export's id.
pub const ID_META: &str = "lophoc-export-id";

/// The document as an HTML page laid out for A4 by print CSS.
pub fn write(sheet: &Sealed) -> String {
    let mut out = String::with_capacity(64 * 1024);
    let data = sheet.data();
    let size = if sheet.is_landscape() {
        "landscape"
    } else {
        "portrait"
    };
    let _ = write!(
        out,
        "<!DOCTYPE html>\n<html lang=\"vi\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" \
         content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"{ID_META}\" content=\"{}\">\n\
         <meta name=\"lophoc-data-sha256\" content=\"{}\">\n\
         <title>{}</title>\n<style>\n@page {{ size: A4 {size}; margin: 20mm 15mm 20mm 30mm; \
         @top-center {{ content: counter(page); font: 13pt \"Times New Roman\", serif }} }}\n\
         @page :first {{ @top-center {{ content: none }} }}\n{STYLE}</style>\n</head>\n<body>\n",
        escaped(&sheet.document().export.id),
        sheet.data_sha256(),
        escaped(&data.title),
    );
    head(&mut out, sheet);
    let mut layouts = pdf::layout(sheet).into_iter();
    for table in data.tables.iter().filter(|t| t.place == Place::Main) {
        draw(&mut out, table, layouts.next(), data.offset_min);
    }
    for sentence in &data.foot {
        paragraph(&mut out, "foot", sentence);
    }
    for table in data.tables.iter().filter(|t| t.place == Place::Annex) {
        let _ = writeln!(out, "<h2>{}</h2>", escaped(&table.name));
        draw(&mut out, table, layouts.next(), data.offset_min);
    }
    signatures(&mut out, sheet);
    let recipients = &sheet.document().recipients;
    if !recipients.is_empty() {
        let _ = write!(
            out,
            "<div class=\"recipients\"><b><i>{}</i></b>",
            parts::RECIPIENTS
        );
        for line in recipients {
            let _ = write!(out, "<br>{}", escaped(line));
        }
        out.push_str("</div>\n");
    }
    out.push_str("<div class=\"small\">\n");
    if !data.rules.is_empty() {
        let rules = format!("{} {}", parts::RULES, data.rules.join(" "));
        paragraph(&mut out, "", &rules);
    }
    for line in parts::small_print(sheet) {
        paragraph(&mut out, "", &line);
    }
    out.push_str("</div>\n</body>\n</html>\n");
    out
}

const STYLE: &str = "\
body { font-family: \"Times New Roman\", Tinos, \"Liberation Serif\", serif; font-size: 13pt;\n\
 color: #000; background: #fff; margin: 0 auto; max-width: 270mm; padding: 8mm; line-height: 1.25 }\n\
.head { display: flex; gap: 6mm; text-align: center; margin-bottom: 6mm }\n\
.head > div { flex: 1 1 50% }\n\
.head p { margin: 0 }\n\
.rule { display: block; border: 0; border-top: .7pt solid #000; margin: 1mm auto 2mm; width: 35% }\n\
.motto { display: inline-block; border-bottom: .7pt solid #000; padding-bottom: .6mm }\n\
h1 { font-size: 14pt; text-align: center; margin: 0 0 1mm }\n\
h2 { font-size: 13pt; margin: 4mm 0 1mm; break-after: avoid }\n\
.sub { text-align: center; margin: 0 }\n\
.sub:first-of-type { font-weight: bold }\n\
table { border-collapse: collapse; width: 99.7%; min-width: 250mm; margin: 3mm 0;\n\
 table-layout: fixed; font-size: 10pt; line-height: 1.17; overflow-wrap: anywhere }\n\
thead { display: table-header-group }\n\
tr { break-inside: avoid }\n\
th, td { border: .7pt solid #000; padding: .6mm .8mm; vertical-align: middle }\n\
th { text-align: center; padding: .6mm .3mm }\n\
td.c { text-align: center } td.r { text-align: right } td.n { white-space: nowrap }\n\
td.sign, th.sign { min-width: 25mm; height: 7mm }\n\
tr.sum td { font-weight: bold }\n\
td.mark { font-weight: bold; font-style: italic }\n\
.foot { margin: 1mm 0; text-align: justify }\n\
.signs { display: flex; gap: 4mm; text-align: center; margin-top: 6mm; break-inside: avoid;\n\
 break-before: avoid }\n\
.signs > div { flex: 1 1 0 } .signs p { margin: 0 } .signs .room { height: 26mm }\n\
.recipients { font-size: 11pt; margin-top: 4mm; break-inside: avoid }\n\
.recipients b { font-size: 12pt }\n\
.small { font-size: 9pt; margin-top: 4mm; break-inside: avoid; overflow-wrap: anywhere }\n\
.small p { margin: 0 }\n\
@media screen { body { overflow-x: auto } }\n\
@media print { body { padding: 0; max-width: none } table { min-width: 0 } }\n";

fn head(out: &mut String, sheet: &Sealed) {
    let head = &sheet.document().head;
    out.push_str("<div class=\"head\">\n<div>");
    if let Some(parent) = &head.parent_unit {
        let _ = write!(out, "<p>{}</p>", escaped(&parent.to_uppercase()));
    }
    let _ = write!(
        out,
        "<p><b>{}</b></p><hr class=\"rule\">",
        escaped(&sheet.data().unit.to_uppercase())
    );
    if let Some(number) = parts::number(sheet) {
        let _ = write!(out, "<p>{}</p>", escaped(&number));
    }
    let _ = writeln!(
        out,
        "</div>\n<div><p><b>{}</b></p><p><b class=\"motto\">{}</b></p><p><i>{}</i></p></div>\n</div>",
        parts::NATION,
        parts::MOTTO,
        escaped(&parts::place_and_day(sheet))
    );
    let _ = writeln!(out, "<h1>{}</h1>", escaped(&sheet.data().title));
    for line in &sheet.data().subtitle {
        paragraph(out, "sub", line);
    }
}

fn paragraph(out: &mut String, class: &str, text: &str) {
    if class.is_empty() {
        let _ = writeln!(out, "<p>{}</p>", escaped(text));
    } else {
        let _ = writeln!(out, "<p class=\"{class}\">{}</p>", escaped(text));
    }
}

fn draw(out: &mut String, table: &Table, layout: Option<(f32, Vec<f32>)>, offset_min: i32) {
    match layout {
        Some((size, shares)) => {
            let _ = write!(out, "<table style=\"font-size: {size}pt\">\n<colgroup>");
            for share in shares {
                let _ = write!(out, "<col style=\"width: {:.2}%\">", share * 100.0);
            }
            out.push_str("</colgroup>\n<thead>\n");
        }
        None => out.push_str("<table>\n<thead>\n"),
    }
    let heading = |out: &mut String, index: usize, rows: u32| {
        let Some(column) = table.columns.get(index) else {
            return;
        };
        let class = if column.kind == ColumnKind::Sign {
            " class=\"sign\""
        } else {
            ""
        };
        let rows = if rows > 1 { " rowspan=\"2\"" } else { "" };
        let _ = write!(
            out,
            "<th scope=\"col\"{class}{rows}>{}</th>",
            escaped(&column.heading)
        );
    };
    out.push_str("<tr>");
    if table.has_groups() {
        for (first, len, group) in table.groups() {
            match group {
                Some(group) => {
                    let _ = write!(
                        out,
                        "<th scope=\"colgroup\" colspan=\"{len}\">{}</th>",
                        escaped(group)
                    );
                }
                None => heading(out, first, 2),
            }
        }
        out.push_str("</tr>\n<tr>");
        for (index, column) in table.columns.iter().enumerate() {
            if column.group.is_some() {
                heading(out, index, 1);
            }
        }
    } else {
        for index in 0..table.columns.len() {
            heading(out, index, 1);
        }
    }
    out.push_str("</tr>\n</thead>\n<tbody>\n");
    let marked = table.marked();
    for (row, cells) in (0_u32..).zip(&table.rows) {
        out.push_str(if table.strong.contains(&row) {
            "<tr class=\"sum\">"
        } else {
            "<tr>"
        });
        for ((at, cell), column) in (0_u32..).zip(cells).zip(&table.columns) {
            let mark = marked.contains(&(row, at));
            let class = class_of(column.kind, cell);
            let class = match (class, mark) {
                ("", false) => String::new(),
                ("", true) => " class=\"mark\"".to_owned(),
                (class, false) => format!(" class=\"{class}\""),
                (class, true) => format!(" class=\"{class} mark\""),
            };
            let star = if mark { "*" } else { "" };
            let _ = write!(
                out,
                "<td{class}>{}{star}</td>",
                escaped(&text::on_paper(cell, offset_min))
            );
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody>\n</table>\n");
}

fn class_of(kind: ColumnKind, cell: &Cell) -> &'static str {
    match kind {
        ColumnKind::Text if matches!(cell, Cell::Empty | Cell::Text(_)) => "",
        ColumnKind::Text | ColumnKind::Code | ColumnKind::Count => "c",
        ColumnKind::Identifier | ColumnKind::Date | ColumnKind::Time => "c n",
        ColumnKind::DateTime => "c",
        ColumnKind::Minutes | ColumnKind::Hours | ColumnKind::Percent => "r n",
        ColumnKind::Sign => "sign",
    }
}

fn signatures(out: &mut String, sheet: &Sealed) {
    let signatures = &sheet.document().signatures;
    if signatures.is_empty() {
        return;
    }
    out.push_str("<div class=\"signs\">\n");
    for signature in signatures {
        let _ = writeln!(
            out,
            "<div><p><b>{}</b></p><p><i>{}</i></p><div class=\"room\"></div><p><b>{}</b></p></div>",
            escaped(&signature.title),
            escaped(&signature.note),
            escaped(signature.name.as_deref().unwrap_or_default())
        );
    }
    out.push_str("</div>\n");
}

/// Text as it may stand in an element or a quoted attribute.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

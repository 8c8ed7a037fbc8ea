//! Files to convert, made here: none is stored.
#![allow(dead_code, clippy::unwrap_used, clippy::indexing_slicing)]

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// A PDF with these pages: width, height and lines of text of each.
pub fn pdf(pages: &[(u32, u32, Vec<String>)]) -> Vec<u8> {
    let mut objects = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        String::new(),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    let mut kids = String::new();
    for (width, height, lines) in pages {
        let mut drawing = "BT /F 14 Tf 16 TL 40 ".to_owned();
        write!(drawing, "{} Td", height - 40).unwrap();
        for line in lines {
            write!(drawing, " ({line}) Tj T*").unwrap();
        }
        drawing.push_str(" ET");
        let page = objects.len() + 1;
        write!(kids, "{page} 0 R ").unwrap();
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {width} {height}] /Contents {} 0 R \
             /Resources << /Font << /F 3 0 R >> >> >>",
            page + 1
        ));
        objects.push(format!(
            "<< /Length {} >>\nstream\n{drawing}\nendstream",
            drawing.len()
        ));
    }
    objects[1] = format!("<< /Type /Pages /Kids [{kids}] /Count {} >>", pages.len());
    let mut file = b"%PDF-1.4\n".to_vec();
    let mut table = String::new();
    for (at, object) in objects.iter().enumerate() {
        writeln!(table, "{:010} 00000 n ", file.len()).unwrap();
        file.extend(format!("{} 0 obj\n{object}\nendobj\n", at + 1).bytes());
    }
    let start = file.len();
    let count = objects.len() + 1;
    file.extend(
        format!(
            "xref\n0 {count}\n0000000000 65535 f \n{table}trailer\n<< /Size {count} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n"
        )
        .bytes(),
    );
    file
}

/// A page full of text.
pub fn full_page(number: usize) -> (u32, u32, Vec<String>) {
    let lines = (0..28)
        .map(|line| {
            format!("Trang {number} dong {line}: noi dung bai giang duoc trinh bay ro rang, khong nhoe va de doc tren dien thoai nho")
        })
        .collect();
    (960, 540, lines)
}

/// An archive with these entries.
pub fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        writer
            .start_file(*name, SimpleFileOptions::default())
            .unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// A presentation with one slide for each text. `target` is an external link of
/// every slide.
pub fn pptx(slides: &[&str], target: &str) -> Vec<u8> {
    const P: &str = "xmlns:a=\"http://schemas.openxmlformats.org/drawingml/2006/main\" xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\" xmlns:p=\"http://schemas.openxmlformats.org/presentationml/2006/main\"";
    const REL: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let rels = |body: &str| {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">{body}</Relationships>"
        )
    };
    let tree = |shapes: &str| {
        format!(
            "<p:cSld><p:spTree><p:nvGrpSpPr><p:cNvPr id=\"1\" name=\"\"/><p:cNvGrpSpPr/><p:nvPr/></p:nvGrpSpPr><p:grpSpPr/>{shapes}</p:spTree></p:cSld>"
        )
    };
    let mut types = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"><Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/><Default Extension=\"xml\" ContentType=\"application/xml\"/><Override PartName=\"/ppt/presentation.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml\"/>".to_owned();
    let mut ids = String::new();
    let mut relations = String::new();
    let mut files: Vec<(String, String)> = Vec::new();
    for (at, text) in slides.iter().enumerate() {
        let n = at + 1;
        write!(types, "<Override PartName=\"/ppt/slides/slide{n}.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.presentationml.slide+xml\"/>").unwrap();
        write!(ids, "<p:sldId id=\"{}\" r:id=\"rId{n}\"/>", 255 + n).unwrap();
        write!(
            relations,
            "<Relationship Id=\"rId{n}\" Type=\"{REL}/slide\" Target=\"slides/slide{n}.xml\"/>"
        )
        .unwrap();
        let shape = format!(
            "<p:sp><p:nvSpPr><p:cNvPr id=\"2\" name=\"t\"/><p:cNvSpPr txBox=\"1\"/><p:nvPr/></p:nvSpPr><p:spPr><a:xfrm><a:off x=\"600000\" y=\"600000\"/><a:ext cx=\"8000000\" cy=\"2000000\"/></a:xfrm><a:prstGeom prst=\"rect\"><a:avLst/></a:prstGeom></p:spPr><p:txBody><a:bodyPr/><a:p><a:r><a:rPr lang=\"vi-VN\" sz=\"3200\"/><a:t>{text}</a:t></a:r></a:p></p:txBody></p:sp>\
             <p:pic><p:nvPicPr><p:cNvPr id=\"3\" name=\"x\"/><p:cNvPicPr/><p:nvPr/></p:nvPicPr><p:blipFill><a:blip r:link=\"rIdX\"/><a:stretch><a:fillRect/></a:stretch></p:blipFill><p:spPr><a:xfrm><a:off x=\"600000\" y=\"3000000\"/><a:ext cx=\"2000000\" cy=\"2000000\"/></a:xfrm><a:prstGeom prst=\"rect\"><a:avLst/></a:prstGeom></p:spPr></p:pic>"
        );
        files.push((
            format!("ppt/slides/slide{n}.xml"),
            format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?><p:sld {P}>{}</p:sld>",
                tree(&shape)
            ),
        ));
        files.push((
            format!("ppt/slides/_rels/slide{n}.xml.rels"),
            rels(&format!(
                "<Relationship Id=\"rIdX\" Type=\"{REL}/image\" Target=\"{target}\" TargetMode=\"External\"/>"
            )),
        ));
    }
    types.push_str("</Types>");
    files.push(("[Content_Types].xml".into(), types));
    files.push((
        "_rels/.rels".into(),
        rels(&format!(
            "<Relationship Id=\"rId1\" Type=\"{REL}/officeDocument\" Target=\"ppt/presentation.xml\"/>"
        )),
    ));
    files.push((
        "ppt/presentation.xml".into(),
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><p:presentation {P}><p:sldIdLst>{ids}</p:sldIdLst><p:sldSz cx=\"12192000\" cy=\"6858000\"/><p:notesSz cx=\"6858000\" cy=\"9144000\"/></p:presentation>"
        ),
    ));
    files.push(("ppt/_rels/presentation.xml.rels".into(), rels(&relations)));
    let entries: Vec<(&str, &[u8])> = files
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_bytes()))
        .collect();
    archive(&entries)
}

fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 * (crc & 1))
        })
    })
}

/// A PNG of one grey level for each pixel, stored without packing. `told` is the
/// size its header tells.
pub fn png(width: u32, height: u32, told: (u32, u32)) -> Vec<u8> {
    let mut raw = Vec::new();
    for y in 0..height {
        raw.push(0);
        raw.extend((0..width).map(|x| if (x / 8 + y / 8) % 2 == 0 { 240u8 } else { 60 }));
    }
    let mut data = vec![0x78, 0x01];
    let blocks: Vec<&[u8]> = raw.chunks(65_535).collect();
    for (at, block) in blocks.iter().enumerate() {
        data.push(u8::from(at + 1 == blocks.len()));
        let len = u16::try_from(block.len()).unwrap();
        data.extend(len.to_le_bytes());
        data.extend((!len).to_le_bytes());
        data.extend(*block);
    }
    let (a, b) = raw.iter().fold((1u32, 0u32), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % 65_521;
        (a, (b + a) % 65_521)
    });
    data.extend((b << 16 | a).to_be_bytes());
    let mut head = Vec::new();
    head.extend(told.0.to_be_bytes());
    head.extend(told.1.to_be_bytes());
    head.extend([8, 0, 0, 0, 0]);
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    for (name, body) in [(b"IHDR", head), (b"IDAT", data), (b"IEND", vec![])] {
        let mut chunk = name.to_vec();
        chunk.extend(body);
        file.extend(u32::try_from(chunk.len() - 4).unwrap().to_be_bytes());
        file.extend(&chunk);
        file.extend(crc(&chunk).to_be_bytes());
    }
    file
}

/// A GIF of two frames of one pixel, red and blue.
pub fn gif() -> Vec<u8> {
    let mut file = b"GIF89a\x01\0\x01\0\x80\0\0\xff\0\0\0\0\xff".to_vec();
    for colour in [0x44, 0x4c] {
        file.extend(b"\x21\xf9\x04\0\x0a\0\0\0\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02");
        file.extend([colour, 1, 0]);
    }
    file.push(0x3b);
    file
}

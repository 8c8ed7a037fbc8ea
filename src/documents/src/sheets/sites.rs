//! Thành phần tham dự theo điểm cầu: who sat where.

use std::collections::BTreeMap;

use lophoc_ledger::{HallHow, HallMark, NameKey, PersonKey, Report, Row, Status};

use super::{Context, PersonInfo, SessionInfo, no_column, order, result_name};
use crate::model::{Cell, Column, ColumnKind, Document, Kind, Place, Table};
use crate::vi;

/// A site.
#[derive(Debug, Clone, Default)]
pub struct SiteInfo {
    /// Name: `Điểm cầu Trường THCS Nguyễn Du`.
    pub name: String,
    /// Đầu mối, who confirmed.
    pub contact: Option<String>,
    /// Its address or hall.
    pub place: Option<String>,
    /// People of the roster expected there.
    pub expected: u32,
}

/// Input of the sheet.
#[derive(Debug, Clone, Copy)]
pub struct SiteSheet<'a> {
    /// Class or meeting, and export.
    pub context: &'a Context,
    /// Session.
    pub session: &'a SessionInfo,
    /// Attendance.
    pub report: &'a Report,
    /// What is known of the people.
    pub people: &'a BTreeMap<PersonKey, PersonInfo>,
    /// Sites by the person key of their connection.
    pub sites: &'a BTreeMap<PersonKey, SiteInfo>,
    /// Ticks, to tell how somebody was ticked in.
    pub hall: &'a [HallMark],
}

impl SiteSheet<'_> {
    /// The document: people by site, and the sites with their counts.
    pub fn build(&self) -> Document {
        let mut rows: Vec<&Row> = self
            .report
            .rows
            .iter()
            .filter(|row| row.site.is_some() || row.stands.status == Status::AtSite)
            .filter(|row| !self.sites.contains_key(&row.person))
            .collect();
        rows.sort_by_cached_key(|row| self.key(row));
        let column = Column::new;
        let mut main = Table::new(
            "Theo điểm cầu",
            Place::Main,
            vec![
                no_column(),
                column("Điểm cầu", ColumnKind::Text),
                column("Họ và tên", ColumnKind::Text),
                column("Chức vụ", ColumnKind::Text),
                column("Đơn vị công tác", ColumnKind::Text),
                column("Giờ vào", ColumnKind::Time),
                column("Giờ ra", ColumnKind::Time),
                column("Tổng thời gian (phút)", ColumnKind::Minutes),
                column("Kết quả", ColumnKind::Text),
                column("Xác nhận", ColumnKind::Text),
                column("Chữ ký", ColumnKind::Sign),
            ],
        );
        for (no, row) in (1_u64..).zip(&rows) {
            let info = self.people.get(&row.person);
            let stands = &row.stands;
            let unit = info
                .and_then(|info| info.unit.as_deref())
                .or(row.unit.as_deref());
            main.rows.push(vec![
                Cell::Count(no),
                Cell::text(self.site_name(row)),
                Cell::text(&row.name),
                Cell::maybe(info.and_then(|info| info.position.as_deref())),
                Cell::maybe(unit),
                row.first_in_ms.map_or(Cell::Empty, Cell::Time),
                row.last_out_ms.map_or(Cell::Empty, Cell::Time),
                Cell::Minutes(stands.present_ms),
                Cell::text(result_name(stands.status, stands.late, stands.early)),
                Cell::text(self.confirmed(row)),
                Cell::Empty,
            ]);
        }
        let sites = self.site_table(&rows);
        let connected = sites.rows.len();
        let foot = vec![format!(
            "Có {} điểm cầu với {} người tham dự tại điểm cầu; tham dự trực tuyến {}, trực tiếp {}.",
            vi::counted(connected as u64),
            vi::counted(
                rows.iter()
                    .filter(|row| row.stands.status.is_present())
                    .count() as u64
            ),
            vi::counted(u64::from(self.report.totals.online)),
            vi::counted(u64::from(self.report.totals.in_person)),
        )];
        let mut subtitle = self.context.class_lines();
        subtitle.push(super::delegates::session_line(
            self.session,
            self.report.window.from_ms,
            self.context.offset_min,
        ));
        subtitle.extend(self.session.own_lines());
        subtitle.extend(self.context.plan_line());
        subtitle.retain(|line| !line.is_empty());
        self.context.document(
            Kind::Sites,
            "THÀNH PHẦN THAM DỰ THEO ĐIỂM CẦU",
            subtitle,
            vec![main, sites],
            foot,
            vec![
                "Thời gian của người dự tại điểm cầu là thời gian kết nối của điểm cầu, trừ khi ra \
                 sớm hơn; người dự do đầu mối điểm cầu xác nhận hoặc tự quét mã QR tại hội trường."
                    .to_owned(),
            ],
        )
    }

    fn key(&self, row: &Row) -> (NameKey, NameKey, PersonKey) {
        let sort = self
            .people
            .get(&row.person)
            .and_then(|info| info.sort.as_deref());
        (
            order("", Some(self.site_name(row))),
            order(&row.name, sort),
            row.person.clone(),
        )
    }

    fn site_name<'r>(&'r self, row: &'r Row) -> &'r str {
        match &row.site {
            Some(site) => self
                .sites
                .get(site)
                .map_or(site.as_str(), |info| &info.name),
            None => "",
        }
    }

    fn confirmed(&self, row: &Row) -> String {
        let how = self
            .hall
            .iter()
            .filter(|mark| mark.person == row.person && mark.on)
            .max_by_key(|mark| mark.seq)
            .map(|mark| mark.how);
        let contact = row
            .site
            .as_ref()
            .and_then(|site| self.sites.get(site))
            .and_then(|site| site.contact.as_deref());
        match (how, contact) {
            (Some(HallHow::Qr), _) => "Quét mã QR".to_owned(),
            (Some(HallHow::Paper), _) => "Danh sách ký giấy".to_owned(),
            (Some(HallHow::Contact), Some(contact)) => format!("Đầu mối: {contact}"),
            (Some(HallHow::Contact), None) => "Đầu mối điểm cầu".to_owned(),
            (None, _) => String::new(),
        }
    }

    fn site_table(&self, rows: &[&Row]) -> Table {
        let column = Column::new;
        let mut table = Table::new(
            "Tổng hợp điểm cầu",
            Place::Annex,
            vec![
                no_column(),
                column("Điểm cầu", ColumnKind::Text),
                column("Địa điểm", ColumnKind::Text),
                column("Đầu mối", ColumnKind::Text),
                column("Giờ kết nối", ColumnKind::Time),
                column("Giờ ngắt", ColumnKind::Time),
                column("Số người triệu tập", ColumnKind::Count),
                column("Số người có mặt", ColumnKind::Count),
            ],
        );
        let mut sites: Vec<(&PersonKey, &SiteInfo)> = self.sites.iter().collect();
        sites.sort_by_cached_key(|(key, info)| (order("", Some(&info.name)), (*key).clone()));
        for (no, (key, info)) in (1_u64..).zip(sites) {
            let own = self.report.rows.iter().find(|row| row.person == *key);
            let present = rows
                .iter()
                .filter(|row| row.site.as_ref() == Some(key) && row.stands.status.is_present())
                .count();
            table.rows.push(vec![
                Cell::Count(no),
                Cell::text(&info.name),
                Cell::maybe(info.place.as_deref()),
                Cell::maybe(info.contact.as_deref()),
                own.and_then(|row| row.first_in_ms)
                    .map_or(Cell::Empty, Cell::Time),
                own.and_then(|row| row.last_out_ms)
                    .map_or(Cell::Empty, Cell::Time),
                Cell::count(info.expected),
                Cell::count(present),
            ]);
        }
        table
    }
}

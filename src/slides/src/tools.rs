//! Which tools this machine has, and how they are called.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::limits::{MAX_SHARED, MAX_TEMPORARY};
use crate::plan::Fault;
use crate::sniff::Kind;

/// Whether tools run in their sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sandbox {
    /// In bubblewrap.
    Bubblewrap,
    /// Without; only their memory, time and output are bounded.
    Off,
}

/// The tools of this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tools {
    /// How they run; absent: there is no sandbox, and none was renounced.
    pub sandbox: Option<Sandbox>,
    /// PDF: `pdfinfo`, `pdftoppm`, `pdftotext`, and `cwebp` for the pages.
    pub pages: bool,
    /// Moving pictures: `gif2webp`, `webpmux`.
    pub moving: bool,
    /// Presentations: LibreOffice Impress.
    pub impress: bool,
    /// Texts: LibreOffice Writer.
    pub writer: bool,
}

/// Folder of LibreOffice in Debian.
pub(crate) const OFFICE: &str = "/usr/lib/libreoffice/program";

fn has(program: &str) -> bool {
    Path::new("/usr/bin").join(program).is_file()
}

impl Tools {
    /// Looks what there is. Starts an empty sandbox once. `may_go_without`: tools
    /// run without a sandbox where there is none.
    pub fn find(may_go_without: bool) -> Self {
        let sandbox = if sandbox_works() {
            Some(Sandbox::Bubblewrap)
        } else if may_go_without {
            Some(Sandbox::Off)
        } else {
            None
        };
        let office = |part: &str| Path::new(OFFICE).join(part).is_file();
        let soffice = office("soffice") && has("prlimit");
        Self {
            sandbox,
            pages: [
                "prlimit",
                "timeout",
                "pdfinfo",
                "pdftoppm",
                "pdftotext",
                "cwebp",
            ]
            .into_iter()
            .all(has),
            moving: has("gif2webp") && has("webpmux"),
            impress: soffice && office("libsdlo.so"),
            writer: soffice && office("libswlo.so"),
        }
    }

    /// Whether a file of this kind can be converted here.
    ///
    /// # Errors
    /// [`Fault::NoConverter`].
    pub fn can(&self, kind: Kind) -> Result<(), Fault> {
        use crate::image::Format;
        let tool = match kind {
            Kind::Pdf => true,
            Kind::Office("docx" | "doc" | "odt") => self.writer,
            Kind::Office(_) => self.impress,
            Kind::Picture(picture) => {
                self.moving || !matches!(picture.format, Format::Gif | Format::Moving)
            }
        };
        if self.sandbox.is_some() && self.pages && tool {
            Ok(())
        } else {
            Err(Fault::NoConverter)
        }
    }
}

fn sandbox_works() -> bool {
    let Some(mut command) = bubblewrap() else {
        return false;
    };
    command
        .args(CLOSED)
        .arg("/usr/bin/true")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Closes what else is memory in the sandbox: its root and `/dev`. Stands after
/// everything that is put there.
pub(crate) const CLOSED: [&str; 4] = ["--remount-ro", "/dev", "--remount-ro", "/"];

/// Bubblewrap without network, rights, environment or anything to read but
/// programs and fonts.
pub(crate) fn bubblewrap() -> Option<Command> {
    if !has("bwrap") {
        return None;
    }
    let mut command = Command::new("/usr/bin/bwrap");
    command.env_clear().args([
        "--unshare-all",
        "--die-with-parent",
        "--new-session",
        "--cap-drop",
        "ALL",
        "--clearenv",
        "--hostname",
        "sandbox",
        "--ro-bind",
        "/usr",
        "/usr",
        "--symlink",
        "usr/bin",
        "/bin",
        "--symlink",
        "usr/lib",
        "/lib",
        "--ro-bind-try",
        "/etc/fonts",
        "/etc/fonts",
        // Debian's choices among libraries that do the same: ffmpeg needs one.
        "--ro-bind-try",
        "/etc/alternatives",
        "/etc/alternatives",
        "--ro-bind-try",
        "/etc/libreoffice",
        "/etc/libreoffice",
        "--ro-bind-try",
        "/etc/ld.so.cache",
        "/etc/ld.so.cache",
        "--ro-bind-try",
        "/var/cache/fontconfig",
        "/var/cache/fontconfig",
        "--proc",
        "/proc",
        "--dev",
        "/dev",
    ]);
    // These are memory, which nothing else counts. A size stands for what follows
    // it at once.
    for (folder, bytes) in [("/dev/shm", MAX_SHARED), ("/tmp", MAX_TEMPORARY)] {
        command.arg("--size").arg(bytes.to_string());
        command.args(["--tmpfs", folder]);
    }
    command.args(["--chdir", "/tmp"]);
    // Only 64-bit Debian has it; without it no program finds its loader there.
    if Path::new("/usr/lib64").exists() {
        command.args(["--symlink", "usr/lib64", "/lib64"]);
    }
    Some(command)
}

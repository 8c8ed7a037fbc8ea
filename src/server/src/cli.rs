//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use lophoc_protocol::{Role, RoomMode};

/// Live classes and meetings: server and browser client in one program.
#[derive(Debug, Parser)]
#[command(name = "lophoc", version, about)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start the server.
    Serve(Serve),
    /// Classes.
    #[command(subcommand)]
    Class(ClassCommand),
    /// Print a join link for a room.
    Link(Link),
    /// Accounts.
    #[command(subcommand)]
    Account(AccountCommand),
    /// Copy everything that is kept into a folder, also while the server runs.
    Backup(Backup),
    /// Bring a copy back into an empty data folder.
    Restore(Restore),
    /// Tell whether a file is a genuine export of this installation, and current.
    VerifyExport(VerifyExport),
    /// Write recordings to files: started by the server, never by hand.
    #[command(hide = true)]
    Recorder(RecorderArgs),
    /// The configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print version and commit.
    Version,
}

/// Where the configuration is.
#[derive(Debug, Args, Clone, Default)]
pub struct ConfigPath {
    /// Configuration file; without it the built-in defaults hold.
    #[arg(long, value_name = "FILE", env = "LOPHOC_CONFIG")]
    pub config: Option<PathBuf>,
}

/// `lophoc serve`
#[derive(Debug, Args)]
pub struct Serve {
    /// Configuration.
    #[command(flatten)]
    pub config: ConfigPath,
    /// Open a demo class and print its links (as `rooms.demo = true`).
    #[arg(long)]
    pub demo: bool,
}

/// `lophoc recorder`
#[derive(Debug, Args)]
pub struct RecorderArgs {
    /// Level of the log.
    #[arg(long, default_value = "info")]
    pub level: String,
    /// The log in JSON.
    #[arg(long)]
    pub json: bool,
}

/// `lophoc class …`
#[derive(Debug, Subcommand)]
pub enum ClassCommand {
    /// Create a class with one session, open from now on, and print its links.
    New(NewClass),
}

/// `lophoc class new`
#[derive(Debug, Args)]
pub struct NewClass {
    /// Title of the class.
    #[arg(long)]
    pub title: String,
    /// Host unit.
    #[arg(long)]
    pub host: String,
    /// How speaking is treated.
    #[arg(long, value_enum, default_value = "discussion")]
    pub mode: ModeArg,
    /// Hours the session and its links last.
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..=8_784))]
    pub hours: u32,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
    /// Configuration.
    #[command(flatten)]
    pub config: ConfigPath,
}

/// `lophoc link`
#[derive(Debug, Args)]
pub struct Link {
    /// Room id.
    #[arg(long)]
    pub room: String,
    /// Role of whoever comes by the link.
    #[arg(long, value_enum)]
    pub role: RoleArg,
    /// Makes the link personal: this name, not to be changed when joining.
    #[arg(long)]
    pub name: Option<String>,
    /// Unit of the named person.
    #[arg(long, requires = "name")]
    pub unit: Option<String>,
    /// Hours the link lasts.
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..=8_784))]
    pub hours: u32,
    /// Configuration.
    #[command(flatten)]
    pub config: ConfigPath,
}

/// `lophoc account …`
#[derive(Debug, Subcommand)]
pub enum AccountCommand {
    /// Make a person with an account and print the first password.
    New(NewAccount),
    /// Print a new first password for an account and sign it out everywhere.
    Reset(ResetAccount),
}

/// `lophoc account new`
#[derive(Debug, Args)]
pub struct NewAccount {
    /// Name to sign in with.
    #[arg(long)]
    pub login: String,
    /// Full name.
    #[arg(long)]
    pub name: String,
    /// Quản trị hệ thống.
    #[arg(long)]
    pub admin: bool,
    /// Configuration.
    #[command(flatten)]
    pub config: ConfigPath,
}

/// `lophoc account reset`
#[derive(Debug, Args)]
pub struct ResetAccount {
    /// Name to sign in with.
    pub login: String,
    /// Configuration.
    #[command(flatten)]
    pub config: ConfigPath,
}

/// `lophoc verify-export`
#[derive(Debug, Args)]
pub struct VerifyExport {
    /// The file.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
    /// Configuration.
    #[command(flatten)]
    pub config: ConfigPath,
}

/// `lophoc backup`
#[derive(Debug, Args)]
pub struct Backup {
    /// Folder for the copy: new or empty.
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// Configuration; its file is copied as well.
    #[command(flatten)]
    pub config: ConfigPath,
}

/// `lophoc restore`
#[derive(Debug, Args)]
pub struct Restore {
    /// Folder with the copy.
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// Configuration: names the data folder, new or empty.
    #[command(flatten)]
    pub config: ConfigPath,
}

/// `lophoc config …`
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Read the configuration and say what is wrong with it.
    Check(ConfigPath),
}

/// Roles as typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RoleArg {
    /// Ban tổ chức.
    Organiser,
    /// Chủ trì.
    Chair,
    /// Người dạy.
    Trainer,
    /// Cố vấn học tập.
    Adviser,
    /// Cán bộ kỹ thuật.
    Technician,
    /// Thư ký.
    Secretary,
    /// Thanh tra, giám sát.
    Inspector,
    /// Người học.
    Learner,
    /// Khách mời.
    Guest,
}

impl From<RoleArg> for Role {
    fn from(role: RoleArg) -> Self {
        match role {
            RoleArg::Organiser => Self::Organiser,
            RoleArg::Chair => Self::Chair,
            RoleArg::Trainer => Self::Trainer,
            RoleArg::Adviser => Self::Adviser,
            RoleArg::Technician => Self::Technician,
            RoleArg::Secretary => Self::Secretary,
            RoleArg::Inspector => Self::Inspector,
            RoleArg::Learner => Self::Learner,
            RoleArg::Guest => Self::Guest,
        }
    }
}

/// Modes as typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ModeArg {
    /// Thảo luận.
    Discussion,
    /// Đào tạo.
    Training,
    /// Hội nghị truyền hình.
    Conference,
}

impl From<ModeArg> for RoomMode {
    fn from(mode: ModeArg) -> Self {
        match mode {
            ModeArg::Discussion => Self::Discussion,
            ModeArg::Training => Self::Training,
            ModeArg::Conference => Self::Conference,
        }
    }
}

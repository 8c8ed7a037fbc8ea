//! `lophoc verify-export FILE`: whether a file is one of ours.

use std::io::Read as _;

use lophoc_classes::{Verdict, VerdictKind};
use lophoc_documents::vi;
use lophoc_ledger::INDOCHINA_OFFSET_MIN;

use crate::api::{MAX_FILE, Source, judge};
use crate::cli::VerifyExport;
use crate::run::{CommandError, configuration, tell};
use crate::serve::open_store;

/// Judges the file by the records of this installation. Fails, with exit code 1,
/// for a file that is altered or not from here.
pub async fn run(args: VerifyExport) -> Result<(), CommandError> {
    let config = configuration(&args.config)?;
    let mut bytes = Vec::new();
    let most = u64::try_from(MAX_FILE).unwrap_or(u64::MAX);
    std::fs::File::open(&args.file)?
        .take(most.saturating_add(1))
        .read_to_end(&mut bytes)?;
    if bytes.len() > MAX_FILE {
        return Err(CommandError::NotGenuine("the file is too large".to_owned()));
    }
    let store = open_store(&config).await?;
    let verdict = judge(Source::Records(&store), bytes).await;
    store.close().await;
    let verdict = verdict.map_err(|fault| {
        CommandError::NotGenuine(format!("the file could not be judged: {}", fault.code()))
    })?;
    if args.json {
        let text = serde_json::to_string(&verdict).map_err(std::io::Error::from)?;
        tell(&text)?;
    } else {
        for line in lines(&verdict) {
            tell(&line)?;
        }
    }
    match verdict.kind {
        VerdictKind::Genuine | VerdictKind::Signed | VerdictKind::Resaved => Ok(()),
        VerdictKind::Altered => Err(CommandError::NotGenuine("the file was altered".to_owned())),
        VerdictKind::Unknown => Err(CommandError::NotGenuine(
            "no export of this installation".to_owned(),
        )),
    }
}

fn lines(verdict: &Verdict) -> Vec<String> {
    let kind = match verdict.kind {
        VerdictKind::Genuine => "genuine: the very file that was exported",
        VerdictKind::Signed => "genuine: the exported PDF with a signature added",
        VerdictKind::Resaved => "genuine data: saved again by another program",
        VerdictKind::Altered => "ALTERED",
        VerdictKind::Unknown => return vec!["unknown: no export of this installation".to_owned()],
    };
    let mut lines = vec![kind.to_owned()];
    lines.push(format!("title    {}", verdict.title));
    lines.push(format!("host     {}", verdict.host));
    lines.push(format!("export   {}", verdict.id));
    if let Some(made_ms) = verdict.made_ms {
        let time = vi::full_time(made_ms, INDOCHINA_OFFSET_MIN);
        lines.push(format!("made     {time} (UTC+7)"));
    }
    lines.push(match verdict.version {
        0 => "version  not frozen".to_owned(),
        no => format!("version  {no} of {}", verdict.latest),
    });
    lines.push(if verdict.current {
        "current  yes".to_owned()
    } else {
        "current  no: something was changed or frozen since".to_owned()
    });
    lines.extend(
        verdict
            .differences
            .iter()
            .map(|place| format!("differs  {place}")),
    );
    lines
}

//! How inputs are read, and what of it a resume must find the same.

use super::{Flaw, usage};
use crate::cli::{self, Given};
use crate::read;
use std::collections::BTreeMap;
use std::path::PathBuf;

pub(super) fn read_options(
    import: &cli::Import,
    given: &Given,
    shard: Option<(u32, u32)>,
) -> Result<read::Options, Flaw> {
    let input = &import.input;
    let encoding = input.encoding.as_deref().map(str::parse).transpose();
    Ok(read::Options {
        inputs: Vec::new(),
        format: input.format.map(|format| match format {
            cli::Format::Csv => read::Format::Csv,
            cli::Format::Tsv => read::Format::Tsv,
            cli::Format::Jsonl => read::Format::Jsonl,
            cli::Format::Json => read::Format::Json,
        }),
        delimiter: input.delimiter,
        header: !input.no_header,
        map: columns(&input.map, given.flag("map"))?,
        encoding: encoding.or_else(|e| usage(&format!("--encoding: {e}")))?,
        trim: input.trim,
        on_duplicate: match import.duplicates.on_duplicate {
            cli::OnDuplicate::Last => read::OnDuplicate::Last,
            cli::OnDuplicate::First => read::OnDuplicate::First,
            cli::OnDuplicate::Error => read::OnDuplicate::Error,
        },
        limit: input.limit,
        shard: shard.map(|(index, count)| read::Shard { index: index.into(), count: count.into() }),
        scratch: PathBuf::new(),
        budget: read::BUDGET,
        all_conflicts: import.output.verbose,
    })
}

/// `FIELD=COLUMN` of each `--map`; the variable holds several with commas between.
fn columns(maps: &[String], flag: bool) -> Result<Vec<(read::Field, String)>, Flaw> {
    let maps = maps.iter().flat_map(|map| if flag { vec![map.as_str()] } else { map.split(',').collect() });
    maps.map(|map| {
        let (field, column) = map.split_once('=').filter(|(_, column)| !column.is_empty()).unzip();
        let (Some(field), Some(column)) = (field, column) else {
            return usage(&format!("--map {map}: give FIELD=COLUMN, such as UserID=uid"));
        };
        let field = field.parse().or_else(|e| usage(&format!("--map {map}: {e}")))?;
        Ok((field, column.to_owned()))
    })
    .collect()
}

/// The options that decide which rows there are and which of them are sent; what is as usual is left out.
pub(super) fn shape(import: &cli::Import, read: &read::Options) -> BTreeMap<String, String> {
    let map = read.map.iter().map(|(field, column)| format!("{}={column}", field.name())).collect::<Vec<_>>();
    let on_duplicate = match read.on_duplicate {
        read::OnDuplicate::Last => None,
        read::OnDuplicate::First => Some("first".to_owned()),
        read::OnDuplicate::Error => Some("error".to_owned()),
    };
    let options = [
        ("format", read.format.map(|format| format!("{format:?}").to_lowercase())),
        ("delimiter", read.delimiter.map(|byte| char::from(byte).to_string())),
        ("no-header", (!read.header).then(|| "true".to_owned())),
        ("map", (!map.is_empty()).then(|| map.join(","))),
        ("encoding", read.encoding.map(|encoding| encoding.name().to_owned())),
        ("trim", read.trim.then(|| "true".to_owned())),
        ("on-duplicate", on_duplicate),
        ("existing", (import.duplicates.existing == cli::Existing::Skip).then(|| "skip".to_owned())),
        ("shard", import.scale.shard.clone()),
    ];
    options.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

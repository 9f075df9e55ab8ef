//! Reads what memcheck reports, out of its XML.

use std::collections::HashMap;
use std::path::Path;

/// What memcheck has to tell of one place.
#[derive(Debug, PartialEq, Eq)]
pub struct Report {
    /// The innermost file that belongs neither to the standard library nor to `subtle` and its kind.
    pub place: String,
    /// The function there; empty where valgrind does not know it.
    pub function: String,
    pub line: u64,
    /// `UninitCondition` for a branch, `UninitValue` for an address.
    pub kind: String,
    pub times: u64,
}

/// All reports in a file of memcheck's.
pub fn read(xml: &str) -> Result<Vec<Report>, String> {
    if !xml.contains("<state>FINISHED</state>") || !xml.contains("</valgrindoutput>") {
        return Err("valgrind did not come to its end".into());
    }
    let (errors, counts) = xml.rsplit_once("<errorcounts>").ok_or("no counts")?;
    let counts: HashMap<&str, u64> = between(counts, "<pair>", "</pair>")
        .filter_map(|pair| Some((field(pair, "unique")?, field(pair, "count")?.parse().ok()?)))
        .collect();
    // Memory that is not given back is reported in this format whether it is asked for or not.
    let is_leak = |error: &&str| field(error, "kind").is_some_and(|kind| kind.starts_with("Leak_"));
    let errors = between(errors, "<error>", "</error>").filter(|error| !is_leak(error));
    errors.map(|error| report(error, &counts).ok_or_else(|| format!("not understood: {error}"))).collect()
}

fn report(error: &str, counts: &HashMap<&str, u64>) -> Option<Report> {
    let times = *counts.get(field(error, "unique")?)?;
    let kind = field(error, "kind")?.to_owned();
    let stack = between(error, "<stack>", "</stack>").next()?;
    let frames: Vec<(String, String, u64)> = between(stack, "<frame>", "</frame>").map(frame).collect();
    let (place, function, line) =
        frames.iter().find(|(place, ..)| is_telling(place)).or_else(|| frames.first())?.clone();
    Some(Report { place, function, line, kind, times })
}

fn frame(frame: &str) -> (String, String, u64) {
    let dir = field(frame, "dir").unwrap_or_default();
    let file = field(frame, "file").unwrap_or_default();
    let line = field(frame, "line").and_then(|line| line.parse().ok()).unwrap_or(0);
    (place(&format!("{dir}/{file}")), base(field(frame, "fn").unwrap_or_default()), line)
}

/// Not those that compare and choose for others, and say nothing of what it is that they compare.
fn is_telling(place: &str) -> bool {
    const GENERIC: [&str; 4] = ["subtle/", "ctutils/", "cmov/", "hybrid-array/"];
    !place.is_empty() && !GENERIC.iter().any(|generic| place.starts_with(generic))
}

/// `crate/path` of a source file; nothing for those of the standard library and of valgrind.
fn place(path: &str) -> String {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).and_then(Path::to_str);
    if let Some((_, rest)) = path.split_once("/registry/src/") {
        let (_, rest) = rest.split_once('/').unwrap_or_default();
        let (package, file) = rest.split_once('/').unwrap_or_default();
        // The version is what follows the last hyphen that a digit follows.
        let version = package
            .match_indices('-')
            .filter(|(at, _)| package.as_bytes().get(at + 1).is_some_and(u8::is_ascii_digit));
        let name = version.map(|(at, _)| &package[..at]).next().unwrap_or(package);
        return format!("{name}/{file}");
    }
    match repository.and_then(|repository| path.strip_prefix(repository)) {
        Some(file) => format!("symbolon{file}"),
        None => String::new(),
    }
}

/// The name of a function without where it is and what it is generic over: `to_vec` of `<T as Trait<U>>::to_vec::<V>`.
fn base(name: &str) -> String {
    let name = name.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    let mut depth = 0_u32;
    let mut flat = String::new();
    for character in name.replace("->", "").chars() {
        match character {
            '<' => depth += 1,
            '>' => depth = depth.saturating_sub(1),
            _ if depth == 0 => flat.push(character),
            _ => {}
        }
    }
    let known = |part: &&str| !part.is_empty() && !part.starts_with('{') && *part != "UnknownInlinedFun";
    flat.split("::").filter(known).last().unwrap_or_default().to_owned()
}

fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    between(text, &format!("<{name}>"), &format!("</{name}>")).next()
}

fn between<'a>(text: &'a str, open: &str, close: &str) -> impl Iterator<Item = &'a str> {
    let (open, close) = (open.to_owned(), close.to_owned());
    let mut rest = text;
    std::iter::from_fn(move || {
        let (_, behind) = rest.split_once(&open)?;
        let (inside, after) = behind.split_once(&close)?;
        rest = after;
        Some(inside)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn xml(frames: &str) -> String {
        format!(
            "<error><unique>0x0</unique><kind>UninitCondition</kind><stack>{frames}</stack></error>\
             <status><state>FINISHED</state></status>\
             <errorcounts><pair><count>3</count><unique>0x0</unique></pair></errorcounts></valgrindoutput>"
        )
    }

    #[test]
    fn the_place_is_the_innermost_that_is_not_generic() {
        let registry = "/home/x/.cargo/registry/src/index.crates.io-0";
        let frames = format!(
            "<frame><fn>from&lt;u8&gt;</fn><dir>{registry}/subtle-2.6.1</dir><file>src/lib.rs</file><line>1</line></frame>\
             <frame><fn>call</fn><dir>/rustc/0</dir><file>library/core/src/ops.rs</file><line>2</line></frame>\
             <frame><fn>a::B&lt;C&gt;::from_bytes</fn><dir>{registry}/elliptic-curve-0.14.3-rc.1</dir>\
             <file>src/secret_key.rs</file><line>3</line></frame>"
        );
        let expected = Report {
            place: "elliptic-curve/src/secret_key.rs".into(),
            function: "from_bytes".into(),
            line: 3,
            kind: "UninitCondition".into(),
            times: 3,
        };
        assert_eq!(read(&xml(&frames)), Ok(vec![expected]));
    }

    #[test]
    fn functions_are_called_as_in_their_source() {
        for (name, expected) in [
            ("&lt;a::B&lt;C&gt; as d::E&gt;::start", "start"),
            ("a::b::{{closure}}", "b"),
            ("sign_pss&lt;sha2::Sha256&gt;", "sign_pss"),
            ("apply&lt;fn(u8) -&gt; u8&gt;", "apply"),
            ("UnknownInlinedFun", ""),
        ] {
            assert_eq!(base(name), expected);
        }
    }

    #[test]
    fn our_own_files_are_named_from_the_repository_on() {
        let ours = format!("{}/src/report.rs", env!("CARGO_MANIFEST_DIR"));
        assert_eq!(place(&ours), "symbolon/tests/constant_time/src/report.rs");
        assert_eq!(place("/rustc/0/library/core/src/option.rs"), "");
    }

    #[test]
    fn a_run_that_was_cut_off_is_no_clean_one() {
        assert!(read("<valgrindoutput>").is_err());
        assert!(read(&xml("").replace("FINISHED", "RUNNING")).is_err());
    }
}

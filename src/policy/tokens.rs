//! A line of release notes as words.

/// A word of a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A path that begins with `/admin`.
    Route,
    /// What looks like the name of a field: one identifier in backticks, or one that no word of
    /// English is.
    Name,
    /// Any other word, in lower case. A method of HTTP is `METHOD`, a comma is one too.
    Word(String),
    /// The end of a part of the sentence.
    Stop,
}

const METHODS: &[&str] = &["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"];
/// Values of programming languages, not fields.
const VALUES: &[&str] = &["null", "undefined", "true", "false", "none", "nan", "any", "never"];

impl Token {
    /// The word; empty if it is none.
    pub(super) fn word(&self) -> &str {
        match self {
            Self::Word(word) => word,
            Self::Route | Self::Name | Self::Stop => "",
        }
    }
}

/// The words of `text`, Markdown's marks left out.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    for (index, part) in text.split('`').enumerate() {
        if index % 2 == 0 {
            part.split_whitespace().for_each(|word| push(word, &mut tokens));
        } else {
            code(part, &mut tokens);
        }
    }
    tokens
}

/// A span of code: a route, perhaps with its methods; a name; or something else.
fn code(span: &str, tokens: &mut Vec<Token>) {
    let methods = |word: &str| word.split('/').all(|it| METHODS.contains(&it));
    let words: Vec<&str> = span.split_whitespace().collect();
    let route = words.last().is_some_and(|last| is_route(last));
    let others = if route { &words[..words.len() - 1] } else { &words[..] };
    if !words.is_empty() && others.iter().all(|word| methods(word)) {
        tokens.push(Token::Word("METHOD".to_owned()));
        tokens.extend(route.then_some(Token::Route));
    } else if let [name] = words[..]
        && is_name(name)
    {
        tokens.push(Token::Name);
    } else {
        tokens.push(Token::Word("CODE".to_owned()));
    }
}

/// A word outside code, with the punctuation around it.
fn push(word: &str, tokens: &mut Vec<Token>) {
    if ["—", "–", "-", "→", "->", "=>", "&"].contains(&word) {
        tokens.push(match word {
            "→" | "->" | "=>" => Token::Word("→".to_owned()),
            "&" => Token::Word("and".to_owned()),
            _ => Token::Stop,
        });
        return;
    }
    let marks = |c: char| "*_\"'“”‘’[]".contains(c);
    let ends = |c: char| ".,;:!?)".contains(c);
    let opened = word.trim_start_matches(marks);
    if opened.starts_with('(') {
        tokens.push(Token::Stop);
    }
    let bare = opened.trim_start_matches(|c| c == '(' || marks(c));
    let bare = bare.trim_end_matches(|c| ends(c) || marks(c));
    let tail = &word[word.trim_end_matches(|c| ends(c) || marks(c)).len()..];
    if is_route(bare) {
        tokens.push(Token::Route);
    } else if bare.split('/').all(|it| METHODS.contains(&it)) {
        tokens.push(Token::Word("METHOD".to_owned()));
    } else if is_identifier(bare) && (bare.contains('_') || is_camel(bare)) {
        tokens.push(Token::Name);
    } else if !bare.is_empty() {
        let lower = bare.to_lowercase();
        match lower.split_once('-') {
            Some((what @ ("wire" | "packet" | "frame"), rest)) => {
                tokens.extend([what, rest].map(|it| Token::Word(it.to_owned())));
            }
            _ => tokens.push(Token::Word(lower)),
        }
    }
    if tail.contains(|c: char| c != ',' && ends(c)) {
        tokens.push(Token::Stop);
    } else if tail.contains(',') {
        tokens.push(Token::Word(",".to_owned()));
    }
}

fn is_route(word: &str) -> bool {
    word.strip_prefix("/admin").is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '*']))
}

fn is_identifier(word: &str) -> bool {
    let mut chars = word.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || "_-".contains(c))
}

/// `peerCount`, not `TigerBeetle`.
fn is_camel(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_lowercase())
        && word.contains(|c: char| c.is_ascii_uppercase())
}

/// What stands alone in backticks and can be a field: not `CLOSED`, not `null`.
fn is_name(word: &str) -> bool {
    is_identifier(word)
        && word.contains(|c: char| c.is_ascii_lowercase())
        && !VALUES.contains(&word.to_lowercase().as_str())
}

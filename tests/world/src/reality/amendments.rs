//! Where the published description is known to say less, or something else, than GitHub does.
//! Everything that is not held to the description as it stands is in this file, with its reason.

use serde_json::Value;

/// A change of the description.
pub(crate) struct Amendment {
    /// Where it is made: an object of the description.
    pointer: &'static str,
    /// What is set there, as JSON.
    key: &'static str,
    value: &'static str,
    /// Why the description is wrong.
    #[expect(dead_code, reason = "it is for whoever reads the table")]
    why: &'static str,
}

impl Amendment {
    /// Makes the change.
    ///
    /// # Panics
    /// If there is nothing at its place, or if the description says the same by now: then the
    /// amendment has to go.
    pub(crate) fn apply(&self, document: &mut Value) {
        let value: Value = serde_json::from_str(self.value).expect("the amendment is JSON");
        let place = document.pointer_mut(self.pointer);
        let place = place.and_then(Value::as_object_mut).expect("the amendment has a place");
        let before = place.insert(self.key.to_owned(), value.clone());
        assert_ne!(before, Some(value), "{} of {} needs no amendment", self.key, self.pointer);
    }
}

/// Amendments of single places.
pub(crate) const AMENDMENTS: &[Amendment] = &[
    Amendment {
        pointer: "/components/schemas/validation-error/properties",
        key: "status",
        value: r#"{"type": "string"}"#,
        why: "every refusal carries its status since 2024; the other errors are described with it",
    },
    Amendment {
        pointer: "/paths/~1repos~1{owner}~1{repo}~1pulls~1{pull_number}~1merge/put/responses/405/content/application~1json/schema/properties",
        key: "status",
        value: r#"{"type": "string"}"#,
        why: "the same",
    },
    Amendment {
        pointer: "/paths/~1repos~1{owner}~1{repo}~1git~1blobs/post/responses/422/content/application~1json/schema",
        key: "oneOf",
        value: r##"[{"$ref": "#/components/schemas/validation-error"}]"##,
        why: "the other alternative requires nothing, so that no refusal is exactly one of both",
    },
    Amendment {
        pointer: "/paths/~1repos~1{owner}~1{repo}~1contents~1{path}/get/responses/200/content",
        key: "application/vnd.github.raw+json",
        value: "{}",
        why: "that a file can be had as it is, the description says in prose only",
    },
];

/// Refusals that any operation may answer, whatever its own description lists: the status, and the
/// schema of its body.
pub(crate) const REFUSALS: &[(u16, &str, &str)] = &[
    (401, "basic-error", "a bad token is refused before the operation is looked at"),
    (403, "basic-error", "rate limits and missing permissions are described apart from operations"),
    (404, "basic-error", "what is not there, or not to be seen, is a 404 wherever it is asked for"),
    (422, "validation-error", "a body with a wrong field is described apart from the operations"),
];

/// Operations that GitHub has, and that the description at hand leaves out: method, template, and
/// why it does.
pub(crate) const UNDESCRIBED: &[(&str, &str, &str)] = &[
    (
        "GET",
        "/repos/{owner}/{repo}/security-advisories",
        "the description is trimmed to the operations that were needed before this one",
    ),
    ("GET", "/app/installations/{installation_id}", "the same"),
    ("GET", "/repos/{owner}/{repo}/pulls/comments", "the same"),
    ("GET", "/repos/{owner}/{repo}/pulls/comments/{comment_id}", "the same"),
    ("PATCH", "/repos/{owner}/{repo}/pulls/comments/{comment_id}", "the same"),
    ("GET", "/repos/{owner}/{repo}/pulls/{pull_number}/comments", "the same"),
    ("POST", "/repos/{owner}/{repo}/pulls/{pull_number}/comments/{comment_id}/replies", "the same"),
    ("POST", "/repos/{owner}/{repo}/pulls/comments/{comment_id}/reactions", "the same"),
    ("GET", "/repos/{owner}/{repo}/pulls/comments/{comment_id}/reactions", "the same"),
    (
        "DELETE",
        "/repos/{owner}/{repo}/pulls/comments/{comment_id}/reactions/{reaction_id}",
        "the same",
    ),
];

//! The JSON that GitHub answers for users, repositories, releases and labels: every field that
//! its published description calls required.

use crate::release::Release;
use crate::state::{Label, State, Urls};
use crate::wire::{encode, hex_sha256, iso};
use chrono::DateTime;
use serde_json::{Map, Value, json};

/// Where people look at things.
pub(crate) const WEB: &str = "https://github.com";

/// An opaque id, as GitHub gives everything.
pub(crate) fn node_id(kind: &str, id: u64) -> String {
    format!("{kind}_world{id:08}")
}

/// A number made from a name: the same name, the same number.
pub(crate) fn number_of(name: &str) -> u64 {
    u64::from_str_radix(&hex_sha256(name.as_bytes())[..7], 16).unwrap_or(1)
}

/// A `simple-user`: a person, a bot or an organisation.
pub(crate) fn user(urls: &Urls, login: &str) -> Value {
    let id = number_of(login);
    let api = format!("{}/users/{}", urls.github, encode(login));
    let (kind, web) = match login.strip_suffix("[bot]") {
        Some(app) => ("Bot", format!("{WEB}/apps/{app}")),
        None if login == "toon-protocol" => ("Organization", format!("{WEB}/{login}")),
        None => ("User", format!("{WEB}/{login}")),
    };
    json!({
        "login": login,
        "id": id,
        "node_id": node_id("U", id),
        "avatar_url": format!("https://avatars.githubusercontent.com/u/{id}?v=4"),
        "gravatar_id": "",
        "url": api,
        "html_url": web,
        "followers_url": format!("{api}/followers"),
        "following_url": format!("{api}/following{{/other_user}}"),
        "gists_url": format!("{api}/gists{{/gist_id}}"),
        "starred_url": format!("{api}/starred{{/owner}}{{/repo}}"),
        "subscriptions_url": format!("{api}/subscriptions"),
        "organizations_url": format!("{api}/orgs"),
        "repos_url": format!("{api}/repos"),
        "events_url": format!("{api}/events{{/privacy}}"),
        "received_events_url": format!("{api}/received_events"),
        "type": kind,
        "user_view_type": "public",
        "site_admin": false,
    })
}

/// An organisation, as webhooks tell of it.
pub(crate) fn organization(urls: &Urls, login: &str) -> Value {
    let id = number_of(login);
    let api = format!("{}/orgs/{login}", urls.github);
    json!({
        "login": login,
        "id": id,
        "node_id": node_id("O", id),
        "url": api,
        "repos_url": format!("{api}/repos"),
        "events_url": format!("{api}/events"),
        "hooks_url": format!("{api}/hooks"),
        "issues_url": format!("{api}/issues"),
        "members_url": format!("{api}/members{{/member}}"),
        "public_members_url": format!("{api}/public_members{{/member}}"),
        "avatar_url": format!("https://avatars.githubusercontent.com/u/{id}?v=4"),
        "description": "",
    })
}

/// The mail address that GitHub gives everybody.
pub(crate) fn address(login: &str) -> String {
    format!("{}+{login}@users.noreply.github.com", number_of(login))
}

/// The path parts behind a repository's URL, by the field that has them.
const REPOSITORY_URLS: &[(&str, &str)] = &[
    ("archive_url", "/{archive_format}{/ref}"),
    ("assignees_url", "/assignees{/user}"),
    ("blobs_url", "/git/blobs{/sha}"),
    ("branches_url", "/branches{/branch}"),
    ("collaborators_url", "/collaborators{/collaborator}"),
    ("comments_url", "/comments{/number}"),
    ("commits_url", "/commits{/sha}"),
    ("compare_url", "/compare/{base}...{head}"),
    ("contents_url", "/contents/{+path}"),
    ("contributors_url", "/contributors"),
    ("deployments_url", "/deployments"),
    ("downloads_url", "/downloads"),
    ("events_url", "/events"),
    ("forks_url", "/forks"),
    ("git_commits_url", "/git/commits{/sha}"),
    ("git_refs_url", "/git/refs{/sha}"),
    ("git_tags_url", "/git/tags{/sha}"),
    ("hooks_url", "/hooks"),
    ("issue_comment_url", "/issues/comments{/number}"),
    ("issue_events_url", "/issues/events{/number}"),
    ("issues_url", "/issues{/number}"),
    ("keys_url", "/keys{/key_id}"),
    ("labels_url", "/labels{/name}"),
    ("languages_url", "/languages"),
    ("merges_url", "/merges"),
    ("milestones_url", "/milestones{/number}"),
    ("notifications_url", "/notifications{?since,all,participating}"),
    ("pulls_url", "/pulls{/number}"),
    ("releases_url", "/releases{/id}"),
    ("stargazers_url", "/stargazers"),
    ("statuses_url", "/statuses/{sha}"),
    ("subscribers_url", "/subscribers"),
    ("subscription_url", "/subscription"),
    ("tags_url", "/tags"),
    ("teams_url", "/teams"),
    ("trees_url", "/git/trees{/sha}"),
];

/// A repository, as it stands inside other answers.
pub(crate) fn repository(state: &State, full_name: &str) -> Value {
    let urls = &state.urls;
    let (owner, name) = full_name.split_once('/').unwrap_or_default();
    let api = format!("{}/repos/{full_name}", urls.github);
    let repo = state.repos.get(full_name);
    let id = repo.map_or(0, |repo| repo.id);
    let created = iso(repo.map_or(DateTime::UNIX_EPOCH, |repo| repo.created_at));
    let open = repo.map_or(0, |repo| repo.issues.values().filter(|issue| issue.open).count());
    let mut shape = Map::new();
    for (field, path) in REPOSITORY_URLS {
        shape.insert((*field).to_owned(), json!(format!("{api}{path}")));
    }
    let about = json!({
        "id": id, "node_id": node_id("R", id), "name": name, "full_name": full_name,
        "owner": user(urls, owner), "private": false, "url": api,
        "html_url": format!("{WEB}/{full_name}"), "description": null, "fork": false,
        "clone_url": format!("{}/{full_name}.git", urls.git),
        "git_url": format!("git://github.com/{full_name}.git"),
        "ssh_url": format!("git@github.com:{full_name}.git"),
        "svn_url": format!("{WEB}/{full_name}"), "mirror_url": null, "homepage": null,
        "default_branch": "main", "language": "TypeScript", "license": null,
        "created_at": created, "updated_at": created, "pushed_at": created,
    });
    let settings = json!({
        "forks": 0, "forks_count": 0, "stargazers_count": 0, "watchers": 0, "watchers_count": 0,
        "open_issues": open, "open_issues_count": open, "size": 100, "archived": false,
        "disabled": false, "visibility": "public", "allow_forking": true, "is_template": false,
        "web_commit_signoff_required": false, "topics": [],
        "has_issues": repo.is_none_or(|repo| !repo.issues_disabled), "has_projects": false, "has_wiki": false, "has_pages": false,
        "has_discussions": false, "has_downloads": true,
    });
    for part in [about, settings] {
        if let Value::Object(part) = part {
            shape.extend(part);
        }
    }
    Value::Object(shape)
}

/// A release of upstream.
pub(crate) fn release(state: &State, release: &Release) -> Value {
    let urls = &state.urls;
    let name = &state.upstream;
    let (id, tag) = (release.id, encode(&release.tag));
    let api = format!("{}/repos/{name}/releases/{id}", urls.github);
    let created = iso(release.created_at);
    json!({
        "url": api,
        "assets_url": format!("{api}/assets"),
        "upload_url": format!("{api}/assets{{?name,label}}"),
        "html_url": format!("{WEB}/{name}/releases/tag/{tag}"),
        "id": id,
        "node_id": node_id("RE", id),
        "author": user(urls, "semantic-release-bot"),
        "tag_name": release.tag,
        "target_commitish": "main",
        "name": release.tag,
        "draft": release.draft,
        "immutable": false,
        "prerelease": release.prerelease,
        "created_at": created,
        "updated_at": created,
        "published_at": release.published_at.map(iso),
        "assets": [asset(urls, name, release)],
        "tarball_url": format!("{}/repos/{name}/tarball/{tag}", urls.github),
        "zipball_url": format!("{}/repos/{name}/zipball/{tag}", urls.github),
        "body": release.notes,
    })
}

/// The one asset: its download count is what changes a list's `ETag` for nothing.
fn asset(urls: &Urls, name: &str, release: &Release) -> Value {
    let (id, tag) = (release.id, encode(&release.tag));
    let at = iso(release.created_at);
    json!({
        "url": format!("{}/repos/{name}/releases/assets/{id}", urls.github),
        "browser_download_url": format!("{WEB}/{name}/releases/download/{tag}/checksums.txt"),
        "id": id,
        "node_id": node_id("RA", id),
        "name": "checksums.txt",
        "label": null,
        "state": "uploaded",
        "content_type": "text/plain",
        "size": 130,
        "digest": null,
        "download_count": release.downloads,
        "created_at": at,
        "updated_at": at,
        "uploader": user(urls, "semantic-release-bot"),
    })
}

/// The labels of an issue or pull request.
pub(crate) fn labels(state: &State, name: &str, wanted: &[String]) -> Value {
    let known = state.repos.get(name).map(|repo| &repo.labels);
    wanted
        .iter()
        .filter_map(|wanted| known?.get(&wanted.to_lowercase()))
        .map(|known| label(state, name, known))
        .collect()
}

/// One label.
pub(crate) fn label(state: &State, name: &str, label: &Label) -> Value {
    json!({
        "id": label.id,
        "node_id": node_id("LA", label.id),
        "url": format!("{}/repos/{name}/labels/{}", state.urls.github, encode(&label.name)),
        "name": label.name,
        "color": label.color,
        "default": false,
        // Lists of pull requests are described with a text here, never null.
        "description": label.description.clone().unwrap_or_default(),
    })
}

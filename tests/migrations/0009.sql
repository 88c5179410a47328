-- Rows as a program with migration 9 wrote them: each table, each column.
INSERT INTO observation (id, watch, aspect, subject, fact, seen_at) VALUES
  (1, 'townhouse', 'release', 'v3.10.0', '{"fact":"release","tag":"v3.10.0","draft":false,"prerelease":false,"published_at":1781251200000,"url":"https://example.test/v3.10.0","notes":"### Features\n\n* faster"}', 1781251260000),
  (2, 'townhouse', 'image', '3.10.0', '{"fact":"image","version":"3.10.0","digest":"sha256:1111111111111111111111111111111111111111111111111111111111111111","platforms":[]}', 1781251261000),
  (3, 'townhouse', 'image', '3.10.0', '{"fact":"image","version":"3.10.0","digest":"sha256:2222222222222222222222222222222222222222222222222222222222222222","platforms":[]}', 1781251262000);
INSERT INTO finding (id, watch, version, check_name, subject, inputs, verdict, summary, detail, found_at) VALUES
  (1, 'townhouse', '3.10.0', 'platforms', 'sha256:2222222222222222222222222222222222222222222222222222222222222222', 'linux/amd64,linux/arm64', 'passed', 'linux/amd64, linux/arm64', '{}', 1781251263000),
  (2, 'townhouse', '3.10.0', 'canary', 'sha256:2222222222222222222222222222222222222222222222222222222222222222', 'base', 'inconclusive', 'the registry was away', '{"may_change":true}', 1781251269000);
INSERT INTO canary_run (id, watch, version, subject, inputs, base, tree, remembered_by, checked, dispatched, started_at, alive_until, ended_at, verdict, summary, output, report) VALUES
  (1, 'townhouse', '3.10.0', 'sha256:2222222222222222222222222222222222222222222222222222222222222222', 'base', '3333333333333333333333333333333333333333', '4444444444444444444444444444444444444444', 'steps in harness', NULL, NULL, 1781251264000, 1781251284000, 1781251269000, 'inconclusive', 'the registry was away', 'no answer', '{"executor":"on the bot''s host","setup":[],"attempts":[]}'),
  (2, 'townhouse', '3.10.0', 'sha256:2222222222222222222222222222222222222222222222222222222222222222', 'base', '3333333333333333333333333333333333333333', '4444444444444444444444444444444444444444', '', '6666666666666666666666666666666666666666', '0123456789ab-1', 1781251330000, 1781251350000, NULL, NULL, NULL, NULL, '{}');
INSERT INTO request (id, watch, version, wish, actor, asked_at, granted, answer, ended_at, head, said_at) VALUES
  (1, 'townhouse', '3.9.9', 'bump', 'maya', 1781251265000, 0, '3.9.9 is not known', 1781251266000, NULL, NULL),
  (2, 'townhouse', '3.10.0', 'recreate', 'maya', 1781251267000, NULL, NULL, NULL, '5555555555555555555555555555555555555555', 1781251266500);
INSERT INTO effect (effect_key, watch, effect, state, intended_at, done_at, remote_id) VALUES
  ('townhouse push digest-bump/connector 5555555555555555555555555555555555555555', 'townhouse', '{"effect":"push_branch","branch":"digest-bump/connector","commit":"5555555555555555555555555555555555555555"}', 'done', 1781251270000, 1781251271000, '5555555555555555555555555555555555555555'),
  ('townhouse label #1 dependencies', 'townhouse', '{"effect":"label_pull","number":1,"labels":["dependencies"]}', 'intended', 1781251272000, NULL, NULL);
INSERT INTO http_cache (url, etag, last_modified, next_url, body, cached_at) VALUES
  ('https://example.test/releases', 'W/"1"', 'Fri, 12 Jun 2026 08:00:00 GMT', 'https://example.test/releases?page=2', 'whole', 1781251260000);
INSERT INTO lease (name, owner, token, held_until, released_at) VALUES
  ('pass townhouse', '77-1781251200000', 41, 0, 1781251273000);
INSERT INTO content (digest, media_type, bytes, seen_at) VALUES
  ('sha256:5d5766cf2d78701614200418ee1450690d9af12c84d52545e4802f001ad53099', 'application/json', 'whole', 1781251260000);
INSERT INTO canary_log (run, log, ended_at) VALUES (1, 'all that it printed', 1781251269000);
INSERT INTO delivery (id, event, received_at) VALUES ('d-1', 'issue_comment', 1780000000000);
INSERT INTO heard (id, repository, source, number, author, bot, body, head, said_at, heard_at,
  watch, rulings, stranger, ended_at) VALUES
  (1, 'toon-protocol/town', 'comment 7', 3, 'ada', 0, '/bump hold',
   '1111111111111111111111111111111111111111', 1780000000000, 1780000000000, 'townhouse',
   '[{"line":"/bump hold","ruled":"ordered","request":9,"answer":"held"}]', 0, NULL),
  (2, 'toon-protocol/town', 'comment 8', 3, 'ada', 0, '/bump help', NULL, 1780000000000,
   1780000000000, 'townhouse', '[]', 1, 1780000000001);
INSERT INTO request (id, watch, version, wish, subject, reason, actor, asked_at, granted, answer,
  ended_at) VALUES
  (9, 'townhouse', '', 'hold', NULL, 'a fair', 'ada', 1780000000000, 1, 'held', 1780000000000),
  (10, 'townhouse', '', 'ignore', '3.9.9', NULL, 'ada', 1780000000000, 1, 'ignored', 1780000000000);

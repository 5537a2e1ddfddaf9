"""Lets clients that other people wrote use the sandbox, and checks that they find what Webex and GitHub would show.

Each check is one call of a client with one assertion. Prints how many there were; exit code 1 when one failed.
    pip install -r test/clients/requirements.txt; python test/clients/check.py
"""

import base64
import hashlib
import json
import os
import subprocess
import sys
import warnings
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

# The sandbox is on this machine, and the OAuth client wants to be told that this is allowed.
os.environ.update({"NO_PROXY": "127.0.0.1,localhost", "OAUTHLIB_INSECURE_TRANSPORT": "1"})

import github  # noqa: E402
import requests  # noqa: E402
import webexpythonsdk  # noqa: E402
import wxc_sdk  # noqa: E402
from nacl import encoding, public  # noqa: E402
from requests.auth import HTTPBasicAuth  # noqa: E402
from requests_oauthlib import OAuth2Session  # noqa: E402
from wxc_sdk.integration import Integration  # noqa: E402
from wxc_sdk.memberships import Membership  # noqa: E402
from wxc_sdk.rest import RestSession  # noqa: E402
from wxc_sdk.tokens import Tokens  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]


class Sandbox:
    """The process of the sandbox, and what it says of itself."""

    def __init__(self):
        command = ["node", "--import", "tsx", "test/clients/start-sandbox.ts"]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True)
        facts = json.loads(self.process.stdout.readline())
        self.url, self.env, self.pull = facts["url"], facts["env"], facts["pull"]
        self.people, self.rooms, self.groups = facts["people"], facts["rooms"], facts["groups"]

    def ask(self, **order):
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Checks:
    """Counts what was checked, and tells what failed with the line of the check."""

    def __init__(self):
        self.counts, self.failures, self.client = {}, 0, ""

    def begin(self, client):
        self.client = client
        self.counts[client] = 0

    def same(self, actual, expected):
        self.counts[self.client] += 1
        if actual != expected:
            self.failures += 1
            line = sys._getframe(1).f_lineno
            print(f"check.py:{line}: {self.client} found {actual!r}, not {expected!r}")

    def refused(self, work, *expected):
        """Checks the status of what a call is refused with, and of some clients the message."""
        self.counts[self.client] += 1
        found = ("no error",)
        try:
            work()
        except Exception as error:  # Each client has errors of its own.
            found = describe(error)[: len(expected)]
        if found != expected:
            self.failures += 1
            print(f"check.py:{sys._getframe(1).f_lineno}: {self.client} was refused {found!r}, not {expected!r}")


def describe(error):
    if isinstance(error, github.GithubException):
        return error.status, (error.data or {}).get("message")
    if isinstance(error, webexpythonsdk.ApiError):
        return error.status_code, error.message
    if isinstance(error, requests.HTTPError):
        detail = getattr(error, "detail", None)
        return error.response.status_code, getattr(detail, "message", None)
    return (getattr(error, "error", repr(error)),)


def keys(emails):
    return sorted(email.split("@")[0] for email in emails)


def login(sandbox, checks):
    """The grants, by requests-oauthlib: code with PKCE, refresh with the client in the body and in the header."""
    checks.begin("requests-oauthlib")
    same, refused = checks.same, checks.refused
    env = sandbox.env
    base, client, secret = env["WEBEX_API_URL"], env["WEBEX_CLIENT_ID"], env["WEBEX_CLIENT_SECRET"]
    scope = "spark:rooms_read spark:people_read"
    redirect = "http://127.0.0.1:8080/callback"

    def consent(session, decision, **more):
        address, state = session.authorization_url(f"{base}/authorize", **more)
        fields = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        page = requests.get(address, allow_redirects=False)
        answer = requests.post(f"{base}/authorize", data={**fields, "decision": decision}, allow_redirects=False)
        return page, answer, state

    session = OAuth2Session(client, redirect_uri=redirect, scope=scope, pkce="S256")
    page, answer, state = consent(session, "allow")
    same((page.status_code, "Olga Owner" in page.text), (200, True))
    same(answer.status_code, 302)
    back = answer.headers["location"]
    same(parse_qs(urlsplit(back).query)["state"], [state])
    token = session.fetch_token(
        f"{base}/access_token", authorization_response=back, client_secret=secret, include_client_id=True
    )
    same(sorted(token["scope"]), sorted(scope.split()))
    same((token["token_type"], token["expires_in"]), ("Bearer", 1209599))
    same(session.get(f"{base}/people/me").json()["displayName"], "Olga Owner")
    same(session.get(f"{base}/rooms").status_code, 200)
    same(session.get(f"{base}/memberships").status_code, 403)
    refused(
        lambda: session.fetch_token(
            f"{base}/access_token", authorization_response=back, client_secret=secret, include_client_id=True
        ),
        "invalid_grant",
    )

    first = token["refresh_token"]
    body = {"client_id": client, "client_secret": secret}
    second = session.refresh_token(f"{base}/access_token", refresh_token=first, **body)["refresh_token"]
    same(first != second, True)
    refused(lambda: session.refresh_token(f"{base}/access_token", refresh_token=first, **body), "invalid_grant")
    basic = HTTPBasicAuth(client, secret)
    third = session.refresh_token(f"{base}/access_token", refresh_token=second, auth=basic)["refresh_token"]
    same(third not in (first, second), True)
    wrong = HTTPBasicAuth(client, "wrong")
    refused(lambda: session.refresh_token(f"{base}/access_token", refresh_token=third, auth=wrong), "invalid_client")
    body["client_secret"] = "wrong"
    refused(lambda: session.refresh_token(f"{base}/access_token", refresh_token=third, **body), "invalid_client")

    session = OAuth2Session(client, redirect_uri=redirect, scope=scope)
    _, answer, state = consent(session, "deny")
    refused(
        lambda: session.fetch_token(
            f"{base}/access_token", authorization_response=answer.headers["location"], client_secret=secret
        ),
        "access_denied",
    )
    _, answer, _ = consent(session, "allow", code_challenge="x" * 43, code_challenge_method="S256")
    refused(
        lambda: session.fetch_token(
            f"{base}/access_token",
            authorization_response=answer.headers["location"],
            client_secret=secret,
            include_client_id=True,
            code_verifier="another" * 8,
        ),
        "invalid_grant",
    )
    other = OAuth2Session(client, redirect_uri=redirect, scope="spark:everything")
    same(parse_qs(urlsplit(consent(other, "allow")[1].headers["location"]).query)["error"], ["invalid_scope"])
    stranger = OAuth2Session(client, redirect_uri="https://evil.example/callback", scope=scope)
    same(consent(stranger, "allow")[0].status_code, 400)
    return third


def full_token(sandbox):
    """A token with all scopes: the login above has begun a line of tokens with two."""
    env = sandbox.env
    scope = (
        "spark:rooms_read spark:memberships_read spark:memberships_write spark:teams_read "
        "spark:team_memberships_read spark:team_memberships_write spark:people_read identity:groups_read "
        "meeting:admin_preferences_read meeting:admin_preferences_write spark-admin:people_read spark:all"
    )
    integration = Integration(
        client_id=env["WEBEX_CLIENT_ID"],
        client_secret=env["WEBEX_CLIENT_SECRET"],
        scopes=scope,
        redirect_url="http://localhost:6001/callback",
        auth_service=f"{env['WEBEX_API_URL']}/authorize",
        token_service=f"{env['WEBEX_API_URL']}/access_token",
    )
    address = integration.auth_url("state")
    fields = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    url = f"{env['WEBEX_API_URL']}/authorize"
    answer = requests.post(url, data={**fields, "decision": "allow"}, allow_redirects=False)
    code = parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]
    return integration, integration.tokens_from_code(code)


def webex_by_python_sdk(sandbox, checks, access_token):
    checks.begin("webexpythonsdk")
    same, refused = checks.same, checks.refused
    api = webexpythonsdk.WebexAPI(access_token=access_token, base_url=f"{sandbox.env['WEBEX_API_URL']}/")
    rooms, people = sandbox.rooms, sandbox.people

    me = api.people.me()
    same((me.displayName, me.emails, me.type), ("Olga Owner", ["owner@acme.example"], "person"))
    for key in ("p01", "p12", "helper", "guest"):
        same(api.people.get(people[key]).id, people[key])
    same(api.people.get(people["helper"]).type, "bot")
    same([person.id for person in api.people.list(email="P03@acme.example")], [people["p03"]])
    same([person.id for person in api.people.list(email="gus@partner.example")], [])
    same(len(list(api.people.list(displayName="p0"))), 9)
    same(len(list(api.people.list(displayName="p1", max=1))), 3)
    same(len(list(api.people.list(id=",".join(people[key] for key in ("p01", "p02", "owner"))))), 3)
    refused(lambda: api.people.get("nobody"), 404, "Could not find a person with provided ID.")

    listed = list(api.rooms.list())
    same(sorted(room.title for room in listed), ["Elsewhere", "Moderated", "NOC", "Own", "Team"])
    same([room.id for room in api.rooms.list(sortBy="id")], sorted(room.id for room in listed))
    same(len(list(api.rooms.list(type="group", max=1))), 5)
    same(list(api.rooms.list(type="direct")), [])
    for title in ("NOC", "Elsewhere", "Team"):
        same(api.rooms.get(rooms[title]).title, title)
    same(api.rooms.get(rooms["Moderated"]).isLocked, True)
    refused(lambda: api.rooms.get(rooms["Unseen"]), 404, "Could not find a room with provided ID.")
    refused(lambda: api.rooms.create("New"), 405)
    refused(lambda: api.rooms.delete(rooms["NOC"]), 405)

    def members(title):
        return keys(one.personEmail for one in api.memberships.list(roomId=rooms[title]))

    nine = [f"p0{number}" for number in range(1, 10)]
    same(members("NOC"), ["owner", *nine])
    same(members("Elsewhere"), ["owner", "p03"])
    same(len(list(api.memberships.list(roomId=rooms["NOC"], max=1))), 10)
    same(len(list(api.memberships.list())), 5)
    found = list(api.memberships.list(roomId=rooms["NOC"], personId=people["p02"]))
    same([(one.personDisplayName, one.isModerator) for one in found], [("p02 Person", False)])
    same(len(list(api.memberships.list(roomId=rooms["NOC"], personEmail="p02@acme.example"))), 1)
    same(list(api.memberships.list(roomId=rooms["NOC"], personId=people["p12"])), [])
    refused(lambda: list(api.memberships.list(roomId=rooms["Unseen"])), 404)

    added = api.memberships.create(roomId=rooms["NOC"], personId=people["p10"])
    same((added.roomId, added.personId, added.roomType), (rooms["NOC"], people["p10"], "group"))
    same(api.memberships.get(added.id).personEmail, "p10@acme.example")
    again = lambda: api.memberships.create(roomId=rooms["NOC"], personId=people["p10"])  # noqa: E731
    refused(again, 409, "Person is already in the room.")
    same(api.memberships.update(added.id, isModerator=True).isModerator, True)
    same(api.memberships.update(added.id, isModerator=False).isModerator, False)
    same(api.memberships.delete(added.id), None)
    same(sandbox.ask(members="NOC"), ["owner", *nine])
    refused(lambda: api.memberships.delete(added.id), 404, "User is not a participant of the room.")
    refused(lambda: api.memberships.delete("nonsense"), 400, "Failed to leave room.")
    by_email = api.memberships.create(roomId=rooms["NOC"], personEmail="p11@acme.example", isModerator=True)
    same((by_email.personId, by_email.isModerator), (people["p11"], True))
    same(api.memberships.delete(by_email.id), None)
    refused(lambda: api.memberships.create(roomId=rooms["NOC"], personId="x"), 400, "Expect base64 ID or UUID.")
    refused(lambda: api.memberships.create(roomId=rooms["Unseen"], personId=people["p10"]), 502)
    refused(lambda: api.memberships.create(roomId=rooms["Moderated"], personId=people["p10"]), 403)
    only = next(api.memberships.list(roomId=rooms["Own"], personId=people["owner"]).__iter__())
    same(only.isModerator, True)
    refused(lambda: api.memberships.delete(only.id), 403)

    teams = list(api.teams.list())
    same([team.name for team in teams], ["Crew"])
    crew = teams[0].id
    same(api.teams.get(crew).name, "Crew")
    same(keys(one.personEmail for one in api.team_memberships.list(crew)), ["owner", "p05"])
    joined = api.team_memberships.create(crew, personId=people["p06"])
    same(members("Team"), ["owner", "p05", "p06"])
    refused(lambda: api.team_memberships.create(crew, personId=people["p06"]), 409)
    same(api.team_memberships.delete(joined.id), None)
    same(members("Team"), ["owner", "p05"])
    refused(lambda: api.teams.create("Other"), 405)

    sandbox.ask(fault={"route": "GET /people/me", "status": 429, "headers": {"retry-after": "1"}})
    warnings.simplefilter("ignore", webexpythonsdk.RateLimitWarning)
    same(api.people.me().displayName, "Olga Owner")
    sandbox.ask(fault={"route": "GET /people/me", "status": 401})
    refused(lambda: api.people.me(), 401)
    refused(lambda: webexpythonsdk.WebexAPI(access_token="wrong", base_url=f"{sandbox.url}/v1/").people.me(), 401)


def webex_by_wxc_sdk(sandbox, checks, integration, tokens):
    checks.begin("wxc-sdk")
    same, refused = checks.same, checks.refused
    RestSession.BASE = sandbox.env["WEBEX_API_URL"]
    old = tokens.model_copy()
    integration.refresh(tokens)
    same((tokens.access_token == old.access_token, tokens.refresh_token == old.refresh_token), (False, False))
    refused(lambda: integration.refresh(old), 400)
    refused(lambda: integration.refresh(Tokens(refresh_token="wrong")), 400)
    api = wxc_sdk.WebexSimpleApi(tokens=tokens)
    rooms, people, groups = sandbox.rooms, sandbox.people, sandbox.groups

    same(api.people.me().display_name, "Olga Owner")
    same(api.people.me().login_enabled, True)
    same(api.people.details(people["p01"]).emails, ["p01@acme.example"])
    same(api.people.details(people["p01"]).site_urls, ["acme.webex.com"])
    same(api.people.details(people["guest"]).org_id != api.people.me().org_id, True)
    same(len(list(api.people.list())), 14)
    same([person.display_name for person in api.people.list(email="p07@acme.example")], ["p07 Person"])
    same(len(list(api.people.list(id_list=[people[key] for key in ("p01", "p02")]))), 2)
    refused(lambda: api.people.details("nobody"), 404, "Could not find a person with provided ID.")
    refused(lambda: api.people.delete_person(people["p01"]), 405)

    same([group.display_name for group in api.groups.list()], ["Everyone", "Pair", "Empty"])
    same([group.display_name for group in api.groups.list(list_filter='displayName eq "Pair"')], ["Pair"])
    same([group.display_name for group in api.groups.list(list_filter='displayName sw "E"')], ["Everyone", "Empty"])
    refused(lambda: list(api.groups.list(list_filter='id eq "x"')), 400)
    same(api.groups.details(groups["Pair"]).member_size, 2)
    same(api.groups.details(groups["Pair"]).members, None)
    same(len(api.groups.details(groups["Pair"], include_members=True).members), 2)
    same([len(group.members) for group in api.groups.list(include_members=True)], [12, 2, 0])
    everyone = list(api.groups.members(groups["Everyone"]))
    same([member.member_id for member in everyone], [people[f"p{number:02}"] for number in range(1, 13)])
    same({member.member_type for member in everyone}, {"user"})
    same([member.display_name for member in api.groups.members(groups["Pair"])], ["p01 Person", "p02 Person"])
    same(list(api.groups.members(groups["Empty"])), [])
    same(len(list(api.groups.members(groups["Everyone"], count=3))), 12)
    refused(lambda: api.groups.details("nonsense"), 404)
    refused(lambda: api.groups.delete_group(groups["Pair"]), 405)

    same(len(list(api.rooms.list())), 5)
    same(len(list(api.rooms.list(max=1))), 5)
    same(api.rooms.details(rooms["Moderated"]).is_locked, True)
    same(api.rooms.details(rooms["Elsewhere"]).id, rooms["Elsewhere"])
    refused(lambda: api.rooms.details(rooms["Unseen"]), 404, "Could not find a room with provided ID.")

    same(len(list(api.membership.list(room_id=rooms["NOC"]))), 10)
    same(len(list(api.membership.list(room_id=rooms["NOC"], max=3))), 10)
    same([one.person_id for one in api.membership.list(rooms["NOC"], person_id=people["p04"])], [people["p04"]])
    added = api.membership.create(room_id=rooms["NOC"], person_id=people["p12"])
    same((added.person_email, added.is_moderator), ("p12@acme.example", False))
    same(api.membership.details(added.id).person_display_name, "p12 Person")
    moderator = Membership(id=added.id, is_moderator=True, is_room_hidden=False)
    same(api.membership.update(moderator).is_moderator, True)
    same(api.membership.delete(added.id), None)
    same("p12" in sandbox.ask(members="NOC"), False)
    refused(lambda: api.membership.delete(added.id), 404, "User is not a participant of the room.")
    refused(lambda: api.membership.create(room_id="x", person_id=people["p12"]), 404)
    refused(lambda: api.membership.create(room_id=rooms["NOC"]), 400)

    (crew,) = api.teams.list()
    same(crew.name, "Crew")
    same(api.teams.details(crew.id).id, crew.id)
    same(len(list(api.team_memberships.list(crew.id))), 2)
    joined = api.team_memberships.create(crew.id, person_id=people["p07"])
    same(joined.person_email, "p07@acme.example")
    same(api.team_memberships.delete(joined.id), None)
    refused(lambda: api.team_memberships.delete(joined.id), 404)

    preferences = api.meetings.preferences
    options = lambda email: preferences.scheduling_options(user_email=email, site_url="acme.webex.com")  # noqa: E731
    same(options("p01@acme.example").join_before_host_minutes, 10)
    change = f"{sandbox.env['WEBEX_API_URL']}/meetingPreferences/schedulingOptions/delegateEmails"
    place = {"userEmail": "p01@acme.example", "siteUrl": "acme.webex.com"}
    # The client's own model leaves the delegates out.
    delegates = lambda: api.session.rest_get(preferences.ep("schedulingOptions"), params=place)  # noqa: E731
    same("delegateEmails" in delegates(), False)
    delegate = {"emails": ["p02@acme.example"]}
    same(api.session.rest_post(f"{change}/insert", params=place, json=delegate), delegate)
    same(delegates()["delegateEmails"], ["p02@acme.example"])
    same(sandbox.ask(delegates="p01"), ["p02@acme.example"])
    same(api.session.rest_post(f"{change}/delete", params=place, json=delegate), "")
    same(sandbox.ask(delegates="p01"), [])
    refused(lambda: options("nobody@acme.example"), 404)
    refused(lambda: api.session.rest_post(f"{change}/insert", params=place, json={"emails": []}), 400)

    narrow = wxc_sdk.WebexSimpleApi(tokens="wrong")
    refused(lambda: narrow.people.me(), 401)


def github_by_pygithub(sandbox, checks):
    checks.begin("PyGithub")
    same, refused = checks.same, checks.refused
    env = sandbox.env

    def open_as(token):
        auth = github.Auth.Token(token)
        # Without repetitions and pauses: what is refused is to be seen.
        client = github.Github(auth=auth, base_url=env["GITHUB_API_URL"], retry=None, seconds_between_writes=0)
        return client.get_repo(env["GITHUB_REPOSITORY"])

    repo, personal = open_as(env["GITHUB_TOKEN"]), open_as(env["SECRETS_TOKEN"])
    same((repo.full_name, repo.default_branch, repo.private), ("acme/spaces", "main", True))
    refused(lambda: open_as("wrong"), 401, "Bad credentials")
    head = env["GITHUB_SHA"]
    same(repo.get_branch("main").commit.sha, head)
    same(repo.get_branch("main").protected, False)
    same(repo.get_branch("reports/all").commit.sha, head)
    refused(lambda: repo.get_branch("none"), 404, "Branch not found")
    same(repo.get_git_ref("heads/main").object.sha, head)
    same(repo.get_git_ref("heads/reports/all").ref, "refs/heads/reports/all")
    refused(lambda: repo.get_git_ref("heads/none"), 404)

    same(repo.get_contents("mappings/rooms.csv").decoded_content, b"group,room\n")
    same(repo.get_contents("reports/runs/1.md", ref="reports/all").decoded_content, "é\n".encode())
    same(repo.get_contents("README.md", ref=head).size, 10)
    blob = hashlib.sha1("blob 3\0é\n".encode()).hexdigest()
    same(repo.get_contents("reports/runs/1.md").sha, blob)
    same([one.path for one in repo.get_contents("")], ["README.md", "mappings", "reports"])
    same([(one.path, one.type) for one in repo.get_contents("reports")], [("reports/runs", "dir")])
    refused(lambda: repo.get_contents("none.csv"), 404)
    refused(lambda: repo.get_contents("README.md", ref="none"), 404)
    same(repo.create_git_blob("é\n", "utf-8").sha, blob)
    same(repo.create_git_blob(base64.b64encode("é\n".encode()).decode(), "base64").sha, blob)
    refused(lambda: repo.create_git_blob("w6k_", "base64"), 422)

    tree = repo.get_git_tree("main")
    same([(one.path, one.type) for one in tree.tree], [("README.md", "blob"), ("mappings", "tree"), ("reports", "tree")])
    whole = repo.get_git_tree(head, recursive=True)
    same({one.path: one.sha for one in whole.tree}["reports/runs/1.md"], blob)
    same(repo.get_git_tree(tree.sha).sha, tree.sha)
    same([one.path for one in repo.get_git_tree(tree.tree[2].sha).tree], ["runs"])
    refused(lambda: repo.get_git_tree("0" * 40), 404)

    mutation = "mutation($input:CreateCommitOnBranchInput!){createCommitOnBranch(input:$input){commit{oid url}}}"
    address = env["GITHUB_GRAPHQL_URL"]

    def commit(**changes):
        branch = {"repositoryNameWithOwner": "Acme/Spaces", "branchName": "main"}
        contents = base64.b64encode(b"two\n").decode()
        addition = {"path": "reports/runs/2.md", "contents": contents}
        message = {"headline": "Report"}
        variables = {"branch": branch, "message": message, "fileChanges": {"additions": [addition]}, **changes}
        body = {"query": mutation, "variables": {"input": variables}}
        return repo.requester.requestJson("POST", address, input=body)

    def outcome(answer):
        status, _, text = answer
        body = json.loads(text)
        errors = [(error.get("type"), error["message"]) for error in body.get("errors", [])]
        return status, errors, body.get("data")

    status, errors, data = outcome(commit(expectedHeadOid=head))
    made = data["createCommitOnBranch"]["commit"]["oid"]
    same((status, errors, made != head), (200, [], True))
    same(repo.get_branch("main").commit.sha, made)
    same(repo.get_contents("reports/runs/2.md").decoded_content, b"two\n")
    stale = f'Expected branch to point to "{head}" but it did not.  Pull and try again.'
    same(outcome(commit(expectedHeadOid=head))[:2], (200, [("STALE_DATA", stale)]))
    missing = outcome(commit())[1][0][1]
    same(missing.endswith("expectedHeadOid (Expected value to not be null)"), True)
    bad = {"additions": [{"path": "a", "contents": "w6k_"}]}
    same("fileChanges.additions.0.contents" in outcome(commit(expectedHeadOid=made, fileChanges=bad))[1][0][1], True)
    same(len(list(repo.get_commits())), 2)
    (latest,) = repo.get_commits(path="reports/runs/2.md")
    same((latest.sha, latest.author.login, latest.committer.login), (made, "github-actions[bot]", "web-flow"))
    same((latest.commit.verification.verified, latest.commit.verification.reason), (True, "valid"))
    same(latest.parents[0].sha, head)
    same(repo.get_commits(path="README.md")[0].commit.verification.reason, "unsigned")
    same(len(list(repo.get_commits(sha="reports/all"))), 1)
    same(repo.get_commit(made).commit.message, "Report")
    same(repo.get_commit("main").sha, made)
    refused(lambda: list(repo.get_commits(sha="none")), 404)

    issue = repo.create_issue("Held removals", body="Three people")
    same((issue.state, issue.user.login), ("open", "github-actions[bot]"))
    same(repo.get_issue(issue.number).body, "Three people")
    same([one.number for one in repo.get_issues(creator="github-actions[bot]")], [issue.number])
    same(list(repo.get_issues(creator="nobody")), [])
    for number in range(3):
        same(issue.create_comment(f"Comment {number}").body, f"Comment {number}")
    same([one.body for one in issue.get_comments()], ["Comment 0", "Comment 1", "Comment 2"])
    first = issue.get_comments()[0]
    same(first.edit("Edited"), None)
    same(issue.get_comments()[0].body, "Edited")
    same(first.delete(), None)
    same(len(list(issue.get_comments())), 2)
    refused(lambda: issue.create_comment("x" * 65_537), 422)
    same(issue.edit(state="closed", state_reason="completed"), None)
    same((repo.get_issue(issue.number).state, len(list(repo.get_issues(state="closed")))), ("closed", 1))
    refused(lambda: repo.get_issue(99), 404)
    for number in range(31):
        repo.create_issue(f"Issue {number}")
    same(len(list(repo.get_issues(creator="github-actions[bot]"))), 31)
    pull = repo.get_pull(sandbox.pull)
    same((pull.title, pull.head.repo.full_name, pull.base.ref), ("Change", "acme/spaces", "main"))
    same(repo.get_contents("mappings/rooms.csv", ref=pull.head.sha).decoded_content, b"changed")
    same(repo.get_issue(sandbox.pull).pull_request is None, False)

    (workflow,) = repo.get_workflows()
    same((workflow.path, workflow.state), (".github/workflows/sync.yml", "active"))
    same(repo.get_workflow("sync.yml").id, workflow.id)
    same(workflow.create_dispatch("main"), True)
    same(workflow.create_dispatch("main", return_run_details=True).id > 1001, True)
    refused(lambda: workflow.create_dispatch("x", throw=True), 422, "No ref found for: x")
    same(workflow.enable(), True)
    refused(lambda: repo.get_workflow("other.yml"), 404)
    same(repo.get_workflow_run(int(env["GITHUB_RUN_ID"])).head_sha, head)
    refused(lambda: repo.get_workflow_run(1), 404)

    refused(lambda: repo.get_public_key(), 403, "Resource not accessible by integration")
    refused(lambda: repo.create_secret("PROBE", "value"), 403)
    same(personal.create_secret("PROBE", "välue").name, "PROBE")
    same(sandbox.ask(secret="PROBE"), "välue")
    before = personal.get_secret("PROBE").updated_at
    same(personal.create_secret("probe", "two").name, "probe")
    same((sandbox.ask(secret="PROBE"), personal.get_secret("PROBE").updated_at > before), ("two", True))
    same(sorted(one.name for one in personal.get_secrets()), ["PROBE", "WEBEX_REFRESH_TOKEN"])
    refused(lambda: personal.create_secret("1PROBE", "x"), 422)
    refused(lambda: personal.create_secret("GITHUB_PROBE", "x"), 422)
    same(personal.create_secret("BIG", "x" * 48 * 1024).name, "BIG")
    refused(lambda: personal.create_secret("BIG", "x" * (48 * 1024 + 1)), 422)
    same(personal.delete_secret("PROBE"), True)
    refused(lambda: personal.get_secret("PROBE"), 404)
    environment = repo.get_environment("webex")
    same(environment.name, "webex")
    same(environment.deployment_branch_policy.custom_branch_policies, True)
    refused(lambda: repo.get_environment("none"), 404)
    own = personal.get_environment("webex")
    same(own.create_secret("PROBE", "inside").name, "PROBE")
    same((sandbox.ask(secret="PROBE", environment="webex"), sandbox.ask(secret="PROBE")), ("inside", None))
    same(own.delete_secret("PROBE"), True)
    refused(lambda: environment.create_secret("PROBE", "x"), 403)

    checks.begin("PyNaCl")
    secrets = f"{env['GITHUB_API_URL']}/repos/ACME/spaces/actions/secrets"
    headers = {"authorization": f"Bearer {env['SECRETS_TOKEN']}"}
    key = requests.get(f"{secrets}/public-key", headers=headers).json()
    box = public.SealedBox(public.PublicKey(key["key"].encode(), encoding.Base64Encoder))
    other = public.SealedBox(public.PrivateKey.generate().public_key)

    def put(sealed):
        value = base64.b64encode(sealed).decode() if isinstance(sealed, bytes) else sealed
        body = {"encrypted_value": value, "key_id": key["key_id"]}
        return requests.put(f"{secrets}/SEALED", json=body, headers=headers).status_code

    same(put(box.encrypt(b"one")), 201)
    same(sandbox.ask(secret="SEALED"), "one")
    same(put(box.encrypt(b"two")), 204)
    same(put(other.encrypt(b"three")), 422)
    same(put(base64.urlsafe_b64encode(b"\xfb\xff" * 40).decode()), 422)
    same(put(base64.b64encode(box.encrypt(b"4")).decode().rstrip("=") + "!"), 422)
    same(sandbox.ask(secret="SEALED"), "two")


def main():
    checks, sandbox = Checks(), Sandbox()
    try:
        login(sandbox, checks)
        integration, tokens = full_token(sandbox)
        webex_by_python_sdk(sandbox, checks, tokens.access_token)
        webex_by_wxc_sdk(sandbox, checks, integration, tokens)
        github_by_pygithub(sandbox, checks)
        requested = sandbox.ask()
    finally:
        sandbox.close()
    for client, count in checks.counts.items():
        print(f"{client}: {count}")
    total = sum(checks.counts.values())
    print(f"{total} checks by clients of others in {requested} requests, {checks.failures} failed")
    return 1 if checks.failures else 0


if __name__ == "__main__":
    sys.exit(main())

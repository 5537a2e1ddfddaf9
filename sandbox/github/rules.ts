import { type ApiRequest, parameter, Refusal, type Routes } from "../router.ts";
import type { Github } from "./github.ts";
import type { TokenGrant } from "./permissions.ts";

const repo = "/repos/{owner}/{repo}";

const id = 42;

/** The rules of branches: one ruleset, which demands pull requests. https://docs.github.com/en/rest/repos/rules */
export function ruleRoutes(github: Github, grantOf: (request: ApiRequest) => TokenGrant): Routes {
  const source = { source_type: "Repository", source: github.fullName };
  const parameters = {
    dismiss_stale_reviews_on_push: false,
    require_code_owner_review: true,
    require_last_push_approval: false,
    required_approving_review_count: 1,
    required_review_thread_resolution: false,
  };
  return {
    [`GET ${repo}/rules/branches/{branch}`]: (request) => {
      const isRuled =
        github.protection === "ruleset" && parameter(request, "branch") === github.defaultBranch;
      const rule = {
        type: "pull_request",
        ruleset_source_type: source.source_type,
        ruleset_source: source.source,
        ruleset_id: id,
        parameters,
      };
      const other = { ...rule, type: "non_fast_forward", parameters: undefined };
      return { status: 200, body: isRuled ? [other, rule] : [] };
    },
    [`GET ${repo}/rulesets/{ruleset_id}`]: (request) => {
      const isThere = github.protection === "ruleset" && parameter(request, "ruleset_id") === String(id);
      if (!isThere) throw new Refusal(404, "Not Found");
      const body = {
        id,
        name: "Default branch",
        target: "branch",
        ...source,
        enforcement: "active",
        current_user_can_bypass: grantOf(request).mayBypass ? "always" : "never",
        rules: [{ type: "non_fast_forward" }, { type: "pull_request", parameters }],
      };
      return { status: 200, body };
    },
  };
}

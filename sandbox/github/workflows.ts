import { createHash } from "node:crypto";
import { type ApiRequest, parameter, Refusal, type Routes, textField } from "../router.ts";
import type { Github } from "./github.ts";

const repo = "/repos/{owner}/{repo}";
/** The repository's one workflow; its runs name the same id. */
const workflowId = "3";
const file = "sync.yml";

/** The workflow, what an environment lets in, and blobs that belong to no commit. */
export function workflowRoutes(github: Github, showWorkflow: () => unknown): Routes {
  const url = `${github.serverUrl}/api/v3/repos/${github.fullName}`;

  function requireWorkflow(request: ApiRequest): void {
    const id = parameter(request, "workflow_id");
    if (github.workflowState === null || (id !== workflowId && id !== file))
      throw new Refusal(404, "Not Found");
  }

  return {
    [`GET ${repo}/actions/workflows`]: () => {
      const workflows = github.workflowState === null ? [] : [showWorkflow()];
      return { status: 200, body: { total_count: workflows.length, workflows } };
    },
    [`GET ${repo}/actions/workflows/{workflow_id}`]: (request) => {
      requireWorkflow(request);
      return { status: 200, body: showWorkflow() };
    },
    [`PUT ${repo}/actions/workflows/{workflow_id}/enable`]: (request) => {
      requireWorkflow(request);
      github.workflowState = "active";
      return { status: 204 };
    },
    [`POST ${repo}/actions/workflows/{workflow_id}/dispatches`]: (request) => {
      requireWorkflow(request);
      github.head(textField(request.body, "ref") ?? "");
      return { status: 204 };
    },
    [`GET ${repo}/environments/{environment_name}/deployment-branch-policies`]: (request) => {
      github.scope(parameter(request, "environment_name"));
      const branches = github.environmentBranches;
      if (branches === null) throw new Refusal(404, "Not Found");
      const policies = branches.map((name, index) => ({
        id: index + 1,
        node_id: `BP_${index}`,
        name,
        type: "branch",
      }));
      return { status: 200, body: { total_count: policies.length, branch_policies: policies } };
    },
    [`POST ${repo}/git/blobs`]: (request) => {
      const sha = createHash("sha1").update(JSON.stringify(request.body)).digest("hex");
      return { status: 201, body: { sha, url: `${url}/git/blobs/${sha}` } };
    },
  };
}

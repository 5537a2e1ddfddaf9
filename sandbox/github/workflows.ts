import { type ApiRequest, bodyField, parameter, Refusal, type Routes, textField } from "../router.ts";
import type { Github } from "./github.ts";

const repo = "/repos/{owner}/{repo}";
const workflowId = "3";
const file = "sync.yml";
/** There to be started; only the first one's state can be changed. */
const others = new Set(["doctor.yml"]);

/** The workflow, and what an environment lets in. */
export function workflowRoutes(github: Github, showWorkflow: () => unknown): Routes {
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
      if (!others.has(parameter(request, "workflow_id"))) requireWorkflow(request);
      const ref = textField(request.body, "ref");
      if (!ref) throw new Refusal(422, 'Invalid request.\n\n"ref" wasn\'t supplied.');
      const branch = ref.replace(/^refs\/heads\//, "");
      if (!github.repository.head(branch)) throw new Refusal(422, `No ref found for: ${ref}`);
      if (github.workflowState !== "active") {
        throw new Refusal(422, "Cannot trigger a 'workflow_dispatch' on a disabled workflow");
      }
      const { id } = github.queueRun(branch);
      if (bodyField(request.body, "return_run_details") !== true) return { status: 204 };
      const web = `${github.serverUrl}/${github.fullName}/actions/runs/${id}`;
      const run_url = `${github.serverUrl}/api/v3/repos/${github.fullName}/actions/runs/${id}`;
      return { status: 200, body: { workflow_run_id: Number(id), run_url, html_url: web } };
    },
    [`GET ${repo}/environments/{environment_name}/deployment-branch-policies`]: (request) => {
      const { branches } = github.environment(parameter(request, "environment_name"));
      if (branches === null) throw new Refusal(404, "Not Found");
      const policies = branches.map((name, index) => ({
        id: index + 1,
        node_id: `BP_${index}`,
        name,
        type: "branch",
      }));
      return { status: 200, body: { total_count: policies.length, branch_policies: policies } };
    },
  };
}

import { type ApiRequest, bodyField, parameter, Refusal, type Routes, textField } from "../router.ts";
import type { Github } from "./github.ts";

const repo = "/repos/{owner}/{repo}";
const environment = `${repo}/environments/{environment_name}`;

const planRefusal =
  "Failed to create the environment protection rule. Please ensure the billing plan supports the branch policy protection rule.";

/**
 * Environments, the branches that they let in, and variables.
 * https://docs.github.com/en/rest/deployments/environments, https://docs.github.com/en/rest/actions/variables
 */
export function environmentRoutes(github: Github, show: (name: string) => unknown): Routes {
  const nameOf = (request: ApiRequest) => parameter(request, "environment_name");
  return {
    [`GET ${environment}`]: (request) => ({ status: 200, body: show(nameOf(request)) }),
    [`PUT ${environment}`]: (request) => {
      const policy = bodyField(request.body, "deployment_branch_policy");
      const isLimited = bodyField(policy, "custom_branch_policies") === true;
      if (isLimited && bodyField(policy, "protected_branches") === true)
        throw new Refusal(422, "protected_branches and custom_branch_policies cannot have the same value");
      if (isLimited && github.isPrivate && github.plan === "free") throw new Refusal(422, planRefusal);
      github.putEnvironment(nameOf(request), isLimited);
      return { status: 200, body: show(nameOf(request)) };
    },
    [`POST ${environment}/deployment-branch-policies`]: (request) => {
      const { branches } = github.environment(nameOf(request));
      const name = textField(request.body, "name");
      if (branches === null || name === undefined) throw new Refusal(404, "Not Found");
      if (branches.includes(name)) return { status: 303 };
      branches.push(name);
      const body = { id: branches.length, node_id: `BP_${branches.length - 1}`, name, type: "branch" };
      return { status: 200, body };
    },
    ...variableRoutes(github, `${repo}/actions/variables`),
    ...variableRoutes(github, `${environment}/variables`),
  };
}

function variableRoutes(github: Github, path: string): Routes {
  const scope = (request: ApiRequest) => github.variables(request.parameters.get("environment_name"));
  const show = (name: string, value: string) => {
    return { name, value, created_at: github.createdAt, updated_at: github.createdAt };
  };
  const read = (request: ApiRequest) => {
    const [name, value] = [textField(request.body, "name"), textField(request.body, "value")];
    if (!name || value === undefined) throw new Refusal(422, "Validation Failed");
    return { name: name.toUpperCase(), value };
  };
  return {
    [`GET ${path}`]: (request) => {
      const query = request.url.searchParams;
      const size = Math.min(Number(query.get("per_page") ?? 10), 30);
      const start = (Number(query.get("page") ?? 1) - 1) * size;
      const all = [...scope(request)];
      const variables = all.slice(start, start + size).map(([name, value]) => show(name, value));
      return { status: 200, body: { total_count: all.length, variables } };
    },
    [`POST ${path}`]: (request) => {
      const { name, value } = read(request);
      if (scope(request).has(name)) throw new Refusal(409, "Already exists - Variable already exists");
      scope(request).set(name, value);
      return { status: 201, body: {} };
    },
    [`GET ${path}/{name}`]: (request) => {
      const name = parameter(request, "name").toUpperCase();
      const value = scope(request).get(name);
      if (value === undefined) throw new Refusal(404, "Not Found");
      return { status: 200, body: show(name, value) };
    },
    [`PATCH ${path}/{name}`]: (request) => {
      const name = parameter(request, "name").toUpperCase();
      if (!scope(request).has(name)) throw new Refusal(404, "Not Found");
      scope(request).set(name, read(request).value);
      return { status: 204 };
    },
  };
}

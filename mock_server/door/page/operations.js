// The operations of all APIs, read from the OpenAPI document of the server.

import { apiOf } from "./apis.js";
import { ask } from "./door.js";

const METHODS = ["get", "post", "put", "patch", "delete"];

/**
 * Every operation: its id, method, path and summary, the `api` it belongs to, its parameters, its
 * body (null without one), `credential(key)`: the header that has a key (null: it needs none), and
 * `links`: the operations that its answers lead to, by status.
 */
export async function readOperations() {
  const document = await ask("GET", "/_mock/openapi.json");
  const resolve = (node) => (node?.$ref ? resolve(at(document, node.$ref)) : node);
  return Object.entries(document.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => method in item).map((method) => {
      const described = item[method];
      const parameters = [...(item.parameters ?? []), ...(described.parameters ?? [])];
      return {
        id: described.operationId,
        method: method.toUpperCase(),
        path,
        summary: described.summary ?? described.operationId,
        description: described.description ?? "",
        api: apiOf(path),
        parameters: parameters.map(resolve),
        body: bodyOf(resolve(described.requestBody), resolve),
        credential: credentialOf(described.security ?? document.security ?? [], document),
        links: linksOf(described.responses, resolve),
      };
    }),
  );
}

const at = (document, reference) =>
  reference
    .split("/")
    .slice(1)
    .reduce((node, name) => node?.[name.replaceAll("~1", "/").replaceAll("~0", "~")], document);

/** The first media type of a body: its schema and its examples. */
function bodyOf(body, resolve) {
  if (body === undefined) return null;
  const [[mediaType, content]] = Object.entries(body.content);
  const examples = Object.entries(content.examples ?? {}).map(([name, example]) => {
    const { summary, value } = resolve(example);
    return { name: summary ?? name, value };
  });
  return { mediaType, schema: content.schema ?? {}, examples, resolve };
}

/** A function from a key to the header that has it, by the first demand; null without a demand. */
function credentialOf(demands, document) {
  const name = Object.keys(demands[0] ?? {})[0];
  const scheme = document.components?.securitySchemes?.[name];
  if (scheme === undefined) return null;
  if (scheme.type === "apiKey") return (key) => [scheme.name, key];
  return (key) => ["Authorization", `Bearer ${key}`];
}

function linksOf(responses, resolve) {
  const links = {};
  for (const [status, response] of Object.entries(responses ?? {})) {
    links[status] = Object.values(resolve(response).links ?? {}).map(resolve);
  }
  return links;
}

/** The parameters of a link, with the values of the answer that it leads on from. */
export function parametersOf(link, answer) {
  const given = Object.entries(link.parameters ?? {}).map(([name, source]) => {
    const [, pointer] = String(source).match(/^\$response\.body#(.*)$/) ?? [];
    return [name, pointer === undefined ? source : at(answer, `#${pointer}`)];
  });
  return Object.fromEntries(given.filter(([, value]) => value != null));
}

// The APIs of the server: their titles, their paths, and an example request of each.

let apis = [];

export function setApis(served) {
  apis = served;
}

export const apiNames = () => apis.map(({ name }) => name);

export const titleOf = (name) => apis.find((api) => api.name === name)?.short_title ?? name;

/** The name of the API that a path belongs to: the one with the longest beginning of it. */
export function apiOf(path) {
  const own = apis.filter(({ prefix }) => path.startsWith(prefix));
  return own.sort((one, other) => other.prefix.length - one.prefix.length)[0]?.name ?? "";
}

/** A create for this world: its path, its body, and the key that it is sent with. */
export function exampleCreate(world) {
  const keys = apis.map(({ name }) => world.keys.find((each) => each.api === name));
  const key = keys.find(Boolean) ?? world.keys[0];
  const api = apis.find(({ name }) => name === key?.api) ?? apis[0];
  return { path: api.create_path, body: api.create_body, key: key?.key ?? "KEY" };
}

// The address of a view: #/WORLD/KIND/ID?q=words&only=failed. A link opens the same view again.
// Two requests beside each other: #/WORLD/compare/ID?with=ID.

/** kind: of the view; id: of what is open in it; words: the search; only: the chosen chips. */
export function readAddress() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const [world, kind, id] = path.split("/").map(decoded);
  const parameters = new URLSearchParams(query);
  return {
    world: world || null,
    kind: kind || "requests",
    id: id || null,
    entry: parameters.get("entry"),
    other: parameters.get("with"),
    words: parameters.get("q") ?? "",
    only: parameters.get("only")?.split(",") ?? [],
  };
}

/** The link to a view. */
export function linkTo({ world, kind, id = null, entry = null, other = null, words = "", only = [] }) {
  const path = [world, kind, id].filter(Boolean).map(encodeURIComponent).join("/");
  const parameters = new URLSearchParams();
  if (entry) parameters.set("entry", entry);
  if (other) parameters.set("with", other);
  if (words) parameters.set("q", words);
  if (only.length > 0) parameters.set("only", only.join(","));
  const query = parameters.toString();
  return `#/${path}${query && `?${query}`}`;
}

/** Show the address of a view; `isStep`: the browser's back button returns from it. */
export function setAddress(view, isStep = false) {
  const link = linkTo(view);
  if (link === location.hash) return;
  if (isStep) history.pushState(null, "", link);
  else history.replaceState(null, "", link);
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

// What a request is called: its target and its status.

/** The path and query of a request. */
export const targetOf = ({ path, query }) => (query ? `${path}?${query}` : path);

/** The status of a request, or why it has none. */
export function statusOf(request) {
  if (request.status !== null) return String(request.status);
  return request.ended_at === null ? "under way" : "no answer";
}

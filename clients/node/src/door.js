/** Requests to the control door of a server, typed by its document `/_mock/control.json`. */

/** @typedef {import("../types/control.js").paths} Paths */
/** @typedef {"get" | "post" | "put" | "patch" | "delete"} Method */

/**
 * The routes that have this method.
 *
 * @template {Method} M
 * @typedef {{ [P in keyof Paths]: Paths[P] extends { [method in M]: object } ? P : never }[keyof Paths]} PathOf
 */
/**
 * @template {Method} M
 * @template {keyof Paths} P
 * @typedef {Paths[P] extends { [method in M]: infer Operation } ? Operation : never} OperationOf
 */
/**
 * The JSON of an answer.
 *
 * @template {Method} M
 * @template {keyof Paths} P
 * @typedef {OperationOf<M, P> extends { responses: { "2XX": { content: { "application/json": infer Answer } } } } ? Answer : unknown} AnswerOf
 */
/**
 * The JSON of a request.
 *
 * @template {Method} M
 * @template {keyof Paths} P
 * @typedef {OperationOf<M, P> extends { requestBody?: infer Sent } ? [Sent] extends [undefined] ? never : NonNullable<Sent> extends { content: { "application/json": infer Body } } ? Body : never : never} BodyOf
 */
/**
 * The parameters in a query.
 *
 * @template {Method} M
 * @template {keyof Paths} P
 * @typedef {OperationOf<M, P> extends { parameters: { query?: infer Query } } ? NonNullable<Query> : never} QueryOf
 */
/**
 * What a call sends. params: the values of the path's `{…}`. query: a value of null or undefined is
 * left out. body: a text is sent as it is. signal: ends the call. timeoutS: the maximum time until
 * the answer.
 *
 * @template {Method} M
 * @template {keyof Paths} P
 * @typedef {{
 *   params?: Record<string, string>,
 *   query?: QueryOf<M, P> | undefined,
 *   body?: BodyOf<M, P> | string,
 *   signal?: AbortSignal | undefined,
 *   timeoutS?: number,
 * }} Call
 */
/**
 * signal: ends the call with its reason.
 *
 * @typedef {{ signal?: AbortSignal | undefined }} Options
 */
/** @typedef {import("../types/control.js").components["schemas"]} Schemas */

/** The default time limit for the door's answer. */
export const TIMEOUT_S = 30;

/** The door refused a call, or did not answer. The message is its sentence, with JSON Pointers. */
export class ControlError extends Error {
  name = "ControlError";

  /**
   * status: of the answer; undefined if there was none. errors: the wrong places of the request.
   *
   * @param {string} message
   * @param {{ status?: number, errors?: Schemas["Wrong"][], cause?: unknown }} [facts]
   */
  constructor(message, { status, errors = [], cause } = {}) {
    super(message, { cause });
    this.status = status;
    this.errors = errors;
  }
}

/** Sends requests to the door of one server. */
export class Door {
  #token;
  #params;

  /**
   * url: of the server. token: its control token. params: values for the `{…}` of every path.
   *
   * @param {string} url
   * @param {string} [token]
   * @param {Record<string, string>} [params]
   */
  constructor(url, token, params = {}) {
    this.url = url;
    this.#token = token;
    this.#params = params;
  }

  /**
   * The same door, with these values for the `{…}` of every path.
   *
   * @param {Record<string, string>} params
   */
  with(params) {
    return new Door(this.url, this.#token, { ...this.#params, ...params });
  }

  /**
   * Make a call and return the JSON of its answer. Throws ControlError.
   *
   * @template {Method} M
   * @template {PathOf<M>} P
   * @param {M} method
   * @param {P} path as the document writes it
   * @param {Call<M, P>} [call]
   * @returns {Promise<AnswerOf<M, P>>}
   */
  async call(method, path, call = {}) {
    const text = await this.text(method, path, call);
    try {
      return JSON.parse(text);
    } catch {
      throw new ControlError(`${path} at ${this.url} was not answered by a hailuo-mock`);
    }
  }

  /**
   * Make a call and return the text of its answer. Throws ControlError.
   *
   * @template {Method} M
   * @template {PathOf<M>} P
   * @param {M} method
   * @param {P} path
   * @param {Call<M, P>} [call]
   */
  async text(method, path, { params, query, body, signal, timeoutS = TIMEOUT_S } = {}) {
    const there = filled(path, { ...this.#params, ...params });
    const asked = `${method.toUpperCase()} ${there}`;
    const limit = AbortSignal.timeout(1000 * timeoutS);
    const json = typeof body === "string" ? body : JSON.stringify(body);
    try {
      const response = await fetch(this.url + there + written(query), {
        method: method.toUpperCase(),
        headers: {
          ...(body !== undefined && { "Content-Type": "application/json" }),
          ...(this.#token && { "Mock-Control-Token": this.#token }),
        },
        ...(body !== undefined && { body: json }),
        signal: signal ? AbortSignal.any([signal, limit]) : limit,
      });
      const text = await response.text();
      if (!response.ok) throw refusal(asked, response.status, text);
      return text;
    } catch (error) {
      if (error instanceof ControlError) throw error;
      signal?.throwIfAborted();
      if (limit.aborted) {
        throw new ControlError(`${asked}: ${this.url} did not answer within ${timeoutS} s`);
      }
      const { message, cause } = /** @type {Error} */ (error);
      const why = cause instanceof Error ? cause.message || String(cause) : message;
      throw new ControlError(`no hailuo-mock answers at ${this.url}: ${why}`, { cause: error });
    }
  }
}

/**
 * The path with its `{…}` filled in.
 *
 * @param {string} path
 * @param {Record<string, string>} params
 */
function filled(path, params) {
  return path.replace(/{(\w+)}/g, (_, name) => {
    if (params[name] === undefined) throw new TypeError(`${path} needs the parameter '${name}'`);
    return encodeURIComponent(params[name]);
  });
}

/** @param {object} [query] */
function written(query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null);
  return given.length > 0 ? `?${new URLSearchParams(given)}` : "";
}

/**
 * @param {string} asked
 * @param {number} status
 * @param {string} text
 */
function refusal(asked, status, text) {
  /** @type {Partial<Schemas["Problem"]>} */
  let problem = {};
  try {
    problem = JSON.parse(text) ?? {};
  } catch {
    // it is no problem document
  }
  const { title, detail, errors = [] } = problem;
  if (typeof title !== "string") {
    return new ControlError(`${asked} was answered ${status}, and not by a hailuo-mock`, { status });
  }
  const places = errors.map((wrong) => `${wrong.pointer || "body"} ${wrong.detail}`).join("; ");
  return new ControlError(places || (detail ? `${title}: ${detail}` : title), { status, errors });
}

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
export const TIMEOUT_S: 30;
/** The door refused a call, or did not answer. The message is its sentence, with JSON Pointers. */
export class ControlError extends Error {
    /**
     * status: of the answer; undefined if there was none. errors: the wrong places of the request.
     *
     * @param {string} message
     * @param {{ status?: number, errors?: Schemas["Wrong"][], cause?: unknown }} [facts]
     */
    constructor(message: string, { status, errors, cause }?: {
        status?: number;
        errors?: Schemas["Wrong"][];
        cause?: unknown;
    });
    status: number | undefined;
    errors: {
        pointer: string;
        rule: string;
        detail: string;
    }[];
}
/** Sends requests to the door of one server. */
export class Door {
    /**
     * url: of the server. token: its control token. params: values for the `{…}` of every path.
     *
     * @param {string} url
     * @param {string} [token]
     * @param {Record<string, string>} [params]
     */
    constructor(url: string, token?: string, params?: Record<string, string>);
    url: string;
    /**
     * The same door, with these values for the `{…}` of every path.
     *
     * @param {Record<string, string>} params
     */
    with(params: Record<string, string>): Door;
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
    call<M extends Method, P extends PathOf<M>>(method: M, path: P, call?: Call<M, P>): Promise<AnswerOf<M, P>>;
    /**
     * Make a call and return the text of its answer. Throws ControlError.
     *
     * @template {Method} M
     * @template {PathOf<M>} P
     * @param {M} method
     * @param {P} path
     * @param {Call<M, P>} [call]
     */
    text<M extends Method, P extends PathOf<M>>(method: M, path: P, { params, query, body, signal, timeoutS }?: Call<M, P>): Promise<string>;
    #private;
}
export type Paths = import("../types/control.js").paths;
export type Method = "get" | "post" | "put" | "patch" | "delete";
/**
 * The routes that have this method.
 */
export type PathOf<M extends Method> = { [P in keyof Paths]: Paths[P] extends { [method in M]: object; } ? P : never; }[keyof Paths];
export type OperationOf<M extends Method, P extends keyof Paths> = Paths[P] extends { [method in M]: infer Operation; } ? Operation : never;
/**
 * The JSON of an answer.
 */
export type AnswerOf<M extends Method, P extends keyof Paths> = OperationOf<M, P> extends {
    responses: {
        "2XX": {
            content: {
                "application/json": infer Answer;
            };
        };
    };
} ? Answer : unknown;
/**
 * The JSON of a request.
 */
export type BodyOf<M extends Method, P extends keyof Paths> = OperationOf<M, P> extends {
    requestBody?: infer Sent;
} ? [Sent] extends [undefined] ? never : NonNullable<Sent> extends {
    content: {
        "application/json": infer Body;
    };
} ? Body : never : never;
/**
 * The parameters in a query.
 */
export type QueryOf<M extends Method, P extends keyof Paths> = OperationOf<M, P> extends {
    parameters: {
        query?: infer Query;
    };
} ? NonNullable<Query> : never;
/**
 * What a call sends. params: the values of the path's `{…}`. query: a value of null or undefined is
 * left out. body: a text is sent as it is. signal: ends the call. timeoutS: the maximum time until
 * the answer.
 */
export type Call<M extends Method, P extends keyof Paths> = {
    params?: Record<string, string>;
    query?: QueryOf<M, P> | undefined;
    body?: BodyOf<M, P> | string;
    signal?: AbortSignal | undefined;
    timeoutS?: number;
};
/**
 * signal: ends the call with its reason.
 */
export type Options = {
    signal?: AbortSignal | undefined;
};
export type Schemas = import("../types/control.js").components["schemas"];

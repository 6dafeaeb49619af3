import { type MemoryServerOptions, startMemoryServer } from '../../testing/test-server.ts';

export interface Answer {
  readonly code: number;
  readonly message?: string;
  readonly data?: unknown;
  readonly topks?: readonly number[];
  readonly cost?: number;
}

export interface TextAnswer {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
}

export const ROOT = 'root:open sesame';

/** A server in memory, asked as the Node SDK asks: JSON sent as text, by root unless the headers say otherwise. */
export interface MilvusDoor {
  readonly server: Awaited<ReturnType<typeof startMemoryServer>>;
  callText(path: string, body: string, headers?: Record<string, string>): Promise<TextAnswer>;
  call(path: string, body: object, headers?: Record<string, string>): Promise<Answer>;
  /** A collection of two dimensions. */
  quick(collectionName: string, more?: object): Promise<Answer>;
}

export async function openMilvusDoor(options: MemoryServerOptions = {}): Promise<MilvusDoor> {
  const server = await startMemoryServer({}, options);
  const callText: MilvusDoor['callText'] = async (path, body, headers = {}) => {
    const response = await fetch(`${server.url}/v2/vectordb/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'text/plain;charset=UTF-8', authorization: `Bearer ${ROOT}`, ...headers },
      body,
    });
    return { status: response.status, text: await response.text(), headers: response.headers };
  };
  const call: MilvusDoor['call'] = async (path, body, headers) => {
    const { status, text } = await callText(path, JSON.stringify(body), headers);
    if (status !== 200) throw new Error(`${path}: status 200 expected, got ${status}: ${text}`);
    return JSON.parse(text) as Answer;
  };
  return {
    server,
    callText,
    call,
    quick: (collectionName, more = {}) => call('collections/create', { collectionName, dimension: 2, ...more }),
  };
}

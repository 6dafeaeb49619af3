import type { ServerNode } from './types.ts';

/** The same node with some of its methods replaced: what stands between a door and a node. Costs one lookup per call. */
export function withMethods(node: ServerNode, replaced: Partial<ServerNode>): ServerNode {
  const bound = new Map<PropertyKey, unknown>();
  return new Proxy(node, {
    get: (target, name) => {
      if (Object.hasOwn(replaced, name)) return replaced[name as keyof ServerNode];
      const known = bound.get(name);
      if (known !== undefined) return known;
      // Of the node itself: its private parts are not the proxy's.
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      const method: unknown = value.bind(target);
      bound.set(name, method);
      return method;
    },
  });
}

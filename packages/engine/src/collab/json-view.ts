import { MAX_JSON_DEPTH } from '@terndb/core';
import {
  applyUpdate,
  ContentEmbed,
  ContentFormat,
  ContentString,
  ContentType,
  Doc,
  Array as List,
  Map as Named,
  Text,
  XmlElement,
  XmlFragment,
  XmlHook,
  XmlText,
} from 'yjs';
import { toBase64Url } from '../bytes/base64url.ts';

/**
 * An opaque document as JSON text: an object of its root types by name. Updates do not say what a root type is, so its content does: keys are an
 * object, characters a text, XML its markup, and else an array. Names are in order, so that equal documents read equal. Binary values are base64url,
 * 64-bit integers texts, subdocuments null, and so is what nothing is left of or what is nested deeper than MAX_JSON_DEPTH. Bytes that are none of
 * Yjs' read as the document that they begin: `{}`. Cost: O(document), no document is kept.
 */
export function jsonOf(update: Uint8Array): string {
  const doc = new Doc();
  try {
    applyUpdate(doc, update);
  } catch {
    return '{}';
  }
  return JSON.stringify(Object.fromEntries([...doc.share].sort(byName).map(([name, root]) => [name, rootValue(doc, name, root)])));
}

type Root = Doc['share'] extends ReadonlyMap<string, infer T> ? T : never;

function rootValue(doc: Doc, name: string, root: Root): unknown {
  let content: unknown;
  for (let item = root._start; item !== null && content === undefined; item = item.right) if (!item.deleted) content = item.content;
  if (content === undefined) return root._map.size === 0 ? null : plain(doc.getMap(name), 0);
  if (content instanceof ContentString || content instanceof ContentFormat || content instanceof ContentEmbed)
    return doc.getText(name).toString();
  if (content instanceof ContentType && isXml(content.type)) return markup(doc.getXmlFragment(name));
  return plain(doc.getArray(name), 0);
}

function plain(value: unknown, depth: number): unknown {
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return value ?? null;
  if (value instanceof Uint8Array) return toBase64Url(value);
  if (isXml(value)) return markup(value);
  if (value instanceof Text) return value.toString();
  if (depth >= MAX_JSON_DEPTH || value instanceof Doc) return null;
  if (value instanceof List || Array.isArray(value)) return [...value].map((one) => plain(one, depth + 1));
  const entries = value instanceof Named ? [...value.entries()] : Object.entries(value);
  return Object.fromEntries((entries as [string, unknown][]).sort(byName).map(([name, one]) => [name, plain(one, depth + 1)]));
}

type Xml = XmlElement | XmlFragment | XmlHook | XmlText;

function isXml(value: unknown): value is Xml {
  return value instanceof XmlFragment || value instanceof XmlElement || value instanceof XmlText || value instanceof XmlHook;
}

/** Yjs recurses: what is nested too deeply for it is left out. */
function markup(value: Xml): string | null {
  try {
    return value.toString();
  } catch {
    return null;
  }
}

/** By code units: not by the language of the machine. */
function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

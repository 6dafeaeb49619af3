import { resolve } from 'node:path';
import { DbError } from '@terndb/core';
import { Secret } from '../adapters/s3/secret.ts';
import type { Setting, SettingType } from './settings.ts';

export type SettingValue = string | number | boolean | readonly string[] | Secret;

const TRUE = ['true', '1'];
const FALSE = ['false', '0'];

/** A text from a variable or a flag. OPTION_INVALID. */
export function readText(setting: Setting, text: string, where: string): SettingValue {
  const { type } = setting;
  if (type.kind === 'integer') return checked(setting, /^-?\d{1,15}$/.test(text) ? Number(text) : text, where);
  if (type.kind === 'share') return checked(setting, /^[01]?(\.\d{1,9})?$/.test(text) ? Number(text) : text, where);
  if (type.kind === 'boolean') return checked(setting, TRUE.includes(text) ? true : FALSE.includes(text) ? false : text, where);
  if (type.kind === 'list') {
    const items = text.split(',').map((item) => item.trim());
    return checked(
      setting,
      items.filter((item) => item !== ''),
      where,
    );
  }
  return checked(setting, text, where);
}

/** A value as JSON has it. OPTION_INVALID. */
export function checked(setting: Setting, value: unknown, where: string): SettingValue {
  const { type } = setting;
  switch (type.kind) {
    case 'integer':
      if (Number.isSafeInteger(value) && (value as number) >= type.min && (value as number) <= type.max) return value as number;
      break;
    case 'share':
      if (typeof value === 'number' && value >= 0 && value <= 1) return value;
      break;
    case 'boolean':
      if (typeof value === 'boolean') return value;
      break;
    case 'choice':
      if (type.of.includes(value as string)) return value as string;
      break;
    case 'list':
      if (isList(value, type.of)) return value;
      break;
    case 'secret':
      if (typeof value === 'string' && Buffer.byteLength(value) >= type.minBytes) return new Secret(value);
      break;
    case 'path':
      if (isText(value)) return resolve(value);
      break;
    case 'text':
      if (isText(value)) return value;
      break;
  }
  throw invalidSetting(setting.key, where, expectedOf(type), type.kind === 'secret' ? 'something else' : shown(value));
}

export function expectedOf(type: SettingType): string {
  switch (type.kind) {
    case 'integer':
      return `an integer from ${type.min} to ${type.max}`;
    case 'share':
      return 'a number from 0 to 1';
    case 'boolean':
      return 'true or false';
    case 'choice':
      return `one of ${type.of.join(', ')}`;
    case 'list':
      return type.of === undefined ? 'a list of texts' : `a list of ${type.of.join(', ')}`;
    case 'secret':
      return `a text of at least ${type.minBytes} bytes`;
    case 'path':
      return 'a path';
    case 'text':
      return 'a text';
  }
}

/** `where`: the variable, the flag or the file. */
export function invalidSetting(key: string, where: string, expected: string, got: string): DbError {
  return new DbError('OPTION_INVALID', `${key} (${where}): ${expected} expected, got ${got}`, {
    details: { option: key, where, expected, got },
  });
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '' && !value.includes('\0');

function isList(value: unknown, of: readonly string[] | undefined): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => isText(item) && (of === undefined || of.includes(item)));
}

const MAX_SHOWN = 80;
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}

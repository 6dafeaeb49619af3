/** `Bearer token`, `Bearer user:password`, or `Basic` with both. Undefined: none was given, or in a way that is not known. */
export function credentialOf(authorization: string | undefined): string | undefined {
  const [, scheme, value] = /^(\w+)\s+(.*)$/s.exec(authorization ?? '') ?? [];
  if (scheme === undefined || value === undefined) return undefined;
  switch (scheme.toLowerCase()) {
    case 'bearer':
      return value;
    case 'basic':
      return Buffer.from(value, 'base64').toString();
    default:
      return undefined;
  }
}

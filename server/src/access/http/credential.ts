/** `Bearer token`, or `Basic` with user and password. Undefined: none was given. */
export function credentialOf(authorization: string | undefined): string | undefined {
  const [scheme = '', value] = (authorization ?? '').split(' ', 2);
  if (value === undefined) return undefined;
  switch (scheme.toLowerCase()) {
    case 'bearer':
      return value;
    case 'basic':
      return Buffer.from(value, 'base64').toString();
    default:
      return undefined;
  }
}

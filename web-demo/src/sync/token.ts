/** Everybody who opens the demo is the same person: whoever can open the page may read and write. An app of its own asks who it is. */
const SUBJECT = 'library';

/** From the server's issuer of development tokens. */
export async function fetchToken(server: string): Promise<string> {
  const response = await fetch(`${server}/v1/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ subject: SUBJECT }),
  });
  if (!response.ok) throw new Error(`the server gave no token: it answered ${response.status}`);
  const { token } = (await response.json()) as { readonly token: string };
  return token;
}

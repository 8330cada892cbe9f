/** What a secret looks like. A secret access key is told from a hash by its mixture of letters and digits. */
const SECRETS: Readonly<Record<string, RegExp>> = {
  'an access key id': /\b(AKIA|ASIA)[A-Z0-9]{16}\b/,
  'a secret access key':
    /(?<![\w/+=])(?=[\w/+]*[A-Z])(?=[\w/+]*[a-z])(?=[\w/+]*\d)[A-Za-z0-9/+]{40}(?![\w/+=])/,
  'a private key': /-----BEGIN [A-Z ]*PRIVATE KEY-----/,
};
const BASE64 = /[A-Za-z0-9+/]{24,}={0,2}/g;

/** In the text itself, and in what it holds in base64, as cloud-init's files are. */
export function secretsIn(value: unknown): string[] {
  const text = typeof value === 'string' ? value : '';
  const decoded = (text.match(BASE64) ?? []).map((part) => Buffer.from(part, 'base64').toString('latin1'));
  return Object.entries(SECRETS)
    .filter(([, pattern]) => [text, ...decoded].some((each) => pattern.test(each)))
    .map(([name]) => name);
}

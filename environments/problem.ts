/** One thing that is wrong: where, what stands there, and what would be right. */
export interface Problem {
  path: string;
  value: unknown;
  expected: string;
}

/** file: path is value; expected what would be right */
export function describe(file: string, { path, value, expected }: Problem): string {
  return `${file}: ${path || 'the default export'} is ${shown(value, path)}; expected ${expected}`;
}

function shown(value: unknown, path: string): string {
  switch (typeof value) {
    case 'undefined':
      return 'missing';
    case 'string':
      return MAY_BE_SECRET.test(path) ? '(text, not shown)' : shortened(JSON.stringify(value));
    case 'object':
      if (value === null) return 'null';
      if (Array.isArray(value)) return shortened(`[${value.map((item) => shown(item, path)).join(', ')}]`);
      return shortened(`{ ${Object.keys(value).join(', ')} }`).replace('{  }', '{}');
    case 'function':
      return 'a function';
    default:
      return String(value);
  }
}

/** A parameter's texts but its path and its secret's variable: a secret may stand there by mistake. */
const MAY_BE_SECRET = /^parameters\[\d+\]\.(?!path$|secret\.variable$)/;

function shortened(text: string): string {
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

import { LEVELS } from './actions';
import { escaped } from './escaped';
import type { Row, Section } from './rows';
import { wrapped } from './text';
import { listed } from './words';

/** A box of the drawing, with lines of text. Sizes are in pixels. */
interface Box {
  readonly kind: 'who' | 'role' | 'resource';
  readonly title: readonly string[];
  readonly lines: readonly string[];
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A role with who takes it on, and what it reaches. */
interface Lane {
  readonly who: readonly Text[];
  readonly role: Text;
  readonly resources: readonly Text[];
  /** Such as AssumeRole; short, as it stands on the arrow. */
  readonly by: string;
}

interface Text {
  readonly title: string;
  readonly lines: readonly string[];
}

/** Widest fonts of a screen, so that no text outgrows its box: pixels of a character of a title and of a line. */
const TITLE = { character: 8.1, height: 18 };
const LINE = { character: 6.9, height: 16 };
const PADDING = 12;
/** Resources that a box names before it says how many more there are. */
const NAMED = 3;

/** The role chain as two drawings of which the page shows the one that fits: columns, or a tree for a narrow screen. */
export function roleChain(environment: string, sections: readonly Section[]): string {
  // The short ones first: the one that deploys would push the rest off the screen.
  const lanes = lanesOf(sections).sort((one, other) => one.resources.length - other.resources.length);
  return `${drawing('wide', environment, columns(lanes))}\n${drawing('narrow', environment, tree(lanes))}`;
}

function lanesOf(sections: readonly Section[]): Lane[] {
  const users = sections.filter(({ kind }) => kind === 'user');
  return sections
    .filter(({ kind }) => kind === 'role')
    .map(({ name, others, may }) => ({
      who: others.map((row) => {
        const user = users.find((each) => row.who === `user ${each.name}`);
        return { title: row.who, lines: user ? user.others.map(({ who }) => who) : row.when };
      }),
      role: { title: name, lines: may.length === 0 ? ['may do nothing'] : [] },
      resources: resourcesOf(may),
      by:
        others[0]?.actions[0] === 'AssumeRoleWithWebIdentity'
          ? 'web identity'
          : (others[0]?.actions[0] ?? ''),
    }));
}

function resourcesOf(rows: readonly Row[]): Text[] {
  const services = [...new Set(rows.map(({ service }) => service))];
  return services.map((service) => {
    const own = rows.filter((row) => row.service === service);
    const on = listed([...new Set(own.flatMap((row) => row.on))]);
    const levels = LEVELS.filter((level) => own.some((row) => row.levels.includes(level)));
    return {
      title: `${service}: ${levels.join(', ')}`,
      lines: [
        ...on.slice(0, NAMED),
        ...(on.length > NAMED ? [`and ${on.length - NAMED} more, see below`] : []),
      ],
    };
  });
}

interface Drawing {
  readonly width: number;
  readonly height: number;
  readonly boxes: readonly Box[];
  /** SVG paths, and a word on them. */
  readonly arrows: readonly { path: string; word: string; x: number; y: number }[];
}

const BETWEEN = 12;
const BETWEEN_LANES = 32;

/** Three columns: who, role, resources; each lane is as high as its highest column. */
function columns(lanes: readonly Lane[]): Drawing {
  const [who, role, resource] = [
    { x: 0, width: 268 },
    { x: 388, width: 232 },
    { x: 690, width: 330 },
  ] as const;
  const boxes: Box[] = [];
  const arrows: Drawing['arrows'][number][] = [];
  let top = 0;
  for (const lane of lanes) {
    const left = stack('who', lane.who, who);
    const middle = stack('role', [lane.role], role);
    const right = stack('resource', lane.resources, resource);
    const height = Math.max(...[left, middle, right].map(heightOf));
    const [lefts, middles, rights] = [left, middle, right].map((column) => centred(column, top, height)) as [
      Box[],
      Box[],
      Box[],
    ];
    for (const center of middles) {
      for (const from of lefts)
        arrows.push({
          path: curve(from, center),
          word: lane.by,
          x: (who.x + who.width + role.x) / 2 - 4,
          y: (from.y + from.height / 2 + center.y + center.height / 2) / 2 - 7,
        });
      for (const to of rights) arrows.push({ path: curve(center, to), word: '', x: 0, y: 0 });
    }
    boxes.push(...lefts, ...middles, ...rights);
    top += height + BETWEEN_LANES;
  }
  return { width: resource.x + resource.width, height: top - BETWEEN_LANES, boxes, arrows };
}

/** One below the other, each step further in. */
function tree(lanes: readonly Lane[]): Drawing {
  const width = 348;
  const step = 26;
  const at = (depth: number) => ({ x: depth * step, width: width - depth * step });
  const boxes: Box[] = [];
  const arrows: Drawing['arrows'][number][] = [];
  const elbow = (from: Box, to: Box, word: string) => {
    const [x, y] = [from.x + step / 2, to.y + to.height / 2];
    arrows.push({
      path: `M${x} ${from.y + from.height}V${y}H${to.x - 1}`,
      word,
      x: x + 8,
      y: from.y + from.height + 15,
    });
  };
  let top = 0;
  for (const lane of lanes) {
    const left = placed(stack('who', lane.who, at(0)), top);
    top = bottomOf(left, top) + 22;
    const middle = placed(stack('role', [lane.role], at(1)), top);
    top = bottomOf(middle, top) + BETWEEN;
    const right = placed(stack('resource', lane.resources, at(2)), top);
    top = bottomOf(right, top - BETWEEN) + BETWEEN_LANES;
    for (const center of middle) {
      const last = left.at(-1);
      if (last) elbow(last, center, lane.by);
      for (const to of right) elbow(center, to, '');
    }
    boxes.push(...left, ...middle, ...right);
  }
  return { width, height: top - BETWEEN_LANES, boxes, arrows };
}

/** Boxes one below the other, from 0 down. */
function stack(kind: Box['kind'], texts: readonly Text[], { x, width }: { x: number; width: number }): Box[] {
  const room = width - 2 * PADDING;
  let y = 0;
  return texts.map((text) => {
    const title = wrapped([text.title], Math.floor(room / TITLE.character));
    const lines = text.lines.flatMap((line) => wrapped([line], Math.floor(room / LINE.character)));
    const height = 2 * PADDING + title.length * TITLE.height + lines.length * LINE.height - 4;
    const box = { kind, title, lines, x, y, width, height };
    y += height + BETWEEN;
    return box;
  });
}

const heightOf = (column: readonly Box[]) => bottomOf(column, 0);
const bottomOf = (column: readonly Box[], otherwise: number) => {
  const last = column.at(-1);
  return last ? last.y + last.height : otherwise;
};
const placed = (column: readonly Box[], top: number) => column.map((box) => ({ ...box, y: box.y + top }));
const centred = (column: readonly Box[], top: number, height: number) =>
  placed(column, top + (height - heightOf(column)) / 2);

function curve(from: Box, to: Box): string {
  const [x1, y1, x2, y2] = [from.x + from.width, from.y + from.height / 2, to.x - 1, to.y + to.height / 2];
  const half = (x1 + x2) / 2;
  return `M${x1} ${y1}C${half} ${y1} ${half} ${y2} ${x2} ${y2}`;
}

function drawing(name: string, environment: string, { width, height, boxes, arrows }: Drawing): string {
  return `<svg class="chain ${name}" viewBox="-1 -1 ${width + 2} ${height + 2}" role="img" aria-labelledby="${name}-title ${name}-desc">
<title id="${name}-title">Role chain of ${escaped(environment)}</title>
<desc id="${name}-desc">${escaped(
    `Who takes on which role, and what each role reaches. The tables below say the same: ${boxes
      .filter(({ kind }) => kind === 'role')
      .map(({ title }) => title.join(''))
      .join(', ')}.`,
  )}</desc>
<defs><marker id="${name}-arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0L8 4L0 8z"/></marker></defs>
${arrows
  .map(
    ({ path, word, x, y }) =>
      `<path class="arrow" d="${path}" marker-end="url(#${name}-arrow)"/>${
        word &&
        `<text class="word" x="${x}" y="${y}"${name === 'wide' ? ' text-anchor="middle"' : ''}>${escaped(word)}</text>`
      }`,
  )
  .join('\n')}
${boxes.map(boxOf).join('\n')}
</svg>`;
}

function boxOf({ kind, title, lines, x, y, width, height }: Box): string {
  let at = y + PADDING - 4;
  const text = (style: string, line: string, step: number) =>
    `<text class="${style}" x="${x + PADDING}" y="${(at += step)}">${escaped(line)}</text>`;
  return `<g class="${kind}"><rect x="${x}" y="${y}" width="${width}" height="${height}" rx="8"/>${[
    ...title.map((line) => text('title', line, TITLE.height)),
    ...lines.map((line) => text('line', line, LINE.height)),
  ].join('')}</g>`;
}

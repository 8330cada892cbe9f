import { roleChain } from './chain';
import { escaped } from './escaped';
import type { Access } from './grants';
import { sectionsOf, type Row, type Section } from './rows';
import { trustIn } from './text';

/** Who may do what in an environment, as a page that needs no network and no script. */
export function accessPage(access: Access): string {
  const sections = sectionsOf(access, 'actions');
  const identities = sections.filter(({ kind }) => ['user', 'role'].includes(kind));
  const boundaries = sections.filter(({ kind }) => kind === 'boundary');
  const resources = sections.filter(
    (section) => !identities.includes(section) && !boundaries.includes(section),
  );
  const title = `Access in ${access.environment}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escaped(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<a class="skip" href="#roles">Skip to the tables</a>
<header>
<h1>${escaped(title)}</h1>
<p>Account ${escaped(access.account)}, ${escaped(access.region)}. Read from the synthesized policies: users and roles may do what their own policies and their boundary both allow, and nothing else.</p>
<nav aria-label="On this page"><ul>${identities
    .map(({ name }) => `<li><a href="#${anchor(name)}">${escaped(name)}</a></li>`)
    .join(
      '',
    )}<li><a href="#boundaries">Boundaries</a></li><li><a href="#resources">Policies of resources</a></li></ul></nav>
</header>
<main>
<section aria-labelledby="chain"><h2 id="chain">Role chain</h2>
${roleChain(access.environment, sectionsOf(access, 'levels'))}
</section>
<section aria-labelledby="roles"><h2 id="roles">Users and roles</h2>
${identities.map(identityPart).join('\n')}
</section>
<section aria-labelledby="boundaries"><h2 id="boundaries">Boundaries</h2>
<p>The most that the policies of users and roles under them can give. A boundary itself gives nothing.</p>
${boundaries.map(identityPart).join('\n')}
</section>
<section aria-labelledby="resources"><h2 id="resources">Policies of resources</h2>
${resources.map(resourcePart).join('\n')}
</section>
</main>
</body>
</html>
`;
}

function identityPart({ name, kind, description, boundary, others, may, mayNot, sameAs }: Section): string {
  const facts = [
    ...others.map((row): [string, string] => ['Taken on by', escaped(trustIn(row))]),
    ...(boundary
      ? [['Boundary', `<a href="#${anchor(boundary)}">${escaped(boundary)}</a>`] as [string, string]]
      : []),
  ];
  return `<article aria-labelledby="${anchor(name)}"><h3 id="${anchor(name)}">${escaped(name)} <small>${escaped(kind)}</small></h3>
${description && `<p>${escaped(description)}</p>`}
${facts.length > 0 ? `<dl>${facts.map(([term, text]) => `<div><dt>${term}</dt><dd>${text}</dd></div>`).join('')}</dl>` : ''}
${
  sameAs !== undefined
    ? `<p>Exactly what <a href="#${anchor(sameAs)}">${escaped(sameAs)}</a> may do.</p>`
    : may.length === 0
      ? '<p>May do nothing.</p>'
      : table(`What ${name} may do`, may)
}
${mayNot.length > 0 ? table(`What ${name} is denied`, mayNot) : ''}
</article>`;
}

function resourcePart({ name, kind, others }: Section): string {
  const [lets, denies] = [true, false].map((allowed) => others.filter((row) => row.allowed === allowed)) as [
    Row[],
    Row[],
  ];
  return `<article aria-labelledby="${anchor(name)}"><h3 id="${anchor(name)}">${escaped(name)} <small>${escaped(kind)}</small></h3>
${lets.length > 0 ? table('Lets in', lets) : ''}
${denies.length > 0 ? table('Denies', denies) : ''}
</article>`;
}

/** Roles are stated, as a narrow screen shows rows as blocks, and browsers would then no longer tell of a table. */
function table(caption: string, rows: readonly Row[]): string {
  const columns: [string, (row: Row) => string][] = [
    ...(rows.some(({ who }) => who !== '')
      ? [['Who', ({ who }: Row) => escaped(who)] as [string, (row: Row) => string]]
      : []),
    ['Access', (row) => `<strong>${escaped(row.service)}</strong> ${escaped(row.levels.join(', '))}`],
    ['On', ({ on }) => lines(on)],
    ['When', ({ when }) => lines(when)],
    ['Actions', ({ actions }) => `<code>${actions.map(escaped).join('</code> <code>')}</code>`],
  ];
  const shown = columns.filter(([, cell]) => rows.some((row) => cell(row) !== ''));
  return `<table role="table"><caption>${escaped(caption)}</caption>
<thead role="rowgroup"><tr role="row">${shown.map(([head]) => `<th role="columnheader" scope="col" class="${head.toLowerCase()}">${head}</th>`).join('')}</tr></thead>
<tbody role="rowgroup">${rows
    .map(
      (row) =>
        `<tr role="row">${shown
          .map(([head, cell]) => [head, cell(row)] as const)
          .map(
            ([head, text]) =>
              `<td role="cell" data-head="${head}"${text === '' ? ' class="empty"' : ''}><span>${text}</span></td>`,
          )
          .join('')}</tr>`,
    )
    .join('\n')}</tbody></table>`;
}

const lines = (texts: readonly string[]) => texts.map(escaped).join('<br>');
const anchor = (name: string) => escaped(`of-${name.replaceAll(/[^\w-]/g, '-')}`);

const STYLE = `
:root{--text:#1d2733;--dim:#5b6876;--line:#d9e0e7;--back:#fff;--soft:#f5f7f9;--who:#eef3fb;--whoLine:#9db8dd;--role:#eaf6f0;--roleLine:#7fb99b;--link:#1d5fb4}
@media (prefers-color-scheme:dark){:root{--text:#e3e8ee;--dim:#9aa7b4;--line:#343e49;--back:#14191f;--soft:#1c232b;--who:#1b2a3f;--whoLine:#47689a;--role:#17302a;--roleLine:#3f8468;--link:#8ab8f5}}
*{box-sizing:border-box}
html{scroll-behavior:smooth}
@media (prefers-reduced-motion:reduce){html{scroll-behavior:auto}}
body{margin:0 auto;max-width:1120px;padding:32px 24px 64px;background:var(--back);color:var(--text);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;overflow-wrap:anywhere}
h1{font-size:1.9rem;line-height:1.2;margin:0 0 8px;letter-spacing:-.01em}
h2{font-size:1.3rem;margin:56px 0 16px;padding-top:8px;border-top:1px solid var(--line)}
h3{font-size:1.05rem;margin:0 0 4px}
small{font-weight:400;color:var(--dim);margin-left:4px}
p{margin:0 0 12px;max-width:72ch}
header p,article>p{color:var(--dim)}
a{color:var(--link)}
a:focus-visible{outline:3px solid var(--link);outline-offset:2px;border-radius:2px}
.skip{position:absolute;left:-999px}.skip:focus{position:static}
nav ul{display:flex;flex-wrap:wrap;gap:4px 18px;list-style:none;margin:0;padding:0}
article{margin:0 0 36px}
dl{margin:0 0 12px}dl div{display:flex;gap:12px}dt{flex:none;width:104px;color:var(--dim)}dd{margin:0}
table{width:100%;border-collapse:collapse;font-size:.92rem;table-layout:fixed}
caption{text-align:left;font-weight:600;padding:8px 0}
th,td{text-align:left;vertical-align:top;padding:9px 16px 9px 0;border-top:1px solid var(--line)}
th{color:var(--dim);font-weight:500;border:0;padding-top:0}
th.actions{width:36%}
code{font:.86em/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;background:var(--soft);border-radius:4px;padding:1px 5px;display:inline-block}
svg.chain{display:block;width:100%;height:auto}
svg.narrow{display:none;max-width:480px}
.who rect{fill:var(--who);stroke:var(--whoLine)}.role rect{fill:var(--role);stroke:var(--roleLine)}.resource rect{fill:var(--soft);stroke:var(--line)}
svg text{fill:var(--text);font-size:13px}svg .title{font-weight:600;font-size:13px}svg .line,svg .word{font-size:12px;fill:var(--dim)}
.arrow{fill:none;stroke:var(--dim);stroke-width:1.3}marker path{fill:var(--dim)}
@media (max-width:760px){
body{padding:20px 16px 48px}
svg.wide{display:none}svg.narrow{display:block}
table,tbody,tr,td,caption{display:block}thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
tr{border-top:1px solid var(--line);padding:10px 0}
td{border:0;padding:2px 0;display:grid;grid-template-columns:72px 1fr}td::before{content:attr(data-head);color:var(--dim)}td.empty{display:none}
td[data-head=Actions]{display:block}td[data-head=Actions]::before{content:none}
dl div{display:block}
}
@media print{.skip,nav{display:none}article{break-inside:avoid}}
`;
